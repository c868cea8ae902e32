"""Training windows: as the service would cut them, with the days that followed."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.features import HISTORY_FEATURES, MIN_ENTRIES
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts import datasets
from export_scripts.datasets import (
    CHUNK,
    TARGET_LIMIT,
    joined,
    level_weights,
    origin,
    quantile_loss,
    simulated_windows,
    take,
)


def test_windows_are_as_many_as_asked_across_chunks() -> None:
    windows = simulated_windows(np.random.default_rng(1), CHUNK + 5)
    assert windows.target.shape == (CHUNK + 5, HORIZON + 1)
    assert {len(array) for array in windows.arrays} == {CHUNK + 5}
    assert len(windows.width) == CHUNK + 5


def test_windows_end_with_an_entry_and_have_enough() -> None:
    history = simulated_windows(np.random.default_rng(2), 200).arrays.history
    assert history[:, -1, 1].all()
    assert (history[..., 1].sum(1) >= MIN_ENTRIES).all()


def test_what_followed_is_near_what_was_seen() -> None:
    """Targets are in the window's own z units: most lie within two of the mean."""
    windows = simulated_windows(np.random.default_rng(3), 1000)
    assert np.abs(windows.target).max() <= TARGET_LIMIT
    assert 0.6 < np.median(np.abs(windows.target)) * 1.48 < 1.4
    assert (windows.width > 1).all()


def test_the_last_target_is_the_mean_of_the_days() -> None:
    target = simulated_windows(np.random.default_rng(5), 100).target
    days, mean = target[:, :HORIZON], target[:, HORIZON]
    np.testing.assert_allclose(mean, days.mean(1), atol=1e-5)
    assert mean.std() < days.std()


def test_some_windows_have_a_change_of_treatment() -> None:
    history = simulated_windows(np.random.default_rng(6), 500).arrays.history
    changed = history[..., HISTORY_FEATURES.index("treatment")].any(1)
    assert 0.01 < changed.mean() < 0.5


def test_joined_windows_stand_one_after_the_other() -> None:
    one, two = (simulated_windows(np.random.default_rng(s), 4) for s in (7, 8))
    both = joined([one, two])
    np.testing.assert_array_equal(take(both, slice(0, 4)).target, one.target)
    np.testing.assert_array_equal(take(both, slice(4, 8)).width, two.width)


def test_the_same_generator_gives_the_same_windows() -> None:
    one, two = (simulated_windows(np.random.default_rng(9), 20) for _ in range(2))
    np.testing.assert_array_equal(one.arrays.features, two.arrays.features)
    np.testing.assert_array_equal(one.target, two.target)


def test_take_keeps_rows_together() -> None:
    windows = simulated_windows(np.random.default_rng(4), 10)
    part = take(windows, np.array([7, 2]))
    np.testing.assert_array_equal(part.target, windows.target[[7, 2]])
    np.testing.assert_array_equal(part.arrays.mean, windows.arrays.mean[[7, 2]])


def test_level_weights_share_out_the_whole_probability() -> None:
    weights = level_weights()
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights, weights[::-1])
    assert weights[0] == pytest.approx((0.025 + 0.1) / 2)


def test_quantile_loss_of_a_point_is_the_absolute_error_weighted() -> None:
    """All quantiles at 0 and an outcome of 2: twice the levels' mean times 2."""
    loss = quantile_loss(np.zeros((1, 1, len(LEVELS))), np.array([[2.0]]))
    expected = 2 * 2 * (np.asarray(LEVELS) * level_weights()).sum()
    assert loss[0, 0] == pytest.approx(expected)
    assert quantile_loss(np.full((1, 1, 11), 2.0), np.array([[2.0]]))[0, 0] == 0


def test_the_origin_is_of_what_makes_the_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = origin()
    assert before == origin()
    monkeypatch.setattr(datasets, "schema_hash", lambda: "other features")
    assert origin() != before
