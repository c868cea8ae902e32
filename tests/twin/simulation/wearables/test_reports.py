"""When patients report, what is missed, and what is ticked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.clock import Clock, draw_clock
from backend.twin.simulation.wearables.family import MAX_LAG, PLAIN, WIDE, Family
from backend.twin.simulation.wearables.reports import (
    LEVEL_SHARES,
    answers,
    report_times,
)

PEOPLE, DAYS = 500, 40
STEADY = replace(PLAIN, reports_a_day=(4, 4), missed=(0, 0))


@pytest.fixture(scope="module")
def clock() -> Clock:
    return draw_clock(np.random.default_rng(1), WIDE, people=PEOPLE, days=DAYS)


def times(family: Family, clock: Clock) -> np.ndarray:
    return report_times(np.random.default_rng(2), family, clock)


def per_day(made: np.ndarray) -> np.ndarray:
    """[patient, day] how many reports."""
    day = np.where(np.isfinite(made), made, 0) // 24
    counts = [np.bincount(row.astype(int), minlength=DAYS + 3)[3:] for row in day]
    return np.array(counts)


@pytest.mark.parametrize("family", [PLAIN, WIDE, STEADY])
def test_reports_lie_in_the_window_in_order_one_an_hour(
    clock: Clock, family: Family
) -> None:
    made = times(family, clock)
    there = np.isfinite(made)
    assert (np.diff(there.astype(int), axis=1) <= 0).all()  # NaN behind
    assert there.sum(1).max() == made.shape[1]
    hour = np.rint(made)
    assert hour[there].min() >= MAX_LAG
    assert hour[there].max() < clock.hours
    steps = np.diff(hour, axis=1)
    assert steps[np.isfinite(steps)].min() >= 1


@pytest.mark.parametrize("a_day", [1, 3, 6])
def test_reports_come_as_often_as_drawn(clock: Clock, a_day: int) -> None:
    made = times(replace(STEADY, reports_a_day=(a_day, a_day)), clock)
    assert a_day - 0.15 < per_day(made).mean() <= a_day  # one an hour at most
    every = per_day(times(replace(STEADY, reports_a_day=(1, 6)), clock)).mean(1)
    assert every.min() == pytest.approx(1, abs=0.05)
    assert every.max() > 5.5


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_reports_are_missed_singly_and_by_the_day(clock: Clock, share: float) -> None:
    full = per_day(times(STEADY, clock))
    left = per_day(times(replace(STEADY, missed=(share, share)), clock))
    assert left.sum() / full.sum() == pytest.approx(1 - share, abs=0.02)
    none = (left == 0).mean()
    assert none > 2 * share**4  # more empty days than single misses explain
    assert ((left > 0) & (left < 4)).mean() > 0.1


def test_long_gaps_and_weekdays_off(clock: Clock) -> None:
    gone = per_day(times(replace(STEADY, long_gap=1), clock)) == 0
    assert gone.any(1).all()
    assert 3 / DAYS < gone.mean() < 9 / DAYS
    never = per_day(times(replace(STEADY, weekday_off=1), clock)) == 0
    assert never.mean() == pytest.approx(1 / 7, abs=0.01)
    first = never.argmax(1)
    assert all(never[row, day::7].all() for row, day in enumerate(first))


def test_schedules_are_regular_or_anywhere(clock: Clock) -> None:
    def scatter(irregular: float) -> float:
        family = replace(STEADY, reports_a_day=(1, 1), irregular=irregular)
        hours = times(family, clock) % 24
        return float(np.median(np.nanstd(hours, axis=1)))

    assert scatter(0) < 1.2
    assert scatter(1) > 2.5


def test_times_are_whole_hours_or_to_the_minute(clock: Clock) -> None:
    whole, exact = (
        times(replace(STEADY, to_the_minute=share), clock) for share in (0, 1)
    )
    assert (np.nan_to_num(whole) % 1 == 0).all()
    minutes = np.nan_to_num(exact) * 60
    np.testing.assert_allclose(minutes, np.rint(minutes), atol=1e-6)
    assert (np.nan_to_num(exact) % 1 == 0).mean() < 0.1


def felt(clock: Clock) -> np.ndarray:
    shape = (PEOPLE, 2, clock.hours)
    return np.random.default_rng(3).standard_normal(shape, dtype=np.float32)


def ticked(family: Family, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Answers, and what was felt at the reports."""
    made, series = times(family, clock), felt(clock)
    hour = np.rint(np.nan_to_num(made)).astype(int)[:, None]
    given = answers(np.random.default_rng(4), family, series, made)
    return given, np.take_along_axis(series, hour, 2)


def test_the_plain_scale_is_whole_numbers_around_five(clock: Clock) -> None:
    given, series = ticked(STEADY, clock)
    there = np.isfinite(given)
    np.testing.assert_array_equal(there[:, 0], np.isfinite(times(STEADY, clock)))
    expected = np.rint(5 + 1.8 * series).clip(0, 10)
    assert (given == expected)[there].mean() > 0.999  # but for rounding in 32 bits


def test_scales_differ_and_crowd_at_their_ends(clock: Clock) -> None:
    family = replace(STEADY, plain_scale=0, reports_a_day=(6, 6))
    given, _ = ticked(family, clock)
    top, low = np.nanmax(given, axis=2), np.nanmin(given, axis=2)
    assert LEVEL_SHARES.sum() == pytest.approx(1)
    assert low.min() == 0
    assert (low >= 1).any()
    assert (top - low <= 1).mean() > 0.03  # yes or no
    assert (top > 60).mean() > 0.05
    often = (given == low[..., None]).sum(2) / np.isfinite(given).sum(2)
    assert (often > 0.3).mean() > 0.15  # floors
    coarse = (top > 60) & (np.nan_to_num(given) % 10 == 0).all(2)
    assert 0.1 < coarse.sum() / (top > 60).sum() < 0.5


def test_items_are_left_out_and_answers_repeated(clock: Clock) -> None:
    family = replace(STEADY, item_left_out=1)
    given, _ = ticked(family, clock)
    asked = np.isfinite(times(family, clock))[:, None]
    lacks = np.isnan(given) & asked
    assert lacks.sum() / (2 * asked.sum()) == pytest.approx(0.075, abs=0.01)

    def same(repeats: float) -> float:
        given, _ = ticked(replace(STEADY, repeats=repeats), clock)
        pairs = (given[..., 1:] == given[..., :-1]).all(1)
        return float(pairs.sum() / np.isfinite(given[:, 0, 1:]).sum())

    assert same(1) > same(0) + 0.12


def test_an_hour_that_does_not_exist_has_no_answer(clock: Clock) -> None:
    made, series = times(STEADY, clock), felt(clock)
    series[0, :, int(made[0, 0])] = np.nan
    given = answers(np.random.default_rng(4), STEADY, series, made)
    assert np.isnan(given[0, :, 0]).all()
    assert np.isfinite(given[0, :, 1]).all()
