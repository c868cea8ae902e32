"""Starts, renewals, doses and stops of medicines, as days of a forecast's window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.history import (
    CourseState,
    Dose,
    MedicationChange,
    MedicationEvent,
)
from backend.twin.ingredients import ingredients
from backend.twin.treatment_changes import (
    ACTING,
    GAP_DAYS,
    RENEWAL_DAYS,
    treatment_changes,
)

LAST, DAYS = date(2026, 6, 30), 126
FIRST = LAST - timedelta(days=DAYS - 1)
ACTIVE, STOPPED = CourseState.ACTIVE, CourseState.STOPPED
START, STOP, DOSE = MedicationChange.START, MedicationChange.STOP, MedicationChange.DOSE
HOLD, NOT_TAKEN = MedicationChange.HOLD, MedicationChange.NOT_TAKEN
GIVEN, DISPENSED = MedicationChange.GIVEN, MedicationChange.DISPENSED

Events = list[MedicationEvent]
_numbers = count()


def said(
    change: MedicationChange,
    day: int | None,
    *,
    of: str = "sertraline",
    source: str = "",
    dose: Dose | None = None,
    state: CourseState | None = ACTIVE,
) -> MedicationEvent:
    """An event on a day of the window, 0 the first; without a source one of its own."""
    on = None if day is None else FIRST + timedelta(days=day)
    named = source or f"MedicationRequest/{next(_numbers)}"
    return MedicationEvent((of,), "1", change, on, "", dose, named, state)


def order(
    start: int,
    end: int | None = None,
    *,
    dose: Dose | float | None = None,
    of: str = "sertraline",
    state: CourseState = ACTIVE,
) -> Events:
    """What one order says: its START, its dose in mg a day, its planned end."""
    own = f"MedicationRequest/{next(_numbers)}"
    known = Dose(dose, "mg", 1.0) if isinstance(dose, float) else dose
    events = [said(START, start, of=of, source=own, state=state)]
    if known is not None:
        events.append(said(DOSE, start, of=of, source=own, dose=known, state=state))
    if end is not None:
        events.append(said(STOP, end, of=of, source=own, state=state))
    return events


def changes(*parts: Events) -> dict[int, int]:
    """The days of the window that are not 0, and their signs."""
    events = [event for part in parts for event in part]
    found = treatment_changes(events, last_day=LAST, days=DAYS)
    assert found.shape == (DAYS,)
    return {int(day): int(found[day]) for day in np.flatnonzero(found)}


def test_what_is_said_after_the_last_day_does_not_reach_back() -> None:
    """An order of doses as needed, with a scheduled one from after the window."""
    own, after = "MedicationRequest/own", DAYS + 20
    needed = said(DOSE, 96, source=own, dose=Dose(50.0, "mg", None, as_needed=True))
    daily = said(DOSE, after, source=own, dose=Dose(50.0, "mg", 1.0))
    assert changes([said(START, 96, source=own), needed, daily]) == {}


def test_without_medicines_nothing_is_known() -> None:
    assert changes([]) == {}


STORIES: dict[str, tuple[Sequence[Events], dict[int, int]]] = {
    "a start": ([order(20)], {20: 1}),
    "a start on the first day": ([order(0)], {0: 1}),
    "a start on the last day": ([order(DAYS - 1)], {DAYS - 1: 1}),
    "a start before the window": ([order(-1)], {}),
    "a start after it": ([order(DAYS)], {}),
    "a start without a day": ([[said(START, None)]], {}),
    "a start and its end": ([order(20, 50)], {20: 1, 50: -1}),
    "an end of what began before": ([order(-200, 50)], {50: -1}),
    "an end after the window": ([order(20, DAYS)], {20: 1}),
    "an end of what never began": ([[said(STOP, 20), said(NOT_TAKEN, 30)]], {}),
    "a start ended the same day": ([order(20, 20)], {}),
    "every month anew": ([order(day) for day in range(-300, DAYS, 30)], {}),
    "monthly, from within": ([order(day) for day in range(10, DAYS, 30)], {10: 1}),
    "monthly, each with an end":
        ([order(day, day + 30) for day in range(10, DAYS, 28)], {10: 1}),
    "each renewed late": ([order(-60, -30), order(-10, 20), order(40)], {}),
    "renewed at the end of the gap": ([order(-90, 5), order(5 + GAP_DAYS)], {}),
    "renewed after the gap":
        ([order(-90, 5), order(6 + GAP_DAYS)], {5: -1, 6 + GAP_DAYS: 1}),
    "a shorter order inside a longer": ([order(-9, 60), order(-20, 30)], {60: -1}),
    "the last renewal that counts": ([order(10 - RENEWAL_DAYS), order(10)], {}),
    "too long ago": ([order(9 - RENEWAL_DAYS), order(10)], {10: 1}),
    "stopped, the day unsaid, and renewed":
        ([[*order(-100, state=STOPPED), said(STOP, None)], order(20)], {}),
    "a statement beside an order": ([order(20), order(23)], {20: 1}),
    "a statement ends the order too": ([order(-50), order(-40, 30)], {30: -1}),
    "an end of no order's own": ([order(-50), [said(STOP, 30)]], {30: -1}),
    "paused": ([order(-50), [said(HOLD, 30)]], {30: -1}),
    "paused, taken up again":
        ([order(-50), [said(HOLD, 30)], order(40)], {30: -1, 40: 1}),
    "not taken, whatever was ordered":
        ([order(20), [said(NOT_TAKEN, 25)]], {20: 1, 25: -1}),
    "not taken on the day of the end":
        ([order(-50, 30), [said(NOT_TAKEN, 30)], order(40)], {30: -1, 40: 1}),
    "the same order once more": (
        [[said(START, d, source="MedicationRequest/a") for d in (10, 60)]
         + [said(STOP, 20, source="MedicationRequest/a")]],
        {10: 1, 20: -1, 60: 1},
    ),
    "given and handed out": ([[said(GIVEN, 10), said(DISPENSED, 20)]], {}),
    "two medicines": ([order(20), order(40, of="quetiapine")], {20: 1, 40: 1}),
    "one for the other": ([order(-50, 30), order(30, of="quetiapine")], {}),
    "two begun, one stopped": (
        [order(-50, 30), order(30, of="quetiapine"), order(30, of="lithium")],
        {30: 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), STORIES.values(), ids=STORIES)
def test_starts_and_stops(told: Sequence[Events], expected: dict[int, int]) -> None:
    assert changes(*told) == expected
    assert changes(*reversed(told)) == expected


def needed(start: int) -> Events:
    return order(start, dose=Dose(1.0, "mg", as_needed=True), of="lorazepam")


def tablets(start: int, amount: float, code: str = "1") -> Events:
    made = order(start, dose=Dose(amount, "{tablet}", 1.0))
    return [replace(event, code=code) for event in made]


DOSES: dict[str, tuple[Sequence[Events], dict[int, int]]] = {
    "raised": ([order(-50, dose=50.0), order(20, dose=100.0)], {20: 1}),
    "cut": ([order(-50, dose=100.0, state=STOPPED), order(20, dose=50.0)], {20: -1}),
    "lower beside one still active":
        ([order(-50, dose=100.0), order(20, dose=50.0)], {}),
    "equal": ([order(-50, dose=50.0), order(20, dose=50.0)], {}),
    "raised twice": (
        [order(d, dose=x) for d, x in ((-9, 25.0), (5, 50.0), (19, 75.0))],
        {5: 1, 19: 1},
    ),
    "unknown before": ([order(-50), order(20, dose=50.0)], {}),
    "unknown now": ([order(-50, dose=50.0), order(20)], {}),
    "unknown between":
        ([order(-50, dose=50.0), order(-20), order(20, dose=75.0)], {20: 1}),
    "doses a day unknown":
        ([order(-50, dose=50.0), order(20, dose=Dose(100.0, "mg"))], {}),
    "more often":
        ([order(-50, dose=50.0), order(20, dose=Dose(50.0, "mg", 2.0))], {20: 1}),
    "another unit": ([order(-50, dose=50.0), order(20, dose=Dose(1.0, "g", 1.0))], {}),
    "two amounts of a day":
        ([order(-50, dose=50.0), order(20, dose=75.0), order(20, dose=100.0)], {}),
    "one amount told twice":
        ([order(-50, dose=50.0), order(20, dose=75.0), order(20, dose=75.0)], {20: 1}),
    "more tablets": ([tablets(-50, 1.0), tablets(20, 2.0)], {20: 1}),
    "other tablets": ([tablets(-50, 1.0), tablets(20, 2.0, code="2")], {}),
    "begun anew with less":
        ([order(-99, 5, dose=100.0), order(60, dose=50.0)], {5: -1, 60: 1}),
    "another medicine's": (
        [
            order(-50, dose=20.0),
            order(-50, of="lithium"),
            order(9, dose=450.0, of="lithium"),
        ],
        {},
    ),
    "as needed": ([needed(20), needed(40)], {}),
    "as needed beside a regular one":
        ([order(-50, dose=1.0, of="lorazepam"), needed(20)], {}),
}  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), DOSES.values(), ids=DOSES)
def test_doses(told: Sequence[Events], expected: dict[int, int]) -> None:
    assert changes(*told) == expected


def test_one_order_with_a_regular_dose_and_one_as_needed_counts() -> None:
    [start, dose] = order(20, dose=0.5, of="lorazepam")
    extra = replace(dose, dose=Dose(1.0, "mg", as_needed=True))
    assert changes([start, dose, extra]) == {20: 1}


def test_a_dose_cut_by_the_same_source_is_a_cut_though_it_is_active() -> None:
    [start, dose] = order(-50, dose=100.0)
    later = replace(dose, day=FIRST + timedelta(days=20), dose=Dose(50.0, "mg", 1.0))
    assert changes([start, dose, later]) == {20: -1}


def test_a_product_of_two_ingredients_is_compared_with_itself_alone() -> None:
    both = ("fluoxetine", "olanzapine")

    def of(code: str, start: int, amount: float) -> Events:
        made = order(start, dose=amount)
        return [replace(event, ingredients=both, code=code) for event in made]

    assert changes(of("1", -50, 6.0), of("2", 20, 12.0)) == {}
    assert changes(of("1", -50, 6.0), of("1", 20, 12.0)) == {20: 1}


@pytest.mark.parametrize(
    ("medicine", "acts"),
    [
        ("lithium", True),
        ("zolpidem", True),
        ("buspirone", True),
        ("gabapentin", False),
        ("naltrexone", False),
        ("methylphenidate", False),
        ("dextromethorphan", False),
        ("metformin", False),
    ],
)
def test_only_psychiatric_medicines_count(medicine: str, *, acts: bool) -> None:
    assert changes(order(20, of=medicine)) == ({20: 1} if acts else {})


def test_every_class_that_counts_is_one_of_the_table() -> None:
    assert {one.group for one in ingredients().values()} >= ACTING


_DAY = st.none() | st.integers(-500, DAYS + 30)
_DOSES = st.none() | st.builds(
    Dose,
    st.sampled_from([1.0, 2.0]),
    st.sampled_from(["mg", "{tablet}"]),
    st.none() | st.just(1.0),
    as_needed=st.booleans(),
)
_EVENTS = st.lists(
    st.builds(
        said,
        st.sampled_from(MedicationChange),
        _DAY,
        source=st.sampled_from(["a", "b", "c"]),
        dose=_DOSES,
        state=st.none() | st.sampled_from(CourseState),
    ),
    max_size=12,
)


@given(_EVENTS, st.randoms())
def test_whatever_is_told_in_whatever_order_each_day_has_a_sign(
    events: Events, random: object
) -> None:
    found = treatment_changes(events, last_day=LAST, days=DAYS)
    assert set(found.tolist()) <= {-1.0, 0.0, 1.0}
    random.shuffle(events)  # type: ignore[attr-defined]
    again = treatment_changes(events, last_day=LAST, days=DAYS)
    assert np.array_equal(found, again)


@given(_EVENTS)
def test_what_happens_after_the_last_day_changes_nothing(events: Events) -> None:
    known = [one for one in events if one.day is None or one.day <= LAST]
    assert changes(events) == changes(known)
