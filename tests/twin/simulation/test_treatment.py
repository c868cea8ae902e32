"""Simulated treatment: early worsening, then better; discontinuation; what is known."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation.treatment import (
    KNOWN,
    TREATED,
    Treatment,
    simulate_treatment,
)

PEOPLE, DAYS = 20_000, 140


@pytest.fixture(scope="module")
def treatment() -> Treatment:
    return simulate_treatment(np.random.default_rng(6), count=PEOPLE, days=DAYS)


def since(treatment: Treatment, sign: int, *, before: int, after: int) -> np.ndarray:
    """Effects around each person's only known change, the day of it at `before`."""
    changes = treatment.changes
    alone = (changes != 0).sum(1) == 1
    rows, days = np.nonzero((changes == sign) & alone[:, None])
    inside = (days >= before) & (days < changes.shape[1] - after)
    around = days[inside, None] + np.arange(-before, after)
    return treatment.effect[rows[inside, None], around]


def test_the_same_generator_gives_the_same_treatments() -> None:
    one, two, other = (
        simulate_treatment(np.random.default_rng(seed), count=50, days=60)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.effect, two.effect)
    np.testing.assert_array_equal(one.changes, two.changes)
    assert not np.array_equal(one.effect, other.effect)


def test_most_people_are_not_treated_and_nothing_happens_to_them(
    treatment: Treatment,
) -> None:
    untouched = (treatment.effect == 0).all(1)
    assert untouched.mean() == pytest.approx(1 - TREATED, abs=0.03)
    assert not treatment.changes[untouched].any()


def test_a_record_shows_starts_and_stops_of_a_part_of_them(
    treatment: Treatment,
) -> None:
    assert set(np.unique(treatment.changes)) == {-1.0, 0.0, 1.0}
    assert (treatment.changes != 0).sum(1).max() == 2
    # Who changed something inside the window: there the effect leaves a constant.
    moved = np.ptp(treatment.effect[:, 1:] - treatment.effect[:, :-1], axis=1) > 1e-9
    shown = treatment.changes.any(1)
    assert 0.4 < shown[moved].mean() < KNOWN  # some began before the first day


def test_a_stop_follows_its_start(treatment: Treatment) -> None:
    both = (treatment.changes == 1).any(1) & (treatment.changes == -1).any(1)
    starts, stops = (treatment.changes[both] == sign for sign in (1, -1))
    assert both.sum() > 50
    assert (stops.argmax(1) - starts.argmax(1) >= 14).all()


def test_after_a_start_it_gets_worse_for_days_then_better_over_weeks(
    treatment: Treatment,
) -> None:
    effect = since(treatment, 1, before=10, after=60)
    mean = effect.mean(0)
    assert len(effect) > 500
    assert (mean[:10] == 0).all()  # nothing before
    assert 0.2 < mean[10] < 0.4  # the day of the start
    assert mean[14] < mean[10]
    assert mean[30] < -0.1
    assert mean[-1] < mean[30]
    assert effect.min() < -1  # in some people by more than their own spread


def test_after_a_stop_it_gets_worse_at_once_and_part_of_it_stays(
    treatment: Treatment,
) -> None:
    around = since(treatment, -1, before=10, after=60)
    long = around[np.ptp(around[:, :10], axis=1) < 1e-9]  # taken since long before
    mean = (long - long[:, :1]).mean(0)
    assert len(long) > 200
    assert 0.3 < mean[10] < 0.5  # the day of the stop
    assert mean[20] < 0.6 * mean[10]  # discontinuation has passed
    assert mean[-1] > mean[20]  # the symptom comes back
    benefit = -long[:, 0].mean()
    assert 0 < mean[-1] < benefit


def test_not_everybody_is_helped(treatment: Treatment) -> None:
    """One in four has no benefit: after weeks nothing is left of the start."""
    late = since(treatment, 1, before=0, after=60)[:, -1]
    assert (late > -1e-3).mean() == pytest.approx(0.25, abs=0.08)
