"""Which medicines a record says are taken on a day, and of which nobody can tell.

Only what stands as ordered or as stated counts. What may be taken, and may not, is
named with the reason: it is neither counted nor passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from backend.twin.history import CourseState, MedicationChange, MedicationEvent

# Five weeks: norfluoxetine, the slowest of the inhibitors to leave, has a half-life of
# up to 16 days (FDA label of fluoxetine, which asks for that wait before an MAOI).
LINGERS = timedelta(days=35)
CARRIED_OUT = "its order was carried out"
ON_HOLD = "it is on hold"
PAST_END = "its planned end is past, and it is marked as active"
NOT_TAKEN = "it was ordered, and is said not to be taken"
ENDED = "it ended less than five weeks ago, and its effect on enzymes may last"


@dataclass(frozen=True, slots=True)
class Taken:
    """Medicines on one day, by ingredient; by RxNorm code where that is not known.

    `current` in order of names. `orders`: the EHR's reference of the newest order or
    statement of each. `unsure`: those that were not counted, and why.
    """

    current: tuple[str, ...]
    orders: Mapping[str, str]
    unsure: Mapping[str, str]


class _Course(NamedTuple):
    """One order or statement: since when, and why it does not count, if so."""

    since: date | None
    source: str
    objection: str


def taken_on(events: Iterable[MedicationEvent], day: date) -> Taken:
    """What the orders and statements say of `day`; administrations are none of them."""
    courses: dict[str, list[_Course]] = defaultdict(list)
    denied: dict[str, list[date | None]] = defaultdict(list)
    for own in _by_source(events).values():
        begun = [one for one in own if one.change is MedicationChange.START]
        course = _course(begun[0], own, day) if begun else None
        for name in _names(own[0]):
            denied[name] += [
                one.day
                for one in own
                if one.change is MedicationChange.NOT_TAKEN
                and (one.day is None or one.day <= day)
            ]
            courses[name] += [] if course is None else [course]
    return _taken({name: _said(courses[name], denied[name]) for name in courses})


def _taken(courses: Mapping[str, Sequence[_Course]]) -> Taken:
    counted = {
        name: [one for one in found if not one.objection]
        for name, found in sorted(courses.items())
    }
    return Taken(
        current=tuple(name for name, found in counted.items() if found),
        orders={
            n: max(found, key=_newest).source for n, found in counted.items() if found
        },
        unsure={
            name: max(courses[name], key=_newest).objection
            for name, found in counted.items()
            if courses[name] and not found
        },
    )


def _by_source(
    events: Iterable[MedicationEvent],
) -> Mapping[tuple[str, str], list[MedicationEvent]]:
    """What one resource says of one product, in the order told."""
    found: dict[tuple[str, str], list[MedicationEvent]] = defaultdict(list)
    for one in events:
        found[one.source, one.code].append(one)
    return found


def _names(event: MedicationEvent) -> tuple[str, ...]:
    return event.ingredients or ((event.code,) if event.code else ())


def _course(
    begun: MedicationEvent, own: Sequence[MedicationEvent], day: date
) -> _Course | None:
    """The course, or None where it had not begun or is over."""
    if begun.day is not None and begun.day > day:
        return None
    ends = [one.day for one in own if one.change is MedicationChange.STOP]
    held = any(one.change is MedicationChange.HOLD for one in own)
    why = _objection(begun.state, ends, day, held=held)
    return None if why is None else _Course(begun.day, begun.source, why)


def _objection(
    state: CourseState | None, ends: Sequence[date | None], day: date, *, held: bool
) -> str | None:
    """Why it does not count, empty where it does; None where it is over for long."""
    end = min((one for one in ends if one is not None), default=None)
    if held:
        return ON_HOLD
    if end is not None and end >= day:
        return ""  # whatever became of it since: on that day it was not over
    if state is CourseState.ACTIVE:
        return PAST_END if ends else ""
    if end is not None:
        return ENDED if end > day - LINGERS else None
    return CARRIED_OUT if state is CourseState.COMPLETED and not ends else None


def _said(
    courses: Sequence[_Course], denied: Sequence[date | None]
) -> Sequence[_Course]:
    """The courses, as far as nobody says later that the medicine is not taken."""
    return [
        one._replace(objection=NOT_TAKEN)
        if any(_is_later(no, one.since) for no in denied)
        else one
        for one in courses
    ]


def _is_later(no: date | None, since: date | None) -> bool:
    return no is None or since is None or no >= since


def _newest(one: _Course) -> tuple[bool, date, str]:
    """An order before a statement: it is what somebody can change."""
    return (
        one.source.startswith("MedicationRequest/"),
        one.since or date.min,
        one.source,
    )
