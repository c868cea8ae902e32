"""How far to rely on a forecast: three words, each with its reasons.

A diary starts from its number of observed days (high from 30, medium from 14, else
low), a questionnaire from its days with scores (medium from 6, else low; never high).
Then it can only fall: one step for a thin diary and one more for an old last entry of
a diary; and however much there is, to medium at best without a model, to low for one
day with an entry and for a forecast whose days lie in the past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backend.twin.features import CONTEXT
from backend.twin.scales import Cadence
from backend.twin.trajectory import HORIZON, Grade, Method

HIGH_DAYS = 30
MEDIUM_DAYS = 14
MEDIUM_SCORES = 6  # of a questionnaire; our choice: real files hold few such people
ADHERENCE = 0.5  # share of days answered below which a diary is thin
RECENT_DAYS = 7  # age of a diary's last entry above which it counts as old
ONE_DAY = f"one day with an entry in the last {CONTEXT} days"
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

    @property
    def over(self) -> bool:
        """Whether no forecast day lies after the day asked for."""
        return self.age_days >= HORIZON


def grade(evidence: Evidence) -> tuple[Grade, tuple[str, ...]]:
    """The grade, and in words everything that made it, the number of entries first."""
    start, reason = _start(evidence)
    steps = tuple(_steps_down(evidence))
    ceilings = tuple(_ceilings(evidence))
    stepped = _ORDER[max(_ORDER.index(start) - len(steps), 0)]
    level = min([stepped, *(limit for limit, _ in ceilings)], key=_ORDER.index)
    return level, (reason, *steps, *(why for _, why in ceilings))


def _start(evidence: Evidence) -> tuple[Grade, str]:
    """What the number of entries gives by itself."""
    if evidence.cadence == "questionnaire":
        return _scores(evidence.observed_days)
    return _days(evidence.observed_days)


def _scores(scores: int) -> tuple[Grade, str]:
    counted = "1 day with a score" if scores == 1 else f"{scores} days with scores"
    if scores >= MEDIUM_SCORES:
        return Grade.MEDIUM, f"{counted} ({MEDIUM_SCORES} or more)"
    return Grade.LOW, f"{counted} (fewer than {MEDIUM_SCORES})"


def _days(days: int) -> tuple[Grade, str]:
    counted = f"{days} observed day{'s' if days != 1 else ''}"
    if days >= HIGH_DAYS:
        return Grade.HIGH, f"{counted} ({HIGH_DAYS} or more)"
    if days >= MEDIUM_DAYS:
        return Grade.MEDIUM, f"{counted} ({MEDIUM_DAYS} to {HIGH_DAYS - 1})"
    return Grade.LOW, f"{counted} (fewer than {MEDIUM_DAYS})"


def _steps_down(evidence: Evidence) -> Iterator[str]:
    """Why a diary's grade falls by one step, once per reason."""
    if evidence.cadence != "daily":
        return
    if evidence.adherence < ADHERENCE:
        share = round(100 * evidence.adherence)
        yield f"{share} % of {evidence.span_days} days have an entry"
    if RECENT_DAYS < evidence.age_days < HORIZON:
        yield f"the last entry is {evidence.age_days} days old"


def _ceilings(evidence: Evidence) -> Iterator[tuple[Grade, str]]:
    """What no number of entries makes up for: the highest grade left, and why."""
    age = f"the last entry is {evidence.age_days} days old"
    if evidence.historical:
        yield Grade.LOW, f"historical: {age}"
    elif evidence.over:
        yield Grade.LOW, f"no forecast day lies ahead: {age}"
    if evidence.method == "prior":
        yield Grade.LOW, f"{ONE_DAY}: how far the next may lie from it is assumed"
    elif evidence.method == "irregular":
        yield Grade.MEDIUM, "no model: few scores, at their own days"
    elif evidence.method == "climatology":
        yield Grade.MEDIUM, "fallback: the person's own recent days, no model"
