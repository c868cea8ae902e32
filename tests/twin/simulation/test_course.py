"""How simulated people are, day by day: reproducible, with memory, of several kinds."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation import course
from backend.twin.simulation.course import KINDS, autoregression, simulate_course, some

PEOPLE, DAYS = 4000, 120


@pytest.fixture(scope="module")
def courses() -> np.ndarray:
    return simulate_course(np.random.default_rng(4), count=PEOPLE, days=DAYS)


def test_the_same_generator_gives_the_same_courses() -> None:
    one, two, other = (
        simulate_course(np.random.default_rng(seed), count=9, days=30)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    assert one.shape == (9, 30)


def test_two_days_are_course_enough() -> None:
    found = simulate_course(np.random.default_rng(1), count=40, days=2)
    assert found.shape == (40, 2)
    assert np.isfinite(found).all()


def test_kinds_of_people_are_shares_of_one() -> None:
    assert sum(KINDS) == pytest.approx(1.0)


def test_courses_are_finite_and_vary_by_about_their_own_unit(
    courses: np.ndarray,
) -> None:
    assert np.isfinite(courses).all()
    assert 0.8 < np.median(courses.std(1)) < 1.6
    assert np.quantile(courses.std(1), 0.05) > 0.3


def test_days_remember_a_little_and_people_differ(courses: np.ndarray) -> None:
    z = courses - courses.mean(1, keepdims=True)
    lag1 = (z[:, 1:] * z[:, :-1]).mean(1) / z.var(1)
    assert 0.15 < np.median(lag1) < 0.5
    assert np.quantile(lag1, 0.9) - np.quantile(lag1, 0.1) > 0.3


def test_a_new_diary_starts_high(courses: np.ndarray) -> None:
    start, later = courses[:, 0].mean(), courses[:, 21:28].mean()
    assert start - later > 0.1


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_an_autoregression_keeps_what_it_is_told_and_has_variance_one(
    kept: float,
) -> None:
    rng = np.random.default_rng(2)
    found = autoregression(rng, kept=np.full((3000, 1), kept), days=60)
    assert found.var(axis=0) == pytest.approx(np.ones(60), abs=0.15)
    both = (found[:, 1:] * found[:, :-1]).mean()
    assert both == pytest.approx(kept, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_some_is_a_column_of_about_that_share(share: float) -> None:
    found = some(np.random.default_rng(3), 5000, share)
    assert found.shape == (5000, 1)
    assert set(np.unique(found)) <= {0.0, 1.0}
    assert found.mean() == pytest.approx(share, abs=0.02)


def memory(kind: int, lag: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Median autocorrelation where everybody is of one kind."""
    shares = tuple(float(number == kind) for number in range(len(KINDS)))
    monkeypatch.setattr(course, "KINDS", shares)
    found = simulate_course(np.random.default_rng(5), count=1500, days=DAYS)
    z = found - found.mean(1, keepdims=True)
    return float(np.median((z[:, lag:] * z[:, :-lag]).mean(1) / z.var(1)))


def test_states_hold_for_days_and_drift_for_weeks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, states, drift = range(3)
    assert memory(states, 1, monkeypatch) > memory(plain, 1, monkeypatch)
    assert memory(drift, 14, monkeypatch) > 1.5 * memory(plain, 14, monkeypatch)
    assert memory(drift, 14, monkeypatch) > 1.5 * memory(states, 14, monkeypatch)
