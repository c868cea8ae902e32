"""A simulated patient as the correlation service gets one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.batch import WearableBatch
from backend.twin.simulation.wearables.family import WIDE
from backend.twin.simulation.wearables.kinds import KINDS
from backend.twin.simulation.wearables.windows import SYMPTOMS, WORSE, window_of
from tests.twin.simulation.wearables.oracle import simulated

DAYS = 30


@pytest.fixture(scope="module")
def batch() -> WearableBatch:
    return simulated(replace(WIDE, item_left_out=1), 20, (DAYS, 3, 6))


def test_a_window_spans_history_and_reports(batch: WearableBatch) -> None:
    for patient in range(20):
        window = window_of(batch, patient)
        day = np.timedelta64(86400, "s")
        assert window.history_from == batch.start[patient]
        assert window.reports_from - window.history_from == 3 * day
        assert window.until - window.reports_from == DAYS * day
        assert window.max_lag_hours == 72
        for stream in window.biometrics:
            assert (np.diff(stream.times) > np.timedelta64(0, "s")).all()
            assert window.history_from <= stream.times[0]
            assert stream.times[-1] < window.until
        for stream in window.symptoms:
            assert (np.diff(stream.times) > np.timedelta64(0, "s")).all()
            half = np.timedelta64(1800, "s")  # reports belong to the nearest hour
            assert window.reports_from - half <= stream.times[0]
            assert stream.times[-1] < window.until


def test_biometrics_carry_name_unit_and_only_what_was_measured(
    batch: WearableBatch,
) -> None:
    for patient in range(20):
        streams = window_of(batch, patient).biometrics
        kinds = [KINDS[number] for number in batch.kinds[patient]]
        assert [s.name for s in streams] == [kind.name for kind in kinds]
        assert [s.unit for s in streams] == [kind.unit for kind in kinds]
        assert [s.nightly for s in streams] == list(batch.nightly[patient])
        for stream, row in zip(streams, batch.values[patient], strict=True):
            assert stream.values.dtype == float
            np.testing.assert_array_equal(stream.values, row[np.isfinite(row)])
            hour = (stream.times - batch.start[patient]).astype(int) / 3600
            np.testing.assert_array_equal(hour, np.flatnonzero(np.isfinite(row)))


def test_symptoms_carry_answers_at_their_times(batch: WearableBatch) -> None:
    for patient in range(20):
        streams = window_of(batch, patient).symptoms
        assert tuple(s.name for s in streams) == SYMPTOMS
        for number, stream in enumerate(streams):
            row = batch.answers[patient, number]
            there = np.isfinite(row)
            np.testing.assert_array_equal(stream.values, row[there])
            hour = (stream.times - batch.start[patient]).astype(int) / 3600
            np.testing.assert_allclose(hour, batch.times[patient][there], atol=1e-6)
            assert stream.worse_when == WORSE[int(batch.worse_when[patient, number])]
