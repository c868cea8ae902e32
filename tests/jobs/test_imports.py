"""What the report of an import says, and when its spool is taken away."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.jobs import imports
from backend.jobs.import_lines import SHOWN, lines
from backend.jobs.imports import Pulse, Report, reading, totals, write_json
from fhir_integration.files.importing import Options, Progress
from fhir_integration.files.listing import NothingToRead
from tests.fhir_integration.every_kind import consent
from tests.fhir_integration.made import observation

TODAY = date(2026, 3, 2)


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the spool lies in these tests."""
    monkeypatch.setattr(imports.wiring, "var", lambda: tmp_path / "var")
    return tmp_path / "var" / "imports"


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    twice = [observation(), observation(status="cancelled", id="o2"), {"a": 1}]
    text = "\n".join(json.dumps(one) for one in twice)
    (made / "a.ndjson").write_text(f"{text}\n{{torn\n{{torn\n", encoding="utf-8")
    (made / "b.json").write_text('{"a": 1, "a": 2}', encoding="utf-8")
    (made / "c.txt").write_text("no FHIR", encoding="utf-8")
    return made


def counted(path: Path) -> Report:
    with reading(
        path, today=TODAY, options=Options(), fresh=False, say=lambda _: None
    ) as report:
        return report


def test_the_report_adds_up_and_names_files_with_faults(
    tmp_path: Path, spool: Path
) -> None:
    report = counted(folder(tmp_path))
    text = list(lines(report))
    assert text[-1] == "6 resources: 1 used + 5 refused = 6"
    assert "2 files read, 1 patients" in text
    assert "  not read: 1 files .txt" in text
    assert "  a.ndjson: 2 not JSON" in text
    assert "  b.json: 1 names a key twice" in text
    assert "Refused:  1 cancelled, 3 malformed, 1 not-fhir" in text
    assert [line.split() for line in text if line.startswith("  phq9")] == [
        ["phq9", "1", "1"]
    ]
    assert totals(report) == {"files": 2, "patients": 1, "resources": 6, "used": 1}
    assert list(spool.iterdir()) == []


def test_of_many_files_with_faults_some_are_named(tmp_path: Path, spool: Path) -> None:
    for number in range(SHOWN + 3):
        (tmp_path / f"{number:02}.json").write_bytes(b"[")
    assert "  and 3 more files with faults" in list(lines(counted(tmp_path)))


def test_the_report_is_written_as_data(tmp_path: Path, spool: Path) -> None:
    report = counted(folder(tmp_path))
    write_json(report, tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_bytes())
    assert read == report.as_json()
    assert read["types"]["Observation"] == {"used": 1, "refused": {"cancelled": 1}}
    assert read["faults"] == {
        "a.ndjson": {"not JSON": 2},
        "b.json": {"names a key twice": 1},
    }
    assert read["files"] == {
        "read": 2,
        "not_read": {".txt": 1},
        "could_not_be_read": {},
    }
    assert read["refused_by_file"] == {
        "a.ndjson": {"cancelled": 1, "malformed": 2, "not-fhir": 1},
        "b.json": {"malformed": 1},
    }
    assert read["refused_at"] == {
        "cancelled": ["a.ndjson:2"],
        "malformed": ["a.ndjson:4", "a.ndjson:5", "b.json:1"],
        "not-fhir": ["a.ndjson:3"],
    }


def test_a_report_that_was_not_given_is_counted_again(
    tmp_path: Path, spool: Path
) -> None:
    path, said = folder(tmp_path), []
    with (
        pytest.raises(OSError, match="no space"),
        reading(
            path, today=TODAY, options=Options(), fresh=False, say=said.append
        ) as first,
    ):
        raise OSError("no space")
    assert len(list(spool.iterdir())) == 1
    with reading(
        path, today=TODAY, options=Options(), fresh=False, say=said.append
    ) as second:
        assert second == first
    assert said == ["   going on where the last run of these files stopped"]
    assert list(spool.iterdir()) == []


def test_places_are_named_for_each_reason_that_is_not_usual(
    tmp_path: Path, spool: Path
) -> None:
    text = list(lines(counted(folder(tmp_path))))
    at = text.index("Refused:  1 cancelled, 3 malformed, 1 not-fhir")
    assert text[at + 1 : -1] == [
        "  cancelled: a.ndjson:2",
        "  malformed: a.ndjson:4, a.ndjson:5, b.json:1",
        "  not-fhir: a.ndjson:3",
    ]
    (tmp_path / "files" / "d.json").write_bytes(b"{torn")
    again = list(lines(counted(tmp_path / "files")))
    assert "  malformed: a.ndjson:4, a.ndjson:5, b.json:1 and 1 more" in again


def test_what_could_not_be_read_is_named(tmp_path: Path, spool: Path) -> None:
    path = folder(tmp_path)
    for number in range(SHOWN + 2):
        (path / f"z{number:02}.json").symlink_to(path / "nowhere")
    text = list(lines(counted(path)))
    assert "  not read: z00.json: a link that leads nowhere" in text
    assert "  and 2 more that could not be read" in text


def test_closed_records_are_said(tmp_path: Path, spool: Path) -> None:
    path = tmp_path / "a.ndjson"
    made = [observation(), consent("k1", "deny")]
    path.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    text = "\n".join(lines(counted(path)))
    assert "1 patients are labelled as restricted or deny by a consent" in text
    assert "--into-sandbox puts it in all the same" in text
    assert "Refused:  1 restricted" in text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([observation()], ["1 resources: 1 used + 0 refused = 1 (none)"]),
        ([{"resourceType": "MedicationOrder"}], [
            "1 resources: 0 used + 1 refused = 1 (1 wrong-fhir-version)",
            "nothing could be read: wrong FHIR version, only R4 is read",
        ]),
    ],
)  # fmt: skip
def test_an_outcome_is_a_line_or_two(
    tmp_path: Path, spool: Path, made: list[dict[str, Any]], said: list[str]
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    assert imports.outcome(path, today=TODAY) == said


def test_nothing_to_read_is_said(tmp_path: Path, spool: Path) -> None:
    with pytest.raises(NothingToRead):
        counted(tmp_path / "nowhere")


def test_progress_comes_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    monkeypatch.setattr(imports.time, "monotonic", lambda: at[0])
    said: list[str] = []
    pulse = Pulse(said.append)
    for tenths in range(25):
        at[0] = tenths / 10
        pulse(Progress("reading", 1, 3, 10 * tenths))
    assert said == [
        "   reading: 1 of 3 files, 100 resources, 100 a second",
        "   reading: 1 of 3 files, 200 resources, 100 a second",
    ]
