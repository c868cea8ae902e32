"""Medicines in every shape that records hold; one row per rule."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.history import (
    CourseState,
    Dose,
    MedicationChange,
    MedicationEvent,
)
from backend.twin.record import Reason
from fhir_integration.kinds.medication import Results, read_medication
from fhir_integration.kinds.medicine import RXNORM
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject

START, STOP = MedicationChange.START, MedicationChange.STOP
DOSE, GIVEN = MedicationChange.DOSE, MedicationChange.GIVEN
DISPENSED, HOLD = MedicationChange.DISPENSED, MedicationChange.HOLD
NOT_TAKEN = MedicationChange.NOT_TAKEN
ANNA = Subject.at("https://ehr.example/fhir", "anna")
ZOLOFT = {"coding": [{"system": RXNORM, "code": "36437"}]}
MG = {"value": 50, "system": "http://unitsofmeasure.org", "code": "mg"}
DOSAGE = [{"doseAndRate": [{"doseQuantity": MG}]}]
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
BOUND = {"repeat": {"boundsPeriod": {"end": "2026-01-06"}}}


def _made(kind: str, **fields: object) -> Json:
    resource = {
        "resourceType": kind,
        "status": "active",
        "subject": {"reference": "Patient/anna"},
        "medicationCodeableConcept": ZOLOFT,
        **fields,
    }
    return {key: value for key, value in resource.items() if value is not None}


def _order(**fields: object) -> Json:
    more = {"intent": "order", "authoredOn": "2026-01-05", **fields}
    return _made("MedicationRequest", **more)


def _statement(status: str, **fields: object) -> Json:
    return _made("MedicationStatement", status=status, **fields)


def _given(status: str = "completed", **fields: object) -> Json:
    return _made("MedicationAdministration", status=status, **fields)


def _handed(status: str = "completed", **fields: object) -> Json:
    return _made("MedicationDispense", status=status, **fields)


def _read(resource: Json) -> Results:
    return read_medication(resource, subject=ANNA, source="X/a", lookup={})


def _said(results: Results) -> list[object]:
    return [
        one.reason if isinstance(one, Refused) else (one.change, one.day)
        for one in results
    ]


PERIOD = {"start": "2026-01-05", "end": "2026-01-06"}


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (_order(), [(START, MONDAY)]),
        (_order(status="on-hold"), [(START, MONDAY), (HOLD, None)]),
        (_order(status="completed"), [(START, MONDAY)]),
        (_order(status="stopped"), [(START, MONDAY), (STOP, None)]),
        (_order(authoredOn=None), [(START, None)]),
        (_order(doNotPerform=False), [(START, MONDAY)]),
        (_order(intent="filler-order"), [(START, MONDAY)]),
        (
            _order(dosageInstruction=[{"timing": BOUND}]),
            [(START, MONDAY), (STOP, TUESDAY)],
        ),
        # The planned end of what was stopped early is no day of stopping.
        (
            _order(status="stopped", dosageInstruction=[{"timing": BOUND}]),
            [(START, MONDAY), (STOP, None)],
        ),
        (_order(dosageInstruction=DOSAGE), [(START, MONDAY), (DOSE, MONDAY)]),
        (
            _statement("active", effectivePeriod={"start": "2026-01-05"}),
            [(START, MONDAY)],
        ),
        (
            _statement("active", effectivePeriod=PERIOD),
            [(START, MONDAY), (STOP, TUESDAY)],
        ),
        (_statement("active", effectiveDateTime="2026-01-05"), [(START, MONDAY)]),
        (_statement("active"), [(START, None)]),
        (_statement("on-hold"), [(START, None), (HOLD, None)]),
        (
            _statement("on-hold", effectivePeriod=PERIOD),
            [(START, MONDAY), (HOLD, None), (STOP, TUESDAY)],
        ),
        (_statement("not-taken"), [(NOT_TAKEN, None)]),
        (_statement("not-taken", dateAsserted="2026-01-06"), [(NOT_TAKEN, TUESDAY)]),
        (
            _statement("not-taken", effectivePeriod=PERIOD, dateAsserted="2026-01-06"),
            [(NOT_TAKEN, MONDAY)],
        ),
        (
            _statement("not-taken", effectiveDateTime="2026", dosage=DOSAGE),
            [(NOT_TAKEN, None), Reason.PARTIAL_DATE],
        ),
        (_statement("stopped"), [(START, None), (STOP, None)]),
        # R4: a statement's "completed" means that it is no longer taken.
        (_statement("completed"), [(START, None), (STOP, None)]),
        (
            _statement("active", dosage=DOSAGE, effectiveDateTime="2026-01-05"),
            [(START, MONDAY), (DOSE, MONDAY)],
        ),
        (_given(effectiveDateTime="2026-01-05"), [(GIVEN, MONDAY)]),
        (_given(effectivePeriod=PERIOD), [(GIVEN, MONDAY)]),
        (_handed(whenHandedOver="2026-01-06"), [(DISPENSED, TUESDAY)]),
        (
            _handed(whenHandedOver="2026-01-06", whenPrepared="2026-01-05"),
            [(DISPENSED, TUESDAY)],
        ),
        (_handed(whenPrepared="2026-01-05"), [(DISPENSED, MONDAY)]),
        (_handed(), [(DISPENSED, None)]),
    ],
)
def test_events(resource: Json, said: list[object]) -> None:
    assert _said(_read(resource)) == said


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (_order(resourceType="Observation"), Reason.WRONG_TYPE),
        (_order(resourceType=["MedicationRequest"]), Reason.WRONG_TYPE),
        (_order(status="cancelled"), Reason.CANCELLED),
        (_order(status="entered-in-error"), Reason.ENTERED_IN_ERROR),
        (_order(status="draft"), Reason.NOT_FINAL),
        (_order(status="unknown"), Reason.NOT_FINAL),
        (_order(status="bogus"), Reason.MALFORMED),
        (_order(status=None), Reason.MALFORMED),
        (_order(status=["active"]), Reason.MALFORMED),
        (_order(intent="proposal"), Reason.NOT_FINAL),
        (_order(intent="plan"), Reason.NOT_FINAL),
        (_order(intent="option"), Reason.NOT_FINAL),
        (_order(intent="wish"), Reason.MALFORMED),
        (_order(intent=None), Reason.MALFORMED),
        (_order(doNotPerform=True), Reason.CANCELLED),
        (_order(doNotPerform="true"), Reason.MALFORMED),
        (_order(subject={"reference": "Patient/bert"}), Reason.WRONG_PATIENT),
        (_order(subject=None), Reason.WRONG_PATIENT),
        (_statement("intended"), Reason.NOT_FINAL),
        (_statement("unknown"), Reason.NOT_FINAL),
        (_order(status="not-taken"), Reason.MALFORMED),
        (_statement("entered-in-error"), Reason.ENTERED_IN_ERROR),
        (_given("not-done"), Reason.CANCELLED),
        (_given("in-progress"), Reason.NOT_FINAL),
        (_given("on-hold"), Reason.NOT_FINAL),
        (_given("stopped"), Reason.NOT_FINAL),
        (_handed("preparation"), Reason.NOT_FINAL),
        (_handed("cancelled"), Reason.CANCELLED),
        (_handed("declined"), Reason.CANCELLED),
        (_handed("stopped"), Reason.NOT_FINAL),
        # Of several objections the most telling comes first.
        (
            _order(status="entered-in-error", subject={"reference": "Patient/bert"}),
            Reason.ENTERED_IN_ERROR,
        ),
        (
            _order(
                subject={"reference": "Patient/bert"}, medicationCodeableConcept=None
            ),
            Reason.WRONG_PATIENT,
        ),
    ],
)
def test_refusals(resource: Json, reason: Reason) -> None:
    assert _read(resource) == (Refused(reason),)


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (_order(), CourseState.ACTIVE),
        (_order(status="on-hold", dosageInstruction=DOSAGE), CourseState.ON_HOLD),
        (_order(status="completed"), CourseState.COMPLETED),
        (_order(status="stopped"), CourseState.STOPPED),
        (_statement("active"), CourseState.ACTIVE),
        (_statement("completed"), CourseState.COMPLETED),
        (_statement("not-taken"), None),
        (_given(), None),
        (_handed(), None),
    ],
)
def test_where_a_course_stands(resource: Json, state: CourseState | None) -> None:
    events = [one for one in _read(resource) if isinstance(one, MedicationEvent)]
    assert events
    assert {event.state for event in events} == {state}


def test_a_daily_dose_and_one_as_needed_are_two() -> None:
    lines = [*DOSAGE, {**DOSAGE[0], "asNeededBoolean": True}]
    found = [
        event.dose
        for event in _read(_order(dosageInstruction=lines))
        if isinstance(event, MedicationEvent) and event.change is DOSE
    ]
    assert found == [Dose(50.0, "mg"), Dose(50.0, "mg", as_needed=True)]
    (handed,) = _read(_handed(dosageInstruction=lines))
    assert isinstance(handed, MedicationEvent)
    assert handed.dose is None


def test_several_ingredients_and_pointers() -> None:
    pointing = _order(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}
    )
    assert _said(_read(pointing)) == [Reason.UNRESOLVED]
    both = {"coding": [{"system": RXNORM, "code": "403969"}]}
    (event,) = _read({**pointing, "contained": [{"id": "m", "code": both}]})
    assert isinstance(event, MedicationEvent)
    assert (event.code, event.ingredients) == ("403969", ("fluoxetine", "olanzapine"))


@pytest.mark.parametrize(
    ("text", "day", "at", "reasons"),
    [
        ("2026-01-05", MONDAY, "", []),
        ("2026-01-05T23:30:00-05:00", MONDAY, "2026-01-05T23:30:00-05:00", []),
        ("2026-01", None, "", [Reason.PARTIAL_DATE]),
        ("2026", None, "", [Reason.PARTIAL_DATE]),
        ("2026-02-30", None, "", [Reason.MALFORMED]),
        (20260105, None, "", [Reason.MALFORMED]),
        (None, None, "", []),
    ],
)
def test_the_medicine_outlives_its_date(
    text: object, day: date | None, at: str, reasons: list[Reason]
) -> None:
    event, *refused = _read(_order(authoredOn=text))
    assert isinstance(event, MedicationEvent)
    assert (event.day, event.at, event.source) == (day, at, "X/a")
    assert refused == [Refused(reason) for reason in reasons]


def test_doses() -> None:
    fifty = Dose(50.0, "mg")
    start, dose = _read(_order(dosageInstruction=DOSAGE))
    assert isinstance(start, MedicationEvent)
    assert isinstance(dose, MedicationEvent)
    assert (start.dose, dose.dose) == (None, fifty)
    (given,) = _read(_given(dosage={"dose": MG}))
    (handed,) = _read(_handed(dosageInstruction=DOSAGE))
    assert isinstance(given, MedicationEvent)
    assert isinstance(handed, MedicationEvent)
    assert given.dose == handed.dose == fifty


def test_a_dose_without_unit_is_refused_beside_the_medicine() -> None:
    bare = [{"doseAndRate": [{"doseQuantity": {"value": 1.0}}]}]
    assert _said(_read(_order(dosageInstruction=bare))) == [
        (START, MONDAY),
        Reason.NO_UNIT,
    ]


def test_an_unread_date_is_refused_once() -> None:
    vague = _order(authoredOn="2026", dosageInstruction=DOSAGE)
    assert _said(_read(vague)) == [(START, None), (DOSE, None), Reason.PARTIAL_DATE]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = (
    "resourceType status intent doNotPerform subject medicationCodeableConcept "
    "medicationReference contained authoredOn effectivePeriod effectiveDateTime "
    "dosageInstruction dosage whenHandedOver"
)


@given(
    st.sampled_from([_order(), _statement("active"), _given(), _handed()]),
    st.sampled_from(FIELDS.split()),
    JSON,
)
def test_it_never_raises(resource: Json, field: str, value: object) -> None:
    changed = {**resource, field: value}
    if field == "medicationReference":
        del changed["medicationCodeableConcept"]
    assert all(isinstance(one, MedicationEvent | Refused) for one in _read(changed))


def test_the_medicines_of_the_public_patients(shared: Path) -> None:
    """Resources by ingredient, as its README counts the codes; doses have no unit."""
    found: Counter[str] = Counter()
    for path in (shared / "data" / "fhir" / "demo").rglob("*.json"):
        for entry in orjson.loads(path.read_bytes())["entry"]:
            resource = entry["resource"]
            if resource["resourceType"].startswith("Medication"):
                subject = Subject("", frozenset({resource["subject"]["reference"]}))
                results = read_medication(
                    resource, subject=subject, source="", lookup={}
                )
                found.update(map(_counted, results))
    assert found == {
        "desipramine dispensed": 22,
        "desipramine start": 2,
        "desipramine stop": 2,
        "fluoxetine start": 5,
        "fluoxetine stop": 1,
        "sertraline start": 2,
        "doxepin start": 1,
        "atomoxetine start": 1,
        "atomoxetine stop": 1,
        "methylphenidate start": 1,
        "methylphenidate stop": 1,
        "no-unit": 5,
        "unknown-code": 305,
    }


def _counted(one: MedicationEvent | Refused) -> str:
    if isinstance(one, Refused):
        return one.reason
    return f"{' '.join(one.ingredients)} {one.change}"
