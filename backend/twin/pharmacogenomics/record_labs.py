"""What laboratory values say of the conditions that safety rules ask about.

A value that is low or high says that something is there; one in the range says that it
is not, as long as no diagnosis says otherwise. No value says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from backend.twin.lab_facts import Lab, LabFact
from backend.twin.pharmacogenomics.record_conditions import PREGNANCY

# KDIGO 2012, chapter 1: below 60 mL/min per 1.73 m² the filtration is reduced, below 30
# severely; there is no such word for a clearance, which the rules ask for, so 30 to 59
# leaves it open.
REDUCED, SEVERE = 60.0, 30.0
# ms; AHA/ACCF/HRS 2009 (PMID 19228821): prolonged from 460 in women and 450 in men.
# Between the two nothing is said: the rule asks for no sex.
LONG, NOT_LONG = 460.0, 450.0


def conditions_of_labs(facts: Iterable[LabFact], day: date) -> dict[str, bool]:
    """Conditions by concept as of `day`, from the newest value of each kind.

    Of several values of one day the gravest counts. Creatinine alone says nothing: no
    filtration is computed from it here.
    """
    known = [one for one in facts if one.day <= day]
    return {
        **_of_kidneys(_newest(known, "egfr")),
        **_of_heart(_newest(known, "qtc")),
        **_of_pregnancy([one for one in known if one.kind == "pregnancy"], day),
    }


def _newest(facts: Sequence[LabFact], kind: Lab) -> list[float]:
    own = [one for one in facts if one.kind == kind]
    last = max((one.day for one in own), default=None)
    return [one.value for one in own if one.day == last]


def _of_kidneys(rates: Sequence[float]) -> dict[str, bool]:
    if not rates:
        return {}
    lowest = min(rates)
    is_severe = {"severe-kidney": True} if lowest < SEVERE else {}
    return {"kidney": lowest < REDUCED, **is_severe}


def _of_heart(intervals: Sequence[float]) -> dict[str, bool]:
    longest = max(intervals, default=None)
    if longest is None or NOT_LONG <= longest < LONG:
        return {}
    return {"long-qt": longest >= LONG}


def _of_pregnancy(tests: Sequence[LabFact], day: date) -> dict[str, bool]:
    """A pregnancy may last; that there is none holds for the test's own day alone."""
    last = max((one.day for one in tests), default=None)
    found = [one.value for one in tests if one.day == last]
    if last is not None and max(found) > 0:
        return {"pregnancy": True} if day - last <= PREGNANCY else {}
    return {"pregnancy": False} if last == day else {}
