"""Simulated patients one by one, as the correlation service would get them."""

from __future__ import annotations

import numpy as np

from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
    WorseWhen,
)
from backend.twin.simulation.wearables.batch import WearableBatch
from backend.twin.simulation.wearables.family import MAX_LAG
from backend.twin.simulation.wearables.kinds import KINDS

SYMPTOMS = ("anxiety", "low-mood", "fatigue", "irritability", "stress", "pain")
WORSE: dict[int, WorseWhen | None] = {1: "high", -1: "low", 0: None}
MINUTE = np.timedelta64(60, "s")


def window_of(batch: WearableBatch, patient: int) -> CorrelationWindow:
    """The streams of one patient of the batch; its truth is `batch.truth` at that row.

    Biometrics and symptoms are in the batch's order. What was not measured or not
    answered is absent.
    """
    start = batch.start[patient]
    hours = batch.values.shape[2]
    clock = start + 60 * MINUTE * np.arange(hours)
    times = batch.times[patient]
    times = start + MINUTE * np.rint(60 * times[np.isfinite(times)]).astype(int)
    return CorrelationWindow(
        tuple(
            _biometric(batch, patient, row, clock)
            for row in range(batch.values.shape[1])
        ),
        tuple(
            _symptom(batch, patient, row, times)
            for row in range(batch.answers.shape[1])
        ),
        history_from=clock[0],
        reports_from=clock[MAX_LAG],
        until=clock[-1] + 60 * MINUTE,
        max_lag_hours=MAX_LAG,
    )


def _biometric(
    batch: WearableBatch, patient: int, row: int, clock: np.ndarray
) -> BiometricStream:
    kind = KINDS[batch.kinds[patient, row]]
    values = batch.values[patient, row]
    there = np.isfinite(values)
    return BiometricStream(
        kind.name,
        clock[there],
        values[there].astype(float),
        nightly=bool(batch.nightly[patient, row]),
        unit=kind.unit,
    )


def _symptom(
    batch: WearableBatch, patient: int, row: int, times: np.ndarray
) -> SymptomStream:
    answers = batch.answers[patient, row, : len(times)]
    there = np.isfinite(answers)
    return SymptomStream(
        SYMPTOMS[row],
        times[there],
        answers[there].astype(float),
        worse_when=WORSE[int(batch.worse_when[patient, row])],
    )
