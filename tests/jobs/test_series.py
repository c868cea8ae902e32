from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from backend.jobs import series
from backend.jobs.diary import read_diary
from backend.jobs.series import Ensemble, write_forecasts
from backend.twin.ensemble import Answer
from backend.twin.ports import Arrays
from backend.twin.trajectory import HORIZON, LEVELS, ModelUse

TODAY = date(2026, 6, 1)

MODEL = "symptom_xgboost"
USE = ModelUse(MODEL, 1, "a" * 64, "production", 1.0)


@dataclass
class Shifted:
    """A model whose answer is the person's mean, moved by `shift` standard deviations.

    `asked` counts the people it was asked for.
    """

    shift: float = 0.0
    asked: int = 0

    def __call__(self, inputs: Mapping[str, Arrays]) -> Mapping[str, Answer]:
        self.asked += 1
        rows = len(inputs[MODEL]["anchor"])
        return {MODEL: np.full((rows, HORIZON + 1, len(LEVELS)), self.shift)}


def diary_file(folder: Path, name: str, *, level: int) -> Path:
    """Three people's twenty days, around `level`, on a scale of 0 to 10."""
    lines = [
        f"{person},2026-01-{day:02},worry,{level + day % 3},0,10"
        for person in "abc"
        for day in range(1, 21)
    ]
    head = "patient_id,date,symptom_type,severity,scale_min,scale_max"
    file = folder / name
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return file


def run(
    source: Path,
    output: Path,
    *,
    model: Shifted,
    use: ModelUse = USE,
    people: int | None = None,
) -> None:
    """A whole run, or one that is cut off after so many people."""
    ensemble = Ensemble(model, {MODEL: 1.0}, {MODEL: use})
    steps = write_forecasts(read_diary(source, today=TODAY), output, ensemble=ensemble)
    for done, _ in enumerate(steps, start=1):
        if done == people:
            steps.close()  # type: ignore[attr-defined]
            return


def medians(file: Path) -> dict[str, float]:
    with file.open(newline="", encoding="utf-8") as text:
        return {row["patient_id"]: float(row["q0.5"]) for row in csv.DictReader(text)}


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    source = diary_file(tmp_path, "one.csv", level=2)
    output = tmp_path / "out.csv"
    first, second = Shifted(), Shifted()
    run(source, output, model=first, people=2)
    assert not output.exists()
    run(source, output, model=second)
    assert (first.asked, second.asked) == (2, 2)  # the last one may be torn: redone
    assert list(medians(output)) == ["a", "b", "c"]
    assert {path.name for path in tmp_path.iterdir()} == {"one.csv", "out.csv"}


@pytest.mark.parametrize("other", ["input", "models", "calculation", "unknown", "torn"])
def test_rows_of_another_run_are_never_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    source = diary_file(tmp_path, "one.csv", level=2)
    output, note = tmp_path / "out.csv", tmp_path / "out.csv.part.json"
    run(source, output, model=Shifted(), people=2)
    again, use = Shifted(shift=1.0), USE
    if other == "input":
        source = diary_file(tmp_path, "one.csv", level=7)
    elif other == "models":
        use = replace(USE, sha256="b" * 64)
    elif other == "calculation":
        monkeypatch.setattr(series, "CALCULATION", -1)
    elif other == "unknown":
        note.unlink()
    else:
        note.write_bytes(note.read_bytes()[:-9] + b"\xff")
    run(source, output, model=again, use=use)
    assert again.asked == 3
    assert len(set(medians(output).values())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"one.csv", "out.csv"}


def test_a_note_without_rows_starts_from_the_first_person(tmp_path: Path) -> None:
    source = diary_file(tmp_path, "one.csv", level=2)
    output = tmp_path / "out.csv"
    run(source, output, model=Shifted(), people=2)
    (tmp_path / "out.csv.part").unlink()
    model = Shifted()
    run(source, output, model=model)
    assert model.asked == 3
