"""A patient's record as the engine's window: which series, on which clock, what not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from backend.twin.correlation.examination import LEAST_REPORTS
from backend.twin.correlation.local_clock import LocalClock, local_clock
from backend.twin.correlation.record_streams import LeftOut, Limits, biometric
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
    WorseWhen,
)
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import Scale

LOOKBACK_DAYS = 30
MAX_LAG_HOURS = 72
_DAY, _HOUR = 86_400, 3600
_NOON = 12 * _HOUR


@dataclass(frozen=True, eq=False)
class FromRecord:
    """`window` for the engine, and what was not put into it.

    `by_day`: symptoms of which only days are known; their lags have no hour
    (`report.correlation_report` heeds it). `clock` says whose clock the window is on.
    `entries` has, by symptom, those of the record that are in it.
    """

    window: CorrelationWindow
    left_out: tuple[LeftOut, ...]
    by_day: frozenset[str]
    clock: str
    entries: Mapping[str, tuple[Entry, ...]]


@dataclass
class _Gathered:
    symptoms: list[SymptomStream] = field(default_factory=list)
    biometrics: list[BiometricStream] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    by_day: set[str] = field(default_factory=set)
    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)


def from_record(
    record: PatientRecord,
    as_of: date,
    *,
    days: int = LOOKBACK_DAYS,
    max_lag_hours: int = MAX_LAG_HOURS,
    zone: ZoneInfo | None = None,
    today: date | None = None,
) -> FromRecord:
    """The window of `days` local days that ends with `as_of`.

    Biometrics begin `max_lag_hours` earlier. `zone` is the patient's, where known;
    without it the offsets that the sources state make the clock. `today` is the
    patient's day that is not over, `as_of` unless told.
    """
    end = _number(as_of) + 1
    since = (end - days) * _DAY
    clock = local_clock([*_stated(record)], zone)
    first = since - max_lag_hours * _HOUR
    limits = Limits(first, end * _DAY, _number(today or as_of))
    got = _Gathered()
    for series in record.series:
        _add_symptom(got, series, clock, limits._replace(first=since))
    for stream in record.streams:
        made, left_out = biometric(stream, clock, limits)
        got.biometrics += [made] if made is not None else []
        got.left_out += left_out
    window = CorrelationWindow(
        tuple(got.biometrics),
        tuple(got.symptoms),
        history_from=_moment(limits.first),
        reports_from=_moment(since),
        until=_moment(limits.end),
        max_lag_hours=max_lag_hours,
    )
    left_out, by_day = tuple(got.left_out), frozenset(got.by_day)
    return FromRecord(window, left_out, by_day, clock.says(), got.entries)


def _add_symptom(
    got: _Gathered, series: Series, clock: LocalClock, limits: Limits
) -> None:
    """Times as stated; where most entries have none, every entry counts at noon."""
    scale = series.scale
    inside = [(e, at) for e in series.entries if _in(at := _local(e, clock), limits)]
    timed = [entry for entry, _ in inside if entry.at]
    dated = len(inside) - len(timed)
    if not inside:
        got.left_out.append(LeftOut(scale.key, 0, "no report in the window"))
        return
    if scale.cadence != "daily":
        why = "a questionnaire looks back over weeks, so no lag of days can be told"
        got.left_out.append(LeftOut(scale.key, len(inside), why))
        return
    if dated and dated >= len(timed) and len(timed) < LEAST_REPORTS:
        inside = [(entry, at // _DAY * _DAY + _NOON) for entry, at in inside]
        got.by_day.add(scale.key)
    elif dated:
        inside = [(entry, at) for entry, at in inside if entry.at]
        got.left_out.append(LeftOut(scale.key, dated, "a day but no time of day"))
    times = np.array([at for _, at in inside], np.int64).astype("datetime64[s]")
    values = np.array([entry.value for entry, _ in inside], float)
    got.symptoms.append(SymptomStream(scale.key, times, values, _worse(scale)))
    got.entries[scale.key] = tuple(entry for entry, _ in inside)


def _local(entry: Entry, clock: LocalClock) -> int:
    """Seconds since 1970 of the local clock; noon where only the day is known."""
    if not entry.at:
        return _number(entry.day) * _DAY + _NOON
    at, offset = _instant(entry.at)
    return int(clock.local(np.array([at]), np.array([offset]))[0])


def _stated(record: PatientRecord) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Instants and offsets of every series of the record."""
    for stream in record.streams:
        yield stream.start, stream.offset.astype(np.int64)
    for series in record.series:
        told = [_instant(entry.at) for entry in series.entries if entry.at]
        pairs = np.array(told, np.int64).reshape(-1, 2)
        yield pairs[:, 0], pairs[:, 1]


def _instant(text: str) -> tuple[int, int]:
    """Seconds since 1970 UTC and the stated offset, minutes east."""
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    return int(moment.timestamp()), int(offset.total_seconds() // 60 if offset else 0)


def _in(at: int, limits: Limits) -> bool:
    return limits.first <= at < limits.end


def _worse(scale: Scale) -> WorseWhen | None:
    if scale.higher_is_worse is None:
        return None
    return "high" if scale.higher_is_worse else "low"


def _number(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _moment(seconds: int) -> np.datetime64:
    return np.datetime64(seconds, "s")
