"""Which medicines are being taken on a day, as far as orders and statements tell.

Nobody knows what is swallowed. An order or statement that is active is current until
its stated end, however old it is; what points both ways is "possible" and says why, and
nothing is dropped on one word. What was only given or handed out is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.treatment_changes import GAP_DAYS, RENEWAL_DAYS

# An order that was carried out says no more; what it supplied may last this long: three
# months, the most that is commonly handed out at once, and the usual gap.
SUPPLY = timedelta(days=90 + GAP_DAYS)
_OVER = frozenset({CourseState.STOPPED, CourseState.COMPLETED})


@dataclass(frozen=True, slots=True)
class Taken:
    """A medicine that is, or may be, taken on the day asked for.

    `code` is the RxNorm code as the EHR sent it, `source` the order or statement;
    `since` the day on which that begins, None where it does not say. `standing`:
    "current", or "possible" where the record contradicts itself or falls silent;
    `because` says by what.
    """

    ingredients: tuple[str, ...]
    code: str
    source: str
    since: date | None
    standing: Literal["current", "possible"]
    because: str


class _Course(NamedTuple):
    """One order or statement: what it begins with, and its stated ends."""

    start: MedicationEvent
    stops: tuple[MedicationEvent, ...]


def current_medicines(
    events: Sequence[MedicationEvent], day: date
) -> tuple[Taken, ...]:
    """What is or may be taken on `day`, by ingredient and source.

    Events of later days count for nothing; where a course stands is known as of the
    reading, so `day` should be the day of that.
    """
    denied = [
        one
        for one in events
        if one.change is MedicationChange.NOT_TAKEN and _is_by(one, day)
    ]
    found = (_taken(one, denied, events, day) for one in _courses(events))
    made = {one for one in found if one is not None}
    return tuple(sorted(made, key=lambda one: (one.ingredients, one.source, one.code)))


def _courses(events: Iterable[MedicationEvent]) -> list[_Course]:
    starts = [one for one in events if one.change is MedicationChange.START]
    stops = [one for one in events if one.change is MedicationChange.STOP]
    return [
        _Course(start, tuple(stop for stop in stops if stop.source == start.source))
        for start in starts
    ]


def _is_by(event: MedicationEvent, day: date) -> bool:
    return event.day is None or event.day <= day


def _taken(
    course: _Course,
    denied: Sequence[MedicationEvent],
    events: Sequence[MedicationEvent],
    day: date,
) -> Taken | None:
    start = course.start
    if not _is_by(start, day) or _is_over(course, day):
        return None
    doubt = _doubt(start, denied, day)
    if doubt is None:
        return None
    return Taken(
        ingredients=start.ingredients,
        code=start.code,
        source=start.source,
        since=start.day,
        standing="possible" if doubt else "current",
        because=doubt or _active(start, events, day),
    )


def _is_over(course: _Course, day: date) -> bool:
    """True after a stated end; one without a day ends what is said to be over."""
    is_ended = course.start.state in _OVER
    return any(
        is_ended if stop.day is None else stop.day < day for stop in course.stops
    )


def _doubt(
    start: MedicationEvent, denied: Sequence[MedicationEvent], day: date
) -> str | None:
    """Why it may not be taken, "" where nothing says so; None where it is over."""
    if start.state is CourseState.ON_HOLD:
        return "on hold, since when is not said"
    if start.state is not CourseState.ACTIVE:
        is_recent = start.day is not None and day - start.day <= SUPPLY
        return "the order was carried out; its supply may last" if is_recent else None
    if any(_denies(one, start) for one in denied):
        return "said not to be taken, against an active order or statement"
    return ""


def _denies(denial: MedicationEvent, start: MedicationEvent) -> bool:
    """One of its ingredients, unless it was begun after the denial."""
    if set(denial.ingredients).isdisjoint(start.ingredients):
        return False
    return denial.day is None or start.day is None or start.day <= denial.day


def _active(
    start: MedicationEvent, events: Sequence[MedicationEvent], day: date
) -> str:
    """That it is active, and for how long nobody renewed it if that is long."""
    days = [
        one.day
        for one in events
        if one.change is MedicationChange.START
        and one.day is not None
        and one.day <= day
        and not set(one.ingredients).isdisjoint(start.ingredients)
    ]
    if not days:
        return "active; no day is stated"
    silent = (day - max(days)).days
    if silent <= RENEWAL_DAYS:
        return "active"
    return f"active, but not renewed for {silent} days"
