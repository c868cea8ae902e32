from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.twin.current_medication import SUPPLY, current_medicines
from backend.twin.history import CourseState, MedicationChange, MedicationEvent

DAY = date(2026, 3, 1)
START, STOP = MedicationChange.START, MedicationChange.STOP
ACTIVE, OVER = CourseState.ACTIVE, CourseState.COMPLETED


def event(change: MedicationChange = START, ago: int | None = 10, **more: Any):
    """An event of fluoxetine so many days ago; None without a day."""
    parts: dict[str, Any] = {
        "ingredients": ("fluoxetine",),
        "code": "4493",
        "change": change,
        "day": None if ago is None else DAY - timedelta(days=ago),
        "at": "",
        "dose": None,
        "source": "MedicationRequest/m1",
        "state": ACTIVE,
    }
    return MedicationEvent(**{**parts, **more})


def denial(ago: int | None, **more: Any):
    source = "MedicationStatement/s1"
    return event(MedicationChange.NOT_TAKEN, ago, source=source, state=None, **more)


def standing(*events: MedicationEvent) -> list[str]:
    return [one.standing for one in current_medicines(events, DAY)]


LAST = SUPPLY.days


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event()], ["current"]),
        ([event(ago=0)], ["current"]),
        ([event(ago=-1)], []),
        ([event(ago=None)], ["current"]),
        ([event(ago=4000)], ["current"]),
        # a planned end of an active order
        ([event(), event(STOP, 0)], ["current"]),
        ([event(), event(STOP, 1)], []),
        ([event(), event(STOP, -30)], ["current"]),
        ([event(), event(STOP, None)], ["current"]),
        # another order's end ends nothing of this one's
        ([event(), event(STOP, 1, source="MedicationRequest/m2")], ["current"]),
        # statements that are over, with and without a day; orders that are
        ([event(state=OVER), event(STOP, None, state=OVER)], []),
        ([event(state=OVER), event(STOP, 3, state=OVER)], []),
        ([event(state=OVER), event(STOP, -3, state=OVER)], ["possible"]),
        ([event(state=CourseState.STOPPED), event(STOP, None)], []),
        # an order that was carried out
        ([event(state=OVER)], ["possible"]),
        ([event(ago=LAST, state=OVER)], ["possible"]),
        ([event(ago=LAST + 1, state=OVER)], []),
        ([event(ago=None, state=OVER)], []),
        ([event(state=CourseState.ON_HOLD)], ["possible"]),
        # somebody says that it is not taken
        ([event(), denial(5)], ["possible"]),
        ([event(), denial(None)], ["possible"]),
        ([event(ago=None), denial(5)], ["possible"]),
        ([event(), denial(20)], ["current"]),
        ([event(), denial(-1)], ["current"]),
        ([event(), denial(5, ingredients=("sertraline",))], ["current"]),
        ([denial(5)], []),
        # what was only handed out, or dosed
        ([event(MedicationChange.DISPENSED, state=None)], []),
        ([], []),
    ],
)
def test_what_is_taken_on_a_day(events: list[Any], expected: list[str]) -> None:
    assert standing(*events) == expected


@pytest.mark.parametrize(
    ("events", "because"),
    [
        ([event()], "active"),
        ([event(ago=400)], "active"),
        ([event(ago=401)], "active, but not renewed for 401 days"),
        ([event(ago=900), event(ago=3, source="x", state=OVER)], "active"),
        ([event(ago=None)], "active; no day is stated"),
        ([event(state=CourseState.ON_HOLD)], "on hold, since when is not said"),
    ],
)
def test_it_says_by_what(events: list[Any], because: str) -> None:
    assert current_medicines(events, DAY)[0].because == because


def test_the_order_of_events_does_not_matter() -> None:
    events = [
        event(source="b"),
        event(source="a"),
        event(ingredients=("citalopram",), code="2556", source="c"),
        event(STOP, 2, source="b"),
    ]
    found = current_medicines(events, DAY)
    assert [one.source for one in found] == ["c", "a"]
    assert found[1].since == DAY - timedelta(days=10)
    assert current_medicines(events[::-1], DAY) == found
