"""Which days of a window brought a change of psychiatric treatment: +1, -1 or 0.

Prescriptions are written again every month or every year, so most orders change
nothing. Each resource is a course from its START to its STOP; courses of one ingredient
that renew each other are one episode. An episode's first day is +1 and its last one,
where somebody says it, -1; inside it a higher daily dose is +1, a lower one -1. What
was ordered or stated counts: nobody knows what was swallowed.

Pure: no clock, no randomness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np

from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.ingredients import ingredients

# A START this long after the last one of the same ingredient renews it, unless a STOP
# is known between: many orders run for a year, and are renewed up to a month late.
RENEWAL_DAYS = 400
# A STOP that a START follows so soon was the end of an order, not of the treatment:
# 30 days are the usual permissible gap in studies of who keeps taking antidepressants.
GAP_DAYS = 30

# Classes of the ingredient table that act on mood, anxiety, sleep or psychosis.
# Antiepileptics that are no mood stabilisers, ADHD's, those for addictions and mere
# partners of a combination do not count.
ACTING = frozenset(
    {"ssri", "snri", "tricyclic", "mao-inhibitor", "other-antidepressant"}
    | {"mood-stabiliser", "antipsychotic", "anxiolytic", "hypnotic"}
)
_PAUSES = frozenset({MedicationChange.HOLD, MedicationChange.NOT_TAKEN})
_MASSES = frozenset({"g", "mg", "ug"})
_Unit = tuple[str, str]  # UCUM, and the product's code where it takes one to compare


class _Dated(NamedTuple):
    """An event with a day, of one ingredient."""

    day: date
    event: MedicationEvent


class _Course(NamedTuple):
    """What one resource says was taken. `end` is None where no end is known.

    `is_paused`: somebody said so, or that it is not taken; no renewal undoes that.
    """

    start: date
    end: date | None
    is_paused: bool


class _End(NamedTuple):
    """A day on which every course ends that began on or before `since`."""

    day: date
    since: date
    is_pause: bool


@dataclass
class _Episode:
    """Courses that renew each other. `renewed` is the day of the last START."""

    start: date
    renewed: date
    end: date | None
    is_paused: bool

    def takes(self, course: _Course) -> bool:
        """Extend by a course that renews this one; False if it begins another."""
        if not self._is_renewed_on(course.start):
            return False
        self.renewed = course.start
        if (course.end or date.max) > (self.end or date.max):
            self.end, self.is_paused = course.end, course.is_paused
        return True

    def _is_renewed_on(self, day: date) -> bool:
        if self.end is None:
            return (day - self.renewed).days <= RENEWAL_DAYS
        return (day - self.end).days <= (0 if self.is_paused else GAP_DAYS)


class _Daily(NamedTuple):
    """A daily dose, who tells it, and whether that course is active to this day."""

    amount: float
    sources: frozenset[str]
    is_active: bool

    def replaces(self, before: _Daily) -> bool:
        """False if the two may hold at once."""
        return not before.is_active or not self.sources.isdisjoint(before.sources)


def treatment_changes(
    events: Sequence[MedicationEvent], *, last_day: date, days: int
) -> np.ndarray:
    """+1, -1 or 0 for each of the `days` days that end with `last_day`: float [days].

    +1: a psychiatric medicine begun, or its daily dose raised, on that day; -1: one
    stopped, paused or cut; 0: nothing known. Of several changes of a day the sign of
    their sum. Events before the window only tell what was running; those after
    `last_day`, those without a day and doses as needed are not used.
    """
    first_day = last_day - timedelta(days=days - 1)
    summed = np.zeros(days)
    for key, one in ingredients().items():
        if one.group not in ACTING:
            continue
        for day, sign in _changes(_of(key, events, last_day)):
            if day >= first_day:
                summed[(day - first_day).days] += sign
    signs: np.ndarray = np.sign(summed)
    return signs


def _of(
    ingredient: str, events: Sequence[MedicationEvent], last_day: date
) -> list[_Dated]:
    """The events of one ingredient that are used, in order of their days."""
    own = [
        event
        for event in events
        if ingredient in event.ingredients
        and (event.day is None or event.day <= last_day)
    ]
    needed = {event.source for event in own if event.dose and event.dose.as_needed}
    needed -= {e.source for e in own if e.dose and not e.dose.as_needed}
    found = [
        _Dated(event.day, event)
        for event in own
        if event.day is not None and event.source not in needed
    ]
    return sorted(found, key=lambda one: one.day)


def _changes(events: list[_Dated]) -> Iterator[tuple[date, int]]:
    """The changes of one ingredient: a day and +1 or -1, in no order."""
    for episode in _episodes(_courses(events)):
        yield episode.start, 1
        if episode.end is not None:
            yield episode.end, -1
        yield from _dose_changes(events, episode)


def _courses(events: list[_Dated]) -> list[_Course]:
    """A course for each START, in order of their days."""
    begun: defaultdict[str, list[date]] = defaultdict(list)
    for day, event in events:
        if event.change is MedicationChange.START:
            begun[event.source].append(day)
    ends = list(_ends(events, begun))
    courses = []
    for start in sorted(chain(*begun.values())):
        own = [one for one in ends if one.since >= start]
        first = min(own, key=lambda one: (one.day, not one.is_pause), default=None)
        end = first.day if first else None
        courses.append(_Course(start, end, first is not None and first.is_pause))
    return courses


def _ends(events: list[_Dated], begun: Mapping[str, Sequence[date]]) -> Iterator[_End]:
    """The days on which courses are said to end.

    A STOP is that of the order or statement that tells it, and of all begun before:
    the end of last month's order does not end this month's.
    """
    for day, event in events:
        if event.change in _PAUSES:
            yield _End(day, since=day, is_pause=True)
        elif event.change is MedicationChange.STOP:
            own = [start for start in begun.get(event.source, ()) if start <= day]
            yield _End(day, since=max(own, default=day), is_pause=False)


def _episodes(courses: list[_Course]) -> list[_Episode]:
    found: list[_Episode] = []
    for course in courses:
        if not found or not found[-1].takes(course):
            found.append(
                _Episode(course.start, course.start, course.end, course.is_paused)
            )
    return found


def _dose_changes(
    events: list[_Dated], episode: _Episode
) -> Iterator[tuple[date, int]]:
    """Each daily dose of the episode against the one known before in the same unit.

    Unknown, and so no change, is the dose of a day with several amounts, and a lower
    one beside another order that is still active: the two may add up.
    """
    inside = [one for one in events if _is_inside(one, episode)]
    known: dict[_Unit, _Daily] = {}
    for day, group in groupby(inside, key=lambda one: one.day):
        for unit, now in _daily(list(group)).items():
            before = known.get(unit, now)
            known[unit] = now
            if now.amount > before.amount:
                yield day, 1
            elif now.amount < before.amount and now.replaces(before):
                yield day, -1


def _is_inside(one: _Dated, episode: _Episode) -> bool:
    is_dose = one.event.change is MedicationChange.DOSE
    return is_dose and episode.start <= one.day < (episode.end or date.max)


def _daily(doses: list[_Dated]) -> dict[_Unit, _Daily]:
    """The daily dose of one day by unit, where one amount is known."""
    found: defaultdict[_Unit, list[tuple[float, MedicationEvent]]] = defaultdict(list)
    for _, event in doses:
        dose = event.dose
        if dose is not None and not dose.as_needed and dose.per_day is not None:
            told = dose.amount * dose.per_day, event
            found[_unit(dose.unit, event)].append(told)
    return {
        unit: _Daily(
            amount=told[0][0],
            sources=frozenset(event.source for _, event in told),
            is_active=any(e.state is CourseState.ACTIVE for _, e in told),
        )
        for unit, told in found.items()
        if len({amount for amount, _ in told}) == 1
    }


def _unit(unit: str, event: MedicationEvent) -> _Unit:
    """Masses of one ingredient compare; all else within the same product alone."""
    is_mass = unit in _MASSES and len(event.ingredients) == 1
    return unit, "" if is_mass else event.code
