"""Simulated diaries look like published ones, and stay the same people."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation.diaries import (
    ONE_ITEM_ABSENT,
    Diaries,
    simulate_diaries,
)


@pytest.fixture(scope="module")
def diaries() -> Diaries:
    return simulate_diaries(np.random.default_rng(4), people=3000, days=100)


@pytest.fixture(scope="module")
def several() -> Diaries:
    rng = np.random.default_rng(5)
    return simulate_diaries(rng, people=800, symptoms=4, days=100)


def test_the_same_generator_gives_the_same_people() -> None:
    one, two, other = (
        simulate_diaries(np.random.default_rng(seed), people=5, symptoms=2, days=30)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.reported, two.reported)
    np.testing.assert_array_equal(one.changes, two.changes)
    assert not np.array_equal(one.complete, other.complete)


def test_axes_are_person_symptom_and_day(several: Diaries) -> None:
    assert several.complete.shape == several.reported.shape == (800, 4, 100)
    assert several.changes.shape == (800, 100)
    assert set(np.unique(several.changes)) == {-1.0, 0.0, 1.0}


@pytest.mark.parametrize("made", ["diaries", "several"])
def test_ratings_stay_on_the_scale_and_reports_are_of_them(
    request: pytest.FixtureRequest, made: str
) -> None:
    found: Diaries = request.getfixturevalue(made)
    assert found.complete.min() >= 0
    assert found.complete.max() <= 1
    seen = ~np.isnan(found.reported)
    np.testing.assert_array_equal(found.reported[seen], found.complete[seen])


def test_one_symptoms_diary_begins_with_an_entry(diaries: Diaries) -> None:
    assert not np.isnan(diaries.reported[:, :, 0]).any()


def test_missing_days_are_as_in_published_diaries(diaries: Diaries) -> None:
    """Between none and half of the days in most people."""
    missing = np.isnan(diaries.reported).mean((1, 2))
    assert 0.05 < np.median(missing) < 0.3
    assert np.quantile(missing, 0.9) < 0.6


def test_memory_is_as_in_published_diaries(diaries: Diaries) -> None:
    """Median autocorrelation of a day .09 to .32, of a week -.08 to .12."""
    days = diaries.complete[:, 0]
    whole = days - days.mean(1, keepdims=True)
    moving = whole.std(1) > 0.02
    medians = [
        np.median(
            (whole[:, lag:] * whole[:, :-lag]).mean(1)[moving] / whole.var(1)[moving]
        )
        for lag in (1, 7)
    ]
    assert 0.09 < medians[0] < 0.35
    assert -0.08 < medians[1] < 0.2


def test_some_people_sit_on_the_floor(diaries: Diaries) -> None:
    floor = (diaries.complete[:, 0] == 0).mean(1)
    assert np.median(floor) < 0.05
    assert 0.3 < np.quantile(floor, 0.95) <= 1.0


def correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Person by person; those who never move left out."""
    moving = (first.std(1) > 0.01) & (second.std(1) > 0.01)
    pairs = zip(first[moving], second[moving], strict=True)
    return np.array([np.corrcoef(one, two)[0, 1] for one, two in pairs])


def test_symptoms_of_one_person_move_together_or_against_each_other(
    several: Diaries,
) -> None:
    own = correlations(several.complete[:, 0], several.complete[:, 1])
    strangers = correlations(several.complete[1:, 0], several.complete[:-1, 1])
    assert np.median(np.abs(own)) > 1.5 * np.median(np.abs(strangers))
    assert (own > 0.3).mean() > 0.1
    assert (own < -0.3).mean() > 0.05  # energy falls as tension rises


def test_symptoms_of_one_person_are_left_out_together_but_for_a_few(
    several: Diaries,
) -> None:
    missing = np.isnan(several.reported)
    together = missing.all(1)
    alone = missing & ~together[:, None]
    answered = ~together
    assert together.mean() > 0.05
    share = alone.sum() / (4 * answered.sum())
    assert share == pytest.approx(ONE_ITEM_ABSENT, abs=0.003)


def test_a_change_of_treatment_moves_symptoms(several: Diaries) -> None:
    """From before it to a month later they move further than untreated ones do."""
    begun = (several.changes[:, 20:50] == 1).any(1)
    never = ~several.changes.any(1)
    before = several.complete[:, :, :20].mean(2)
    move = np.abs(several.complete[:, :, -20:].mean(2) - before)
    spread = several.complete.std(2).clip(0.02)
    moved = np.median(move / spread, axis=1)
    assert begun.sum() > 20
    assert moved[begun].mean() > 1.15 * moved[never].mean()
