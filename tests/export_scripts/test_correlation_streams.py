"""Aligned raw streams: masks, the local clock, units, and the truth that goes along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.model_inputs import BIOMETRICS
from backend.twin.simulation.wearables.batch import WearableBatch, simulate_wearables
from backend.twin.simulation.wearables.family import PLAIN
from export_scripts.correlation_streams import BIN, aligned, drawn, people_for

TIME = 60
BINS = (30 * 24 + 72) // BIN


@pytest.fixture(scope="module")
def batch() -> WearableBatch:
    rng = np.random.default_rng(1)
    return simulate_wearables(rng, PLAIN, people=2, shape=(30, 4, 3))


def test_streams_are_aligned_at_their_end(batch: WearableBatch) -> None:
    found = aligned(batch, BINS + 5)
    assert found["streams"].shape == (6, 2 * BIOMETRICS, BINS + 5)
    assert found["reports"].shape == (6, 2, BINS + 5)
    streams = found["streams"].reshape(2, 3, BIOMETRICS, 2, -1)
    np.testing.assert_array_equal(streams[:, 0], streams[:, 2])
    assert not streams[..., :5].any()
    assert not streams[:, :, 4:].any()
    hours = np.rint(batch.times[1][np.isfinite(batch.times[1])]).astype(int)
    told = np.flatnonzero(found["reports"][3, 1, 5:])
    np.testing.assert_array_equal(told, np.unique(hours // BIN))


def test_what_was_not_measured_is_marked_and_moves_nothing(
    batch: WearableBatch,
) -> None:
    """A gap is no zero: the mean over what was measured is 0, its spread 1."""
    found = aligned(batch, BINS)["streams"].reshape(2, 3, BIOMETRICS, 2, -1)
    z, there = found[:, 0, :4, 0].astype(float), found[:, 0, :4, 1]
    worn = np.isfinite(batch.values).reshape(2, 4, BINS, BIN).any(3)
    np.testing.assert_array_equal(there, worn)
    assert 0.5 < worn.mean() < 1
    assert not z[~worn].any()
    count = worn.sum(2)
    np.testing.assert_allclose(z.sum(2) / count, 0, atol=1e-5)
    np.testing.assert_allclose((z**2).sum(2) / count, 1, atol=1e-4)


def test_another_unit_changes_nothing(batch: WearableBatch) -> None:
    other = replace(batch, values=batch.values * 60 + 7, answers=batch.answers * 10)
    for name, array in aligned(batch, BINS).items():
        np.testing.assert_allclose(aligned(other, BINS)[name], array, atol=2e-3)


def test_a_long_record_keeps_its_last_days(batch: WearableBatch) -> None:
    whole, cut = aligned(batch, BINS), aligned(batch, 100)
    np.testing.assert_array_equal(cut["streams"][:, 1], whole["streams"][:, 1, -100:])


def test_a_report_at_the_very_end_counts_in_the_last_hour(batch: WearableBatch) -> None:
    times = batch.times.copy()
    last = int(np.isfinite(times[0]).sum()) - 1
    times[0, last] = batch.values.shape[2] - 0.1
    found = aligned(replace(batch, times=times), BINS)
    assert found["reports"][0, 1, -1] == np.isfinite(batch.answers[0, 0, last])


def test_rows_come_with_their_truth() -> None:
    inputs, truth = drawn(np.random.default_rng(2), 7, TIME)
    assert {len(array) for array in (*inputs.values(), *truth.values())} == {7}
    there = inputs["streams"].reshape(7, BIOMETRICS, 2, TIME)[:, :, 1].any(2)
    assert not (truth["linked"].astype(bool) & ~there).any()


@pytest.mark.parametrize(("count", "people"), [(1, 1), (3, 1), (4, 2), (6, 2)])
def test_enough_people_are_drawn(count: int, people: int) -> None:
    assert people_for(count, (30, 2, 3)) == people
