from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.conftest import Installation

LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as open_file:
        return list(csv.DictReader(open_file))


def test_every_series_of_a_real_diary_file_gets_ordered_quantiles_inside_its_scale(
    installation: Installation, shared: Path, tmp_path: Path
) -> None:
    source = shared / "data" / "symptoms" / "jang_mood_anxiety.csv"
    output = tmp_path / "out.csv"
    installation.manage("forecast", "--series", str(source), "--output", str(output))

    answered: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows_of(output):
        answered.setdefault((row["patient_id"], row["symptom_type"]), []).append(row)
    entries: dict[tuple[str, str], set[str]] = {}
    for row in rows_of(source):
        key = (row["patient_id"], row["symptom_type"])
        entries.setdefault(key, set()).add(row["date"][:10])

    assert answered.keys() == entries.keys()
    for key, days in answered.items():
        assert [int(day["day"]) for day in days] == list(range(1, 15))
        for day in days:
            quantiles = [float(day[f"q{level:g}"]) for level in LEVELS]
            assert quantiles == sorted(quantiles)
            assert float(day["scale_min"]) <= quantiles[0]
            assert quantiles[-1] <= float(day["scale_max"])
        if len(entries[key]) < 7:
            method = "prior" if len(entries[key]) == 1 else "irregular"
            assert {(d["method"], d["reliability"]) for d in days} == {(method, "low")}
    few = [key for key, days in entries.items() if len(days) < 7]
    assert few, "the file has people with one to six entries"


def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(
    installation: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "diary.csv"
    lines = [
        f"{patient},2026-01-{day:02},worry,{(day * patient) % 10},0,10"
        for patient in (1, 2, 3)
        for day in range(1, 21)
    ]
    head = "patient_id,date,symptom_type,severity,scale_min,scale_max"
    source.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    whole, again = tmp_path / "whole.csv", tmp_path / "again.csv"
    part = tmp_path / "again.csv.part"
    command = ("manage.py", "forecast", "--series", str(source), "--output")
    installation.run(*command, str(whole))
    text = whole.read_text(encoding="utf-8")
    again.mkdir()  # what is in the way of the final name leaves the rows beside it
    installation.run(*command, str(again), code=1)
    again.rmdir()
    assert part.read_text(encoding="utf-8") == text
    marked = text.replace(",ensemble,", ",marked,", 1)  # a row of the first person
    part.write_text(marked[: int(len(text) * 0.55)], encoding="utf-8")
    installation.run(*command, str(again))
    assert again.read_text(encoding="utf-8") == marked
    assert not list(tmp_path.glob("*.part*"))


def test_rows_of_another_input_are_not_taken_over(
    installation: Installation, tmp_path: Path
) -> None:
    source, output = tmp_path / "diary.csv", tmp_path / "out.csv"
    head = "patient_id,date,symptom_type,severity,scale_min,scale_max"
    command = ("manage.py", "forecast", "--series", str(source), "--output")
    two = "a,2026-01-01,worry,3,0,10\nb,2026-01-01,worry,3,0,10"
    source.write_text(f"{head}\n{two}\n", encoding="utf-8")
    output.mkdir()
    installation.run(*command, str(output), code=1)
    output.rmdir()
    source.write_text(f"{head}\nc,2026-01-01,worry,9,0,10\n", encoding="utf-8")
    installation.run(*command, str(output))
    assert {row["patient_id"] for row in rows_of(output)} == {"c"}


def test_a_file_leaves_one_audit_row_and_stores_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "diary.csv"
    source.write_text(
        "patient_id,date,symptom_type,severity\na,2026-01-01,worry,3\n",
        encoding="utf-8",
    )
    installation.manage(
        "forecast", "--series", str(source), "--output", str(tmp_path / "out.csv")
    )
    counted = installation.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from backend.audit.models import AccessEvent as A;"
        "from backend.people.models import Patient as P;"
        "print(A.objects.filter(action='FILE').count(), P.objects.count())",
    )
    assert counted.split() == ["1", "0"]


def test_a_file_that_is_no_diary_is_refused_by_name(
    installation: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "diary.csv"
    source.write_text("patient_id,date\na,2026-01-01\n", encoding="utf-8")
    done = installation.run(
        "manage.py",
        "forecast",
        "--series",
        str(source),
        "--output",
        str(tmp_path / "out.csv"),
        code=1,
    )
    assert "columns missing: symptom_type, severity" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_folder_for_the_output_is_an_error_and_no_traceback(
    installation: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "diary.csv"
    source.write_text(
        "patient_id,date,symptom_type,severity\na,2026-01-01,worry,3\n",
        encoding="utf-8",
    )
    output = str(tmp_path / "no" / "out.csv")
    command = ("manage.py", "forecast", "--series", str(source), "--output", output)
    done = installation.run(*command, code=1)
    assert "Traceback" not in done.stderr
    assert "No such file" in done.stderr
