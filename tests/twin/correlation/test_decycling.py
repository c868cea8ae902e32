"""Clocks taken out, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation import decycling
from backend.twin.correlation.decycling import (
    Hours,
    hourly,
    hours_of,
    is_daily,
    per_day,
    reported,
    symptom_course,
    without_course,
    without_weekdays,
)
from backend.twin.correlation.streams import BiometricStream, SymptomStream
from tests.twin.correlation.made import HOUR, START, World, clock, window

MADE = window(World(days=30))


def test_the_grid_reaches_back_by_the_longest_lag_and_ahead_by_a_day() -> None:
    on = hours_of(replace(MADE, history_from=MADE.reports_from, max_lag_hours=100))
    first = on.first * HOUR + np.datetime64(0, "s")
    assert first == MADE.reports_from - 100 * HOUR
    last = first + on.count * HOUR
    assert last == MADE.until + decycling.AHEAD_HOURS * HOUR
    assert hours_of(MADE).first * HOUR + np.datetime64(0, "s") == MADE.history_from


def test_the_hour_that_winter_time_repeats_counts_once_as_the_mean() -> None:
    times = START + np.array([0, 3600, 3600, 7200 + 59]).astype("timedelta64[s]")
    stream = BiometricStream("pulse", times, np.array([1.0, 2.0, 4.0, np.nan]))
    row = hourly(stream, MADE, hours_of(MADE))
    assert row[:2].tolist() == [1.0, 3.0]
    assert np.isnan(row[2:]).all()


def test_what_lies_outside_the_window_does_not_count() -> None:
    times = np.array([MADE.history_from - HOUR, MADE.until, MADE.reports_from - HOUR])
    values = np.ones(3)
    stream = BiometricStream("pulse", times, values)
    assert np.isfinite(hourly(stream, MADE, hours_of(MADE))).sum() == 1
    told = reported(SymptomStream("worry", times, values), MADE, hours_of(MADE))
    assert len(told.at) == 0


@pytest.mark.parametrize(
    ("hours", "values", "at", "kept"),
    [
        ([0, 0, 5], [1.0, 3.0, 7.0], [0, 5], [2.0, 7.0]),
        ([0, 1, 5], [1.0, 3.0, 7.0], [0, 5], [2.0, 7.0]),
        ([3, 4, 5, 6, 7], [1.0, 3.0, 5.0, 7.0, 9.0], [3, 5, 7], [2.0, 6.0, 9.0]),
        ([9, 2], [1.0, 3.0], [2, 9], [3.0, 1.0]),
        ([4, 6], [np.nan, 3.0], [6], [3.0]),
    ],
)
def test_two_reports_in_neighbouring_hours_are_one(
    hours: list[int], values: list[float], at: list[int], kept: list[float]
) -> None:
    times = MADE.reports_from + np.array(hours) * HOUR
    on = hours_of(MADE)
    told = reported(SymptomStream("worry", times, np.array(values)), MADE, on)
    assert (told.at - on.index(MADE.reports_from[None])[0]).tolist() == at
    assert told.values.tolist() == kept


@pytest.mark.parametrize(
    ("step", "nightly", "daily"),
    [(1, False, False), (24, False, True), (12, True, True), (12, False, False)],
)
def test_a_value_a_day_makes_a_daily_stream(
    step: int, nightly: bool, daily: bool
) -> None:
    times = clock(240)[::step][::-1]
    stream = BiometricStream("x", times, np.ones(len(times)), nightly=nightly)
    assert is_daily(stream) is daily


def test_a_lonely_value_has_no_spacing() -> None:
    assert not is_daily(BiometricStream("x", clock(1), np.ones(1)))


def test_days_are_local_days() -> None:
    times = START + np.array([5, 30, 40]) * HOUR
    stream = BiometricStream("x", times, np.array([1.0, 2.0, 4.0]), nightly=True)
    first = int(START.astype("datetime64[D]").astype(int))
    np.testing.assert_array_equal(per_day(stream, MADE, first, 3), [1.0, 3.0, np.nan])


def test_daily_course_and_trend_go_and_gaps_stay() -> None:
    on = Hours(5, 24 * 20)
    hour = on.of_day
    row = 3 + np.arange(on.count) / 100 + np.sin(2 * np.pi * hour / 8)
    row[100:130] = np.nan
    left = without_course(row[None], on.course)[0]
    assert np.isnan(left[100:130]).all()
    assert np.nanmax(np.abs(left)) < 1e-6


def weekly(days: int, height: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    day = np.arange(days)
    noise = np.random.default_rng(seed).standard_normal(days)
    return noise + height * np.isin(day % 7, (2, 3)), day


def test_clear_weekdays_go_nearly_whole() -> None:
    row, day = weekly(140, 6.0)
    left = without_weekdays(row, day)
    weekend = np.isin(day % 7, (2, 3))
    assert abs(left[weekend].mean() - left[~weekend].mean()) < 0.3


def test_weekdays_alike_are_left_alone_more_than_means_would() -> None:
    row, day = weekly(35, 0.0)
    shrunk = without_weekdays(row, day)
    means = np.array([row[day % 7 == k].mean() for k in range(7)])
    assert np.var(row - shrunk) < 0.5 * np.var(means[day % 7])


@pytest.mark.parametrize(
    "row",
    [
        np.arange(10.0),
        np.where(np.arange(60) % 7 == 1, np.nan, np.arange(60.0)),
        np.full(40, np.nan),
        np.zeros(40),
    ],
    ids=["ten days", "no Tuesdays", "nothing", "constant"],
)
def test_where_weekdays_say_nothing_the_row_stays(row: np.ndarray) -> None:
    np.testing.assert_array_equal(without_weekdays(row, np.arange(len(row))), row)


def test_reports_have_a_mean_per_part_of_the_day_and_a_trend() -> None:
    on = Hours(0, 24 * 40)
    at = (24 * np.arange(40)[:, None] + np.array([8, 20])).ravel()
    course = symptom_course(at, on)
    assert course.shape == (80, 3)
    assert np.linalg.matrix_rank(course) == 3
    at[0] = 2  # one report at night joins the part nearest by
    assert symptom_course(at, on).shape == (80, 3)
