"""The local clock: weekends, the change of the clock, days that begin at waking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.clock import LEAD, Clock, draw_clock
from backend.twin.simulation.wearables.family import MAX_LAG, WIDE

CHANGES = replace(WIDE, clock_change=1.0)
DAYS = 40


@pytest.fixture(scope="module")
def clock() -> Clock:
    return draw_clock(np.random.default_rng(1), CHANGES, people=400, days=DAYS)


def seen_and_true(clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Local hours as a series that is looked at, and as they should be seen."""
    seen = clock.seen(clock.local[:, None].astype(float))[:, 0]
    return seen, np.broadcast_to(np.arange(clock.hours, dtype=float), seen.shape)


def test_a_window_is_its_days_after_a_history_of_three(clock: Clock) -> None:
    assert clock.hours == 24 * DAYS + MAX_LAG
    assert clock.local.shape == (400, LEAD + clock.hours + 1)
    assert (clock.local[:, LEAD] == 0).all()
    assert set(clock.wakes) == set(range(5, 11))


def test_what_is_seen_stands_on_its_local_hour(clock: Clock) -> None:
    seen, true = seen_and_true(clock)
    absent = np.isnan(seen)
    np.testing.assert_array_equal(seen[~absent], true[~absent])
    np.testing.assert_array_equal(absent.sum(1), clock.step == 1)


def test_the_clock_changes_in_a_sunday_night(clock: Clock) -> None:
    changes = clock.step != 0
    assert changes.mean() > 0.9  # a few would change after the end
    at = clock.start[changes] + clock.change[changes] // 24
    assert (at.astype("datetime64[D]").astype(int) % 7 == 3).all()
    hour = clock.change[changes] % 24
    assert set(hour[clock.step[changes] == 1]) == {2}
    assert set(hour[clock.step[changes] == -1]) == {3}
    missing = np.argwhere(np.isnan(seen_and_true(clock)[0]))
    assert set(missing[:, 1] % 24) == {2}


def test_of_the_hour_that_autumn_has_twice_the_first_is_kept(clock: Clock) -> None:
    row = int(np.flatnonzero(clock.step == -1)[0])
    at = int(clock.change[row])
    physical = np.broadcast_to(
        np.arange(clock.local.shape[1]) - LEAD, clock.local.shape
    )
    seen = clock.seen(physical.astype(float))[row]
    np.testing.assert_array_equal(seen[at - 1 : at + 1], [at - 1, at + 1])


def test_without_changes_local_hours_are_physical_ones() -> None:
    never = replace(WIDE, clock_change=0.0)
    clock = draw_clock(np.random.default_rng(1), never, people=20, days=10)
    assert (clock.step == 0).all()
    np.testing.assert_array_equal(clock.local[0], np.arange(-LEAD, clock.hours + 1))


def test_weekends_are_saturdays_and_sundays(clock: Clock) -> None:
    weekend = clock.seen(clock.weekend)
    day = clock.start[:, None] + np.arange(clock.hours) // 24
    weekday = (day.astype(int) + 3) % 7  # Monday is 0
    there = np.isfinite(weekend)
    np.testing.assert_array_equal(weekend[there], (weekday >= 5)[there])


def test_days_begin_at_the_hour_asked_for(clock: Clock) -> None:
    since = clock.since(np.array([0, 5]), np.array([7, 0]))
    assert (since // 24).min() >= 0
    np.testing.assert_array_equal(since[0] % 24, (clock.local[0] - 7) % 24)
    np.testing.assert_array_equal(since[1] % 24, clock.local[5] % 24)
    assert (np.diff(since[0] // 24)[clock.local[0, 1:] % 24 != 7] <= 0).all()
