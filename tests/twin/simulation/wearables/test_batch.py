"""Whole patients: what a regression that knows the lags finds is the truth."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.batch import draw_shape, simulate_wearables
from backend.twin.simulation.wearables.family import PLAIN, WIDE, Family
from tests.twin.simulation.wearables.oracle import (
    NOTHING,
    QUIET,
    all_recovered,
    asked,
    profile,
    simulated,
    slope,
)

NO_LINKS = replace(QUIET, link_prior=NOTHING)


def test_the_same_generator_gives_the_same_patients() -> None:
    one, two, other = (simulated(WIDE, 5, (21, 2, 2), seed) for seed in (1, 1, 2))
    for field in fields(one)[:-1]:
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(two, field.name)
        )
    np.testing.assert_array_equal(one.truth.weight, two.truth.weight)
    assert not np.array_equal(one.values, other.values)


@pytest.mark.parametrize("family", [WIDE, PLAIN])
@pytest.mark.parametrize("shape", [(21, 1, 1), (30, 12, 6), (120, 4, 4)])
def test_shapes(family: Family, shape: tuple[int, int, int]) -> None:
    days, biometrics, symptoms = shape
    batch = simulated(family, 7, shape)
    assert batch.values.shape == (7, biometrics, 24 * days + 72)
    assert batch.answers.shape == (7, symptoms, batch.times.shape[1])
    assert batch.values.dtype == batch.answers.dtype == np.float32
    assert batch.start.dtype == np.dtype("datetime64[s]")
    assert batch.truth.weight.shape == (7, biometrics, symptoms)
    assert set(batch.worse_when.ravel()) <= {1, 0, -1}
    assert np.isfinite(batch.values).any(2).all()


def test_drawn_shapes_are_those_of_the_family() -> None:
    rng = np.random.default_rng(1)
    drawn = np.array([draw_shape(rng, WIDE) for _ in range(2000)])
    np.testing.assert_array_equal(drawn.min(0), [21, 1, 1])
    np.testing.assert_array_equal(drawn.max(0), [120, 12, 6])
    days = {draw_shape(rng, PLAIN)[1:] for _ in range(50)}
    assert days == {(4, 4)}


def test_a_batch_may_have_nobody_in_particular() -> None:
    # one patient, one biometric that follows its one symptom: no links are left
    batch = simulated(replace(WIDE, reverse=1.0), 1, (21, 1, 1))
    assert np.isnan(batch.truth.weight).all()
    assert np.isfinite(batch.truth.reverse_weight).all()


@pytest.mark.parametrize(
    ("changed", "low", "high"),
    [
        ({}, 0.97, 1.03),
        ({"daily": 1.0, "daily_pure": 1.0}, 0.95, 1.05),
        ({"spread_links": 1.0}, 0.9, 1.1),
        ({"threshold_links": 1.0}, 0.93, 1.07),
        ({"regime_links": 1.0}, 0.93, 1.07),
        ({"clock_change": 1.0}, 0.9, 1.03),
        ({"sensor_noise": (0.6, 0.6)}, 0.88, 0.97),  # the truth is without it
    ],
)
def test_true_weights_are_what_a_regression_at_the_lag_finds(
    changed: dict[str, float], low: float, high: float
) -> None:
    family = replace(QUIET, **changed)
    batch = simulated(family)
    if family.clock_change:  # the hour that spring skips
        batch.values[np.isnan(batch.values)] = 0
        batch.answers[np.isnan(batch.answers)] = 5
    found = all_recovered(batch)
    assert len(found) > 80
    assert low < slope(found) < high
    assert (np.sign(found[:, 0]) == np.sign(found[:, 1])).mean() > 0.95


def test_true_lags_are_where_correlations_are_largest() -> None:
    batch = simulated(replace(QUIET, weight=(0.5, 0.6)))
    pairs = np.argwhere(np.isfinite(batch.truth.weight))
    wrong = [
        abs(np.abs(profile(batch, tuple(pair))).argmax() - batch.truth.lag[tuple(pair)])
        for pair in pairs
    ]
    assert len(wrong) > 50
    assert np.median(wrong) <= 1
    assert np.mean(np.array(wrong) <= 2) > 0.9


def test_truth_has_weight_lag_and_width_together() -> None:
    truth = simulated(WIDE, 300, (21, 4, 3)).truth
    linked = np.isfinite(truth.weight)
    for other in (truth.lag, truth.width):
        np.testing.assert_array_equal(np.isfinite(other), linked)
    assert 0 <= truth.lag[linked].min() < truth.lag[linked].max() <= 72
    assert set(truth.width[linked]) == {3, *range(7, 24, 2)}
    followed = np.isfinite(truth.reverse_weight)
    np.testing.assert_array_equal(np.isfinite(truth.reverse_lag), followed)
    assert not (linked & followed).any()
    assert not linked.any(2)[followed.any(2)].any()
    assert (truth.reverse_lag[followed] < 0).all()
    assert followed.any((1, 2)).mean() == pytest.approx(0.15, abs=0.06)
    assert truth.prior.shape == (300,)


def largest_correlations(family: Family) -> np.ndarray:
    """Of each of 800 patients without links, whatever the lag."""
    batch = simulated(family, 800, (60, 1, 1))
    assert np.isnan(batch.truth.weight).all()
    rows = [profile(batch, (row, 0, 0)) for row in range(800)]
    return np.abs(rows).max(1)


@pytest.fixture(scope="module")
def by_chance() -> np.ndarray:
    return largest_correlations(NO_LINKS)


@pytest.mark.parametrize(
    "changed",
    [
        {"hidden": 1, "hidden_size": (0.5, 0.5), "hidden_tau": (24, 24)},
        {"drift": 1, "drift_size": (0.5, 0.5)},
        {"event": 1},
        {"trend": 0.6},
    ],
)
def test_confounders_correlate_without_being_links(
    by_chance: np.ndarray, changed: dict[str, float]
) -> None:
    # the same patients with and without: all else is drawn alike
    more = largest_correlations(replace(NO_LINKS, **changed)) - by_chance
    assert more.mean() > 3 * more.std() / np.sqrt(len(more))


@pytest.mark.parametrize("daily", [0, 1])
def test_a_biometric_that_follows_does_so_at_its_lag(daily: int) -> None:
    family = replace(NO_LINKS, reverse=1, daily=daily, daily_pure=1.0)
    batch = simulated(family, 80, (90, 1, 1))
    found = []
    for patient in range(80):
        hours = asked(batch, patient)
        later = hours - int(batch.truth.reverse_lag[patient, 0, 0])
        inside = later < batch.values.shape[2]
        seen = batch.values[patient, 0]
        seen = (seen - seen.mean()) / seen.std()
        said = batch.answers[patient, 0, : len(hours)]
        both = np.corrcoef(said[inside], seen[later[inside]])[0, 1]
        found.append([both, batch.truth.reverse_weight[patient, 0, 0]])
    assert slope(np.array(found)) > 0.5  # noise within the 3 hours is not followed
    assert np.corrcoef(np.array(found).T)[0, 1] > 0.8


def test_what_comes_once_a_day_stands_at_waking_or_midnight() -> None:
    family = replace(WIDE, daily=1, once_a_day=1, clock_change=0)
    batch = simulated(family, 200, (30, 2, 1))
    there = np.isfinite(batch.values).reshape(200, 2, -1, 24)
    hours = there.any(2).sum(2)
    assert hours.max() == 1
    assert hours.mean() > 0.9  # the others never wear it at night
    hour = there.any(2).argmax(2)
    night = batch.nightly
    assert batch.daily.all()
    assert set(hour[~night]) == {0}
    assert set(hour[night]) == {0, *range(5, 11)}
    assert there.sum(axis=(2, 3)).mean() > 15


def test_what_stands_for_a_day_may_come_by_the_hour() -> None:
    batch = simulated(replace(QUIET, daily=1, daily_pure=1.0), 20, (30, 2, 1))
    assert batch.daily.all()
    assert not batch.nightly.any()
    changes = np.diff(batch.values, axis=2) != 0
    assert changes.sum(2).max() <= 33
    assert changes.sum(2).min() >= 30


def test_missing_shares_of_the_wide_family_reach_as_far_as_said() -> None:
    hourly = replace(WIDE, daily=0, night_only=0)
    missing = np.isnan(simulated(hourly, 400, (30, 2, 1)).values).mean(2)
    assert 0.15 < missing.mean() < 0.4
    assert np.quantile(missing, 0.99) > 0.5


def test_a_patient_costs_little() -> None:
    # 200,000 in training: numbers per patient, not a clock, bound what is drawn
    rng = np.random.default_rng(1)
    batch = simulate_wearables(rng, WIDE, people=50, shape=(90, 4, 4))
    assert batch.values.nbytes + batch.answers.nbytes < 50 * 120_000
