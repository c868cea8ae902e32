"""Forecasts for a whole diary file: CSV in, CSV out, nothing stored.

One row per patient, symptom and future day with the eleven quantiles. The output grows
beside its final name and takes it at the end; a run that was cut off goes on where it
stopped, patient by patient.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.jobs.diary import Diary, Symptom
from backend.twin import features
from backend.twin.forecast import AskAll, forecast_all
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
            *(f"{value:.6g}" for value in quantiles),
            forecast.method,
            forecast.grade.value,
            f"{forecast.scale.low:g}",
            f"{forecast.scale.high:g}",
            symptom.scale_source,
        ]
