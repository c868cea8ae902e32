"""One measure of a record as the engine takes it: what is kept, what is not, and why.

The rules are those of docs/methods/reading.md: one night a day, the longest; one kind
of heart rate variability; amounts per hour; nothing filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backend.twin.correlation.local_clock import LocalClock
from backend.twin.correlation.streams import BiometricStream
from backend.twin.measures import Measure
from backend.twin.streams import NO_OFFSET, Stream

LONGEST_HOURLY = 2 * 3600.0  # seconds: a value over more says nothing of an hour
LONGEST_NIGHT = 16 * 3600.0
ALIKE = 1.25  # lengths within this factor count as one length
_DAY, _HOUR = 86_400, 3600
_AMOUNTS = frozenset({"min", "{steps}"})  # units of what adds up over a day


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many values of a series that are not used, and why."""

    name: str
    count: int
    why: str


class Limits(NamedTuple):
    """The window in seconds since 1970 of the local clock, the end exclusive.

    `today`: the local day, since 1970, that is not over yet.
    """

    first: int
    end: int
    today: int


class _Rows(NamedTuple):
    """Values inside the window: `local` seconds of the value's middle, `day` local."""

    local: np.ndarray
    day: np.ndarray
    seconds: np.ndarray
    value: np.ndarray

    def of(self, kept: np.ndarray) -> _Rows:
        return _Rows(*(column[kept] for column in self))


class _Made(NamedTuple):
    """Which rows are kept, why not the others, and the stream they make."""

    kept: np.ndarray
    why: str
    times: np.ndarray
    values: np.ndarray
    nightly: bool = False


def biometric(
    stream: Stream, clock: LocalClock, limits: Limits
) -> tuple[BiometricStream | None, tuple[LeftOut, ...]]:
    """The stream inside the limits; None where nothing is left of it."""
    rows, measure = _inside(stream, clock, limits), stream.measure
    if not len(rows.value):
        return None, (LeftOut(measure.key, 0, "no value in the window"),)
    if measure.window == "interval":
        made = _interval(rows)
    elif measure.window == "instant":
        made = _instant(rows, exact=measure.key.startswith("hrv-"))
    else:
        made = _of_days(rows, measure, limits)
    lost = int((~made.kept).sum())
    left_out = (LeftOut(measure.key, lost, made.why),) if lost else ()
    if lost == len(made.kept):
        return None, left_out
    per_hour = "/h" if measure.window == "interval" else ""
    given = BiometricStream(
        measure.key,
        made.times.astype("datetime64[s]"),
        made.values,
        nightly=made.nightly,
        unit=f"{measure.unit}{per_hour}",
    )
    return given, left_out


def _inside(stream: Stream, clock: LocalClock, limits: Limits) -> _Rows:
    """A value lies at its middle; its day is the local one on which it ends.

    One that ends at midnight sharp has all of itself on the day before.
    """
    seconds = stream.seconds
    middle = stream.start + (seconds / 2).astype(np.int64)
    last = stream.start + np.maximum(seconds - 1, 0).astype(np.int64)
    local = clock.local(middle, stream.offset)
    dated = stream.offset == NO_OFFSET
    day = np.where(dated, stream.day, clock.local(last, stream.offset) // _DAY)
    inside = (local >= limits.first) & (local < limits.end)
    return _Rows(local, day, seconds, stream.value).of(inside)


def _interval(rows: _Rows) -> _Made:
    """Amounts per hour of the time they state, all of one hour together.

    So a walk that was sent minute by minute is no more than one that was sent whole,
    and hours of two devices are not added up.
    """
    kept = (rows.seconds > 0) & (rows.seconds <= LONGEST_HOURLY)
    hours, which = np.unique(rows.local[kept] // _HOUR, return_inverse=True)
    amount = np.bincount(which, rows.value[kept], len(hours))
    covered = np.bincount(which, rows.seconds[kept], len(hours))
    why = "an amount over more than two hours tells no hour"
    return _Made(kept, why, hours * _HOUR, amount / covered * _HOUR)


def _instant(rows: _Rows, *, exact: bool) -> _Made:
    """Values of the commonest length, `exact` to a factor; else of its class.

    A value over a night or a day belongs to that night or day.
    """
    kept = _alike(rows.seconds) if exact else _of_one_class(rows.seconds)
    typical = float(np.median(rows.seconds[kept]))
    why = "another length of time than most of its values: not to be compared"
    hourly = typical <= LONGEST_HOURLY
    times = rows.local if hourly else rows.day * _DAY
    nightly = not hourly and typical <= LONGEST_NIGHT
    return _Made(kept, why, times[kept], rows.value[kept], nightly)


def _of_one_class(seconds: np.ndarray) -> np.ndarray:
    classes = np.digitize(seconds, (LONGEST_HOURLY, LONGEST_NIGHT), right=True)
    return np.asarray(classes == np.bincount(classes).argmax())


def _alike(seconds: np.ndarray) -> np.ndarray:
    """The commonest length and those like it; 0, which nobody stated, is its own."""
    stated = np.sort(seconds[seconds > 0])
    first = np.searchsorted(stated, stated / ALIKE, side="left")
    counts = np.searchsorted(stated, stated * ALIKE, side="right") - first
    if len(stated) == 0 or counts.max() <= (seconds == 0).sum():
        return np.asarray(seconds == 0)
    middle = stated[counts.argmax()]
    return np.asarray((seconds >= middle / ALIKE) & (seconds <= middle * ALIKE))


def _of_days(rows: _Rows, measure: Measure, limits: Limits) -> _Made:
    """Of a night, or of an amount, the largest of the day: naps and repeats are less.

    An amount of the day that is not over is none; levels may stand several to a day.
    """
    night, amount = measure.window == "night", measure.unit in _AMOUNTS
    kept = np.ones(len(rows.value), bool)
    why = "a shorter value of the same day: a nap, or sent before the day was over"
    if night or amount:
        order = np.lexsort((rows.value, rows.day))
        kept[order[:-1]] = np.diff(rows.day[order]) > 0
    if amount and not night:
        kept &= rows.day < limits.today
    return _Made(kept, why, rows.day[kept] * _DAY, rows.value[kept], night)
