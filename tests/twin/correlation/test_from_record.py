"""A record as a window: what goes in, on which clock, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from backend.twin.correlation.from_record import FromRecord, from_record
from backend.twin.measures import measures
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import local_scale, scale
from backend.twin.streams import Rows, stream

TODAY = date(2026, 3, 1)
EAST = timezone(timedelta(hours=2))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry(days_ago: int, hour: int | None, zone: timezone = EAST) -> Entry:
    """A report so many days before the last; without an hour only its day is known."""
    day = TODAY - timedelta(days=days_ago)
    if hour is None:
        return Entry(day, 5.0, f"Observation/{day}")
    at = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
    return Entry(day, 5.0, f"Observation/{at}", at.isoformat())


def series(key: str, *entries: Entry) -> Series:
    return Series(scale(key), tuple(sorted(entries, key=lambda e: (e.day, e.at))))


def pulse(*moments: datetime) -> Rows:
    """Heart rates at these moments."""
    rows = Rows([], [], [], [], [], [], [])
    for number, at in enumerate(moments):
        offset = at.utcoffset() or timedelta()
        rows.micros.append((at - EPOCH) // timedelta(microseconds=1))
        rows.seconds.append(0.0)
        rows.day.append(at.date().toordinal() - EPOCH.toordinal())
        rows.offset.append(offset // timedelta(minutes=1))
        rows.value.append(60.0 + number)
        rows.source.append(f"Observation/p{number}")
        rows.of.append(number)
    return rows


def record(*symptoms: Series, moments: tuple[datetime, ...] = ()) -> PatientRecord:
    made, _ = stream(measures()["heart-rate"], pulse(*moments))
    return PatientRecord(series=symptoms, streams=(made,) if moments else ())


def left(found: FromRecord) -> list[tuple[str, int, str]]:
    return [(one.name, one.count, one.why) for one in found.left_out]


MOOD = series("mood-0-10", *(entry(d, 20) for d in range(20)))
NOON = datetime(2026, 2, 20, 12, tzinfo=EAST)


def test_the_window_ends_with_the_day_asked_for() -> None:
    made = from_record(record(MOOD, moments=(NOON,)), TODAY).window
    assert str(made.until) == "2026-03-02T00:00:00"
    assert str(made.reports_from) == "2026-01-31T00:00:00"
    assert str(made.history_from) == "2026-01-28T00:00:00"
    assert made.max_lag_hours == 72
    longer = from_record(record(MOOD), TODAY, days=90, max_lag_hours=24).window
    assert str(longer.reports_from) == "2025-12-02T00:00:00"
    assert str(longer.history_from) == "2025-12-01T00:00:00"


def test_streams_carry_keys_units_local_times_and_polarity() -> None:
    made = from_record(record(MOOD, moments=(NOON,)), TODAY)
    (signal,), (symptom,) = made.window.biometrics, made.window.symptoms
    assert (signal.name, signal.unit, signal.nightly) == ("heart-rate", "/min", False)
    assert str(signal.times[0]) == "2026-02-20T12:00:00"
    assert (symptom.name, symptom.worse_when) == ("mood-0-10", "low")
    assert str(symptom.times[-1]) == "2026-03-01T20:00:00"
    assert (made.left_out, made.by_day) == ((), frozenset())
    assert made.clock == "the local offsets that the sources state"


@pytest.mark.parametrize(("key", "worse"), [("anxiety-0-10", "high"), ("", None)])
def test_which_end_is_worse_comes_with_the_scale(key: str, worse: str | None) -> None:
    mine = local_scale("x", system="urn:x", low=0, high=5)
    of = scale(key) if key else mine
    made = from_record(record(replace(MOOD, scale=of)), TODAY)
    assert made.window.symptoms[0].worse_when == worse


def test_a_diary_in_utc_is_put_on_the_watchs_clock() -> None:
    diary = series("mood-0-10", *(entry(d, 18, UTC) for d in range(20)))
    made = from_record(record(diary, moments=(NOON,)), TODAY)
    assert str(made.window.symptoms[0].times[-1]) == "2026-03-01T20:00:00"
    alone = from_record(record(diary), TODAY)
    assert str(alone.window.symptoms[0].times[-1]) == "2026-03-01T18:00:00"
    assert alone.clock.startswith("UTC")
    zoned = from_record(record(diary), TODAY, zone=ZoneInfo("Asia/Tokyo"))
    assert zoned.clock == "the clock of Asia/Tokyo"
    assert zoned.window.symptoms[0].times.max() < np.datetime64("2026-03-02")


def test_a_few_reports_without_a_time_are_left_out() -> None:
    mixed = series("mood-0-10", *MOOD.entries, entry(25, None), entry(26, None))
    made = from_record(record(mixed), TODAY)
    assert len(made.window.symptoms[0].times) == 20
    assert left(made) == [("mood-0-10", 2, "a day but no time of day")]
    assert made.by_day == frozenset()


@pytest.mark.parametrize("timed", [0, 5])
def test_a_diary_of_days_counts_at_noon(timed: int) -> None:
    days = [entry(d, None) for d in range(timed, 20)]
    mixed = series("mood-0-10", *days, *(entry(d, 20) for d in range(timed)))
    made = from_record(record(mixed), TODAY)
    times = made.window.symptoms[0].times
    assert {str(at)[11:] for at in times} == {"12:00:00"}
    assert len(times) == 20
    assert made.by_day == {"mood-0-10"}
    assert made.left_out == ()


def test_enough_timed_reports_beat_any_number_of_days() -> None:
    days = [entry(d, None) for d in range(29)]
    mixed = series("mood-0-10", *days, *(entry(d, 20) for d in range(14)))
    made = from_record(record(mixed), TODAY)
    assert len(made.window.symptoms[0].times) == 14
    assert made.by_day == frozenset()


def test_what_looks_back_over_weeks_is_left_out() -> None:
    made = from_record(record(replace(MOOD, scale=scale("phq9"))), TODAY)
    assert made.window.symptoms == ()
    (found,) = left(made)
    assert found[:2] == ("phq9", 20)
    assert "looks back over weeks" in found[2]


def test_what_lies_outside_the_window_is_said_to_be_none() -> None:
    old = series("mood-0-10", entry(31, 20), entry(40, None))
    made = from_record(record(old, moments=(NOON - timedelta(days=60),)), TODAY)
    assert (made.window.symptoms, made.window.biometrics) == ((), ())
    assert left(made) == [
        ("mood-0-10", 0, "no report in the window"),
        ("heart-rate", 0, "no value in the window"),
    ]


@pytest.mark.parametrize(
    ("today", "kept"), [(None, 2), (-1, 1), (0, 2), (1, 3)], ids=str
)
def test_an_amount_of_the_day_that_is_not_over_is_none(
    today: int | None, kept: int
) -> None:
    """A day asked for by name may be over already, or not have begun."""
    days = [TODAY - timedelta(days=back) for back in (2, 1, 0)]
    rows = pulse(*(datetime(d.year, d.month, d.day, tzinfo=EAST) for d in days))
    rows.seconds[:] = [86_400.0] * 3
    steps, _ = stream(measures()["steps-daily"], rows)
    day = None if today is None else TODAY + timedelta(days=today)
    made = from_record(PatientRecord(series=(), streams=(steps,)), TODAY, today=day)
    (kept_steps,) = made.window.biometrics
    assert len(kept_steps.values) == kept
