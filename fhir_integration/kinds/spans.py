"""Which stretch of time a wearable's value covers, and on which local day it counts.

The day is the one that the text states in its own offset: a walk at 23:30 belongs to
that evening wherever the server keeps its clock. A night counts on the day on which it
ends. A period counts on the day of its end; one that ends at midnight sharp has all of
itself on the day before. `issued` never stands in: a watch may send days later.
"""

from __future__ import annotations

from typing import NamedTuple

from backend.twin.measures import Window
from backend.twin.record import Reason
from backend.twin.streams import NO_OFFSET
from fhir_integration.strict_json import Json
from fhir_integration.times import DAY, Moment, moment

_EFFECTIVE = ("effectiveDateTime", "effectiveInstant")
_LONGEST_DAY = 25 * 3600.0  # when clocks go back
# A measure of a day, or night, is of one: dates may name both ends of a night.
_MOST_DATES = {"day": DAY, "night": 2 * DAY}


class Span(NamedTuple):
    """Start (seconds since 1970 UTC), length (seconds, 0 for a moment), day, offset.

    The day counts from 1970; the offset is minutes east of UTC, or `NO_OFFSET`. What
    the start has beyond its whole seconds is `fraction`, in microseconds.
    """

    start: int
    seconds: float
    day: int
    offset: int
    fraction: int = 0


def span_of(resource: Json, window: Window) -> Span | Reason:
    """What effective[x] covers, for a measure of that window, or what is missing."""
    stated = [key for key in resource if key.startswith("effective")]
    if len(stated) != 1:
        return Reason.MALFORMED if stated else Reason.NO_DATE
    if stated[0] == "effectivePeriod":
        return _of_period(resource["effectivePeriod"], window)
    if stated[0] == "effectiveTiming":
        return _of_point(_only_event(resource["effectiveTiming"]), window)
    known = stated[0] in _EFFECTIVE
    return _of_point(moment(resource[stated[0]]) if known else Reason.NO_DATE, window)


def _only_event(timing: object) -> Moment | Reason:
    """A timing of several events does not say to which of them the value belongs."""
    events = timing.get("event") if isinstance(timing, dict) else None
    if isinstance(events, list) and len(events) == 1:
        return moment(events[0])
    return Reason.NO_DATE if isinstance(timing, dict) else Reason.MALFORMED


def _of_point(at: Moment | Reason, window: Window) -> Span | Reason:
    if isinstance(at, Reason):
        return at
    if window == "interval":
        return Reason.NO_WINDOW
    if at.offset is not None:
        start, fraction = divmod(at.micros, 1_000_000)
        return Span(start, 0.0, at.number, at.offset, fraction)
    if window == "instant":
        return Reason.NO_TIME
    seconds = float(DAY) if window == "day" else 0.0
    return Span(at.number * DAY, seconds, at.number, NO_OFFSET)


def _of_period(period: object, window: Window) -> Span | Reason:
    if not isinstance(period, dict):
        return Reason.MALFORMED
    ends = [moment(period[key]) for key in ("start", "end") if key in period]
    read = [end for end in ends if isinstance(end, Moment)]
    if len(read) < len(ends):
        return next(end for end in ends if isinstance(end, Reason))
    if len(read) < 2:
        return _of_point(read[0] if read else Reason.NO_DATE, window)
    start, end = read
    if start.offset is None or end.offset is None:
        return _of_dates(start, end, window)
    return _of_times(start, end, window)


def _of_dates(start: Moment, end: Moment, window: Window) -> Span | Reason:
    """From the first day's beginning to the last day's end, as FHIR reads dates."""
    if window == "instant" or (window == "interval" and start.offset != end.offset):
        return Reason.NO_TIME
    seconds = float((end.number - start.number + 1) * DAY)
    if seconds <= 0:
        return Reason.MALFORMED
    if seconds > _MOST_DATES.get(window, seconds):
        return Reason.NO_WINDOW
    return Span(start.number * DAY, seconds, end.number, NO_OFFSET)


def _of_times(start: Moment, end: Moment, window: Window) -> Span | Reason:
    offset = end.offset or 0
    return span_between(
        start.micros, end.micros, end.number, offset=offset, window=window
    )


def span_between(
    start: int, end: int, day: int, *, offset: int, window: Window
) -> Span | Reason:
    """Between two times, microseconds since 1970 UTC; `day` and `offset` are the end's.

    The reason where no value of that window can have that length.
    """
    seconds = (end - start) / 1_000_000
    if seconds < 0:
        return Reason.MALFORMED
    if window in _MOST_DATES and seconds > _LONGEST_DAY:
        return Reason.NO_WINDOW
    if window == "interval" and seconds == 0:
        return Reason.NO_WINDOW
    clock = (end + 60_000_000 * offset) % (DAY * 1_000_000)
    at_midnight = seconds > 0 and clock == 0
    whole, fraction = divmod(start, 1_000_000)
    return Span(whole, seconds, day - at_midnight, offset, fraction)
