"""Forecasts for a whole diary file: CSV in, CSV out, nothing stored.

One row per patient, symptom and future day with the eleven quantiles. The output grows
beside its final name (`.part`) and takes it at the end; a run that was cut off goes on
where it stopped, patient by patient. A note beside it (`.part.json`) says what the rows
come from; where that differs, or is not known, the run starts over.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.jobs.diary import Diary, Symptom
from backend.predictions.digests import digest_of_models
from backend.twin import features
from backend.twin.ensemble import AskAll
from backend.twin.forecast import CALCULATION, forecast_all
from backend.twin.record import PatientRecord
from backend.twin.trajectory import LEVELS, Forecast, ModelUse

COLUMNS = (
    "patient_id",
    "symptom_type",
    "date",
    "day",
    *(f"q{level:g}" for level in LEVELS),
    "method",
    "reliability",
    "scale_min",
    "scale_max",
    "scale_source",
)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Whom to ask and how much each answer weighs."""

    ask_all: AskAll
    weights: Mapping[str, float]
    uses: Mapping[str, ModelUse]


def write_forecasts(diary: Diary, output: Path, *, ensemble: Ensemble) -> Iterator[str]:
    """Write the file; yields each patient's label when its rows are on disk."""
    part = output.with_name(f"{output.name}.part")
    note = output.with_name(f"{output.name}.part.json")
    _start_over_unless(part, note, origin=_origin(diary, ensemble))
    done = _finished(part)
    with part.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(COLUMNS)
        for patient, record in sorted(diary.patients.items()):
            if patient not in done:
                writer.writerows(_rows(patient, record, diary, ensemble))
                file.flush()
            yield patient
    part.replace(output)
    note.unlink()


def _origin(diary: Diary, ensemble: Ensemble) -> dict[str, str | int]:
    """What the rows come from: the input, the approved models, the arithmetic."""
    return {
        "input": diary.sha256,
        "models": digest_of_models(ensemble.uses.values()),
        "calculation": CALCULATION,
    }


def _start_over_unless(
    part: Path, note: Path, *, origin: Mapping[str, str | int]
) -> None:
    """Drop what another run left behind; rows of two origins never share a file."""
    text = json.dumps(origin)
    if note.exists() and note.read_bytes() == text.encode():
        return
    part.unlink(missing_ok=True)  # first: a note never vouches for another's rows
    note.write_text(text, encoding="utf-8")


def _finished(part: Path) -> set[str]:
    """Patients whose rows are complete; a torn last patient is cut off and redone."""
    if not part.exists():
        return set()
    with part.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == len(COLUMNS)]
    last = rows[-1][0] if len(rows) > 1 else ""
    kept = [row for row in rows if row[0] != last]
    with part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(kept)
    return {row[0] for row in kept[1:]}


def _rows(
    patient: str, record: PatientRecord, diary: Diary, ensemble: Ensemble
) -> Iterator[list[object]]:
    last = max(series.entries[-1].day for series in record.series)
    forecasts = forecast_all(
        [features.forecast_window(series, last) for series in record.series],
        ask_all=ensemble.ask_all,
        weights=ensemble.weights,
        uses=ensemble.uses,
        as_of=last,
    )
    for forecast in forecasts:
        yield from _days(patient, forecast, diary.symptoms[forecast.scale.key])


def _days(patient: str, forecast: Forecast, symptom: Symptom) -> Iterator[list[object]]:
    rows = zip(forecast.days, forecast.quantiles, strict=True)
    for number, (day, quantiles) in enumerate(rows, start=1):
        yield [
            patient,
            symptom.name,
            day.isoformat(),
            number,
            *(f"{value:.12g}" for value in quantiles),
            forecast.method,
            forecast.grade.value,
            f"{forecast.scale.low:.12g}",
            f"{forecast.scale.high:.12g}",
            symptom.scale_source,
        ]
