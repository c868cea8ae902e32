"""How far to rely on a forecast: three words, each with its reasons.

The number of observed days gives the grade (high from 30, medium from 14, else low).
Then it can only fall: one step for a thin diary or an old last entry, to medium at
best for the fallback, to low for shrinkage, the prior and a historical forecast.
A person with fewer than seven observed days is always low.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backend.twin.scales import Cadence
from backend.twin.trajectory import Grade, Method

HIGH_DAYS = 30
MEDIUM_DAYS = 14
ADHERENCE = 0.5  # share of days answered below which a diary is thin
RECENT_DAYS: dict[Cadence, int] = {"daily": 7, "questionnaire": 35}
HISTORICAL_DAYS: dict[Cadence, int] = {"daily": 28, "questionnaire": 120}

_ORDER = (Grade.LOW, Grade.MEDIUM, Grade.HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a grade is made of; days are calendar days, `observed` ones have an entry.

    `span_days` runs from the first observed day to the last, both included;
    `age_days` from the last one to the day the forecast was asked for.
    """

    cadence: Cadence
    method: Method
    observed_days: int
    span_days: int
    age_days: int

    @property
    def adherence(self) -> float:
        """Share of the span's days that have an entry, 0 to 1."""
        return self.observed_days / self.span_days

    @property
    def historical(self) -> bool:
        """Whether the last entry is too old to say anything about the present."""
        return self.age_days > HISTORICAL_DAYS[self.cadence]


def grade(evidence: Evidence) -> tuple[Grade, tuple[str, ...]]:
    """The grade, and in words everything that made it, the number of days first."""
    start, reason = _points(evidence.observed_days)
    level = start
    reasons = [reason]
    for limit, why in _limits(evidence, start):
        level = min(level, limit, key=_ORDER.index)
        reasons.append(why)
    return level, tuple(reasons)


def _points(days: int) -> tuple[Grade, str]:
    counted = f"{days} observed day{'s' if days != 1 else ''}"
    if days >= HIGH_DAYS:
        return Grade.HIGH, f"{counted} ({HIGH_DAYS} or more)"
    if days >= MEDIUM_DAYS:
        return Grade.MEDIUM, f"{counted} ({MEDIUM_DAYS} to {HIGH_DAYS - 1})"
    return Grade.LOW, f"{counted} (fewer than {MEDIUM_DAYS})"


def _limits(evidence: Evidence, start: Grade) -> Iterator[tuple[Grade, str]]:
    """Everything that holds the grade down: the highest grade left, and why."""
    step_down = _ORDER[max(_ORDER.index(start) - 1, 0)]
    if evidence.cadence == "daily" and evidence.adherence < ADHERENCE:
        share = round(100 * evidence.adherence)
        yield step_down, f"{share} % of {evidence.span_days} days have an entry"
    if evidence.historical:
        yield Grade.LOW, f"historical: the last entry is {evidence.age_days} days old"
    elif evidence.age_days > RECENT_DAYS[evidence.cadence]:
        yield step_down, f"the last entry is {evidence.age_days} days old"
    if evidence.method == "prior":
        yield Grade.LOW, "too few entries: mostly what is usual in a population"
    elif evidence.method == "shrinkage":
        yield Grade.LOW, "no model: own scores, moved towards what is usual"
    elif evidence.method == "climatology":
        yield Grade.MEDIUM, "fallback: the person's own recent days, no model"
