"""Where a course of a medicine stands, and how much of it is taken."""

from __future__ import annotations

import pytest

from backend.twin.history import CourseState, Dose, MedicationEvent
from backend.twin.record import Reason
from fhir_integration.strict_json import Json
from tests.fhir_integration.kinds.test_medication import (
    DOSAGE,
    DOSE,
    MG,
    MONDAY,
    START,
    administered,
    handed_out,
    ordered,
    read,
    stated,
    told,
)


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (ordered(), CourseState.ACTIVE),
        (ordered(status="on-hold", dosageInstruction=DOSAGE), CourseState.ON_HOLD),
        (ordered(status="completed"), CourseState.COMPLETED),
        (ordered(status="stopped"), CourseState.STOPPED),
        (stated("active"), CourseState.ACTIVE),
        (stated("completed"), CourseState.COMPLETED),
        (stated("not-taken"), None),
        (administered(), None),
        (handed_out(), None),
    ],
)
def test_where_a_course_stands(resource: Json, state: CourseState | None) -> None:
    events = [one for one in read(resource) if isinstance(one, MedicationEvent)]
    assert events
    assert {event.state for event in events} == {state}


def test_a_daily_dose_and_one_as_needed_are_two() -> None:
    lines = [*DOSAGE, {**DOSAGE[0], "asNeededBoolean": True}]
    found = [
        event.dose
        for event in read(ordered(dosageInstruction=lines))
        if isinstance(event, MedicationEvent) and event.change is DOSE
    ]
    assert found == [Dose(50.0, "mg"), Dose(50.0, "mg", as_needed=True)]
    (handed,) = read(handed_out(dosageInstruction=lines))
    assert isinstance(handed, MedicationEvent)
    assert handed.dose is None


def test_doses() -> None:
    fifty = Dose(50.0, "mg")
    start, dose = read(ordered(dosageInstruction=DOSAGE))
    assert isinstance(start, MedicationEvent)
    assert isinstance(dose, MedicationEvent)
    assert (start.dose, dose.dose) == (None, fifty)
    (given,) = read(administered(dosage={"dose": MG}))
    (handed,) = read(handed_out(dosageInstruction=DOSAGE))
    assert isinstance(given, MedicationEvent)
    assert isinstance(handed, MedicationEvent)
    assert given.dose == handed.dose == fifty


def test_a_dose_without_unit_is_refused_beside_the_medicine() -> None:
    bare = [{"doseAndRate": [{"doseQuantity": {"value": 1.0}}]}]
    assert told(read(ordered(dosageInstruction=bare))) == [
        (START, MONDAY),
        Reason.NO_UNIT,
    ]
