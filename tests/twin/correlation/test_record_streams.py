"""One measure of a record as the engine takes it, by the rules of reading.md."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from backend.twin.correlation.local_clock import local_clock
from backend.twin.correlation.record_streams import LeftOut, Limits, biometric
from backend.twin.correlation.streams import BiometricStream
from backend.twin.measures import measures
from backend.twin.streams import NO_OFFSET, Stream

H, DAY = 3600, 86_400
FIRST = 20_000  # a day
LIMITS = Limits(FIRST * DAY, (FIRST + 30) * DAY, FIRST + 29)
CLOCK = local_clock([(np.array([FIRST * DAY]), np.array([60]))], None)


class Row(NamedTuple):
    """A value that begins so many local hours into the window, an hour east of UTC."""

    hour: float
    value: float
    seconds: float = 0.0
    dated: bool = False


def stream(key: str, *rows: Row) -> Stream:
    local = np.array([FIRST * DAY + int(row.hour * H) for row in rows], np.int64)
    dated = np.array([row.dated for row in rows], bool)
    seconds = np.array([row.seconds for row in rows], float)
    ends = local + np.maximum(seconds - 1, 0).astype(np.int64)
    return Stream(
        measures()[key],
        local - np.where(dated, 0, H),
        seconds,
        (np.where(dated, local, ends) // DAY).astype(np.int32),
        np.where(dated, NO_OFFSET, 60).astype(np.int16),
        np.array([row.value for row in rows], float),
        tuple(f"Observation/{i}" for i in range(len(rows))),
    )


def made(key: str, *rows: Row) -> tuple[BiometricStream, list[tuple[int, str]]]:
    found, left_out = biometric(stream(key, *rows), CLOCK, LIMITS)
    assert found is not None
    assert found.name == key
    return found, [(one.count, one.why) for one in left_out]


def hours(found: BiometricStream) -> list[float]:
    start = np.datetime64(LIMITS.first, "s")
    return [float(x) for x in (found.times - start) / np.timedelta64(H, "s")]


def test_moments_lie_on_the_local_clock_and_inside_the_window() -> None:
    rows = [Row(-0.1, 50), Row(0, 60), Row(5.5, 70), Row(719.9, 80), Row(720, 90)]
    found, left_out = made("heart-rate", *rows)
    assert hours(found) == [0, 5.5, 719.9]
    assert found.values.tolist() == [60, 70, 80]
    assert (found.unit, found.nightly, left_out) == ("/min", False, [])


def test_a_value_over_a_stretch_lies_in_its_middle() -> None:
    found, _ = made("heart-rate", Row(3, 60, 2 * H))
    assert hours(found) == [4]


def test_a_stream_without_a_value_in_the_window_is_named() -> None:
    found, left_out = biometric(stream("spo2", Row(-5, 97)), CLOCK, LIMITS)
    assert found is None
    assert left_out == (LeftOut("spo2", 0, "no value in the window"),)


def test_levels_of_other_lengths_are_left_out() -> None:
    rows = [Row(h, 60, 60) for h in range(5)] + [Row(0, 62, 8 * H), Row(0, 63, DAY)]
    found, left_out = made("heart-rate", *rows)
    assert found.values.tolist() == [60] * 5
    assert [count for count, _ in left_out] == [2]
    assert "another length of time" in left_out[0][1]


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        ([60, 61.7, 59, 300, 300], 3),
        ([60, 300, 290, 310, 0, 0], 3),
        ([0, 0, 0, 60, 300], 3),
        ([0, 300], 1),
        ([0, 0], 2),
        ([60, 80, 100], 2),
    ],
)
def test_variabilities_of_several_lengths_are_never_mixed(
    lengths: list[float], kept: int
) -> None:
    rows = [Row(i, 40 + i, seconds) for i, seconds in enumerate(lengths)]
    found, left_out = made("hrv-sdnn", *rows)
    assert len(found.values) == kept
    assert sum(count for count, _ in left_out) == len(lengths) - kept


def test_variability_of_whole_nights_is_a_nightly_stream() -> None:
    rows = [Row(24 * d + 22, 40 + d, 8 * H) for d in range(5)]
    found, _ = made("hrv-rmssd", *rows)
    assert found.nightly
    assert hours(found) == [24.0, 48.0, 72.0, 96.0, 120.0]


def test_variability_of_whole_days_is_a_daily_stream() -> None:
    found, _ = made("hrv-sdnn", *[Row(24 * d, 140, DAY) for d in range(3)])
    assert not found.nightly
    assert hours(found) == [0, 24, 48]


def test_steps_are_a_pace_whatever_they_were_cut_into() -> None:
    minutes = [Row(8 + i / 60, 50, 60) for i in range(20)]
    whole = [Row(9, 500, 1200)]
    found, left_out = made("steps", *minutes, *whole, Row(0, 9000, DAY))
    assert hours(found) == [8, 9]
    assert found.values == pytest.approx([3000, 1500])
    assert found.unit == "{steps}/h"
    assert left_out == [(1, "an amount over more than two hours tells no hour")]


def test_two_devices_do_not_walk_twice() -> None:
    found, _ = made("steps", Row(8, 400, H), Row(8, 420, H))
    assert found.values == pytest.approx([410])


def test_steps_of_days_alone_make_no_stream() -> None:
    found, left_out = biometric(stream("steps", Row(0, 9000, DAY)), CLOCK, LIMITS)
    assert found is None
    assert left_out[0].count == 1


def test_the_longest_sleep_of_a_day_is_the_night() -> None:
    night, nap = Row(23, 430, 8 * H), Row(38, 50, H)
    again = Row(23, 430, 8 * H)
    found, left_out = made("sleep-duration", nap, night, again, Row(47, 400, 7 * H))
    assert found.nightly
    assert hours(found) == [24, 48]
    assert found.values.tolist() == [430, 400]
    assert [count for count, _ in left_out] == [2]


def test_a_night_that_ends_at_midnight_is_of_the_day_before() -> None:
    found, _ = made("sleep-duration", Row(18, 300, 6 * H))
    assert hours(found) == [0]


def test_an_amount_of_a_day_is_its_largest_and_of_a_day_that_is_over() -> None:
    rows = [Row(9, 2000), Row(20, 8000), Row(24, 5000, DAY, True), Row(29 * 24, 900)]
    found, left_out = made("steps-daily", *rows)
    assert hours(found) == [0, 24]
    assert found.values.tolist() == [8000, 5000]
    assert [count for count, _ in left_out] == [2]
    assert "before the day was over" in left_out[0][1]


def test_levels_of_a_day_all_stay() -> None:
    found, left_out = made("resting-heart-rate", Row(7, 60), Row(22, 64), Row(705, 58))
    assert hours(found) == [0, 0, 29 * 24]
    assert left_out == []
