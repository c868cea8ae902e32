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


def made(kind: str, **fields: object) -> Json:
    resource = {
        "resourceType": kind,
        "status": "active",
        "subject": {"reference": "Patient/anna"},
        "medicationCodeableConcept": ZOLOFT,
        **fields,
    }
    return {key: value for key, value in resource.items() if value is not None}


def ordered(**fields: object) -> Json:
    more = {"intent": "order", "authoredOn": "2026-01-05", **fields}
    return made("MedicationRequest", **more)


def stated(status: str, **fields: object) -> Json:
    return made("MedicationStatement", status=status, **fields)


def administered(status: str = "completed", **fields: object) -> Json:
    return made("MedicationAdministration", status=status, **fields)


def handed_out(status: str = "completed", **fields: object) -> Json:
    return made("MedicationDispense", status=status, **fields)


def read(resource: Json) -> Results:
    return read_medication(resource, subject=ANNA, source="X/a", lookup={})


def told(results: Results) -> list[object]:
    return [
        one.reason if isinstance(one, Refused) else (one.change, one.day)
        for one in results
    ]


PERIOD = {"start": "2026-01-05", "end": "2026-01-06"}


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (ordered(), [(START, MONDAY)]),
        (ordered(status="on-hold"), [(START, MONDAY), (HOLD, None)]),
        (ordered(status="completed"), [(START, MONDAY)]),
        (ordered(status="stopped"), [(START, MONDAY), (STOP, None)]),
        (ordered(authoredOn=None), [(START, None)]),
        (ordered(doNotPerform=False), [(START, MONDAY)]),
        (ordered(intent="filler-order"), [(START, MONDAY)]),
        (
            ordered(dosageInstruction=[{"timing": BOUND}]),
            [(START, MONDAY), (STOP, TUESDAY)],
        ),
        # The planned end of what was stopped early is no day of stopping.
        (
            ordered(status="stopped", dosageInstruction=[{"timing": BOUND}]),
            [(START, MONDAY), (STOP, None)],
        ),
        (ordered(dosageInstruction=DOSAGE), [(START, MONDAY), (DOSE, MONDAY)]),
        (
            stated("active", effectivePeriod={"start": "2026-01-05"}),
            [(START, MONDAY)],
        ),
        (
            stated("active", effectivePeriod=PERIOD),
            [(START, MONDAY), (STOP, TUESDAY)],
        ),
        (stated("active", effectiveDateTime="2026-01-05"), [(START, MONDAY)]),
        (stated("active"), [(START, None)]),
        (stated("on-hold"), [(START, None), (HOLD, None)]),
        (
            stated("on-hold", effectivePeriod=PERIOD),
            [(START, MONDAY), (HOLD, None), (STOP, TUESDAY)],
        ),
        (stated("not-taken"), [(NOT_TAKEN, None)]),
        (stated("not-taken", dateAsserted="2026-01-06"), [(NOT_TAKEN, TUESDAY)]),
        (
            stated("not-taken", effectivePeriod=PERIOD, dateAsserted="2026-01-06"),
            [(NOT_TAKEN, MONDAY)],
        ),
        (
            stated("not-taken", effectiveDateTime="2026", dosage=DOSAGE),
            [(NOT_TAKEN, None), Reason.PARTIAL_DATE],
        ),
        (stated("stopped"), [(START, None), (STOP, None)]),
        # R4: a statement's "completed" means that it is no longer taken.
        (stated("completed"), [(START, None), (STOP, None)]),
        (
            stated("active", dosage=DOSAGE, effectiveDateTime="2026-01-05"),
            [(START, MONDAY), (DOSE, MONDAY)],
        ),
        (administered(effectiveDateTime="2026-01-05"), [(GIVEN, MONDAY)]),
        (administered(effectivePeriod=PERIOD), [(GIVEN, MONDAY)]),
        (handed_out(whenHandedOver="2026-01-06"), [(DISPENSED, TUESDAY)]),
        (
            handed_out(whenHandedOver="2026-01-06", whenPrepared="2026-01-05"),
            [(DISPENSED, TUESDAY)],
        ),
        (handed_out(whenPrepared="2026-01-05"), [(DISPENSED, MONDAY)]),
        (handed_out(), [(DISPENSED, None)]),
    ],
)
def test_events(resource: Json, said: list[object]) -> None:
    assert told(read(resource)) == said


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (ordered(resourceType="Observation"), Reason.WRONG_TYPE),
        (ordered(resourceType=["MedicationRequest"]), Reason.WRONG_TYPE),
        (ordered(status="cancelled"), Reason.CANCELLED),
        (ordered(status="entered-in-error"), Reason.ENTERED_IN_ERROR),
        (ordered(status="draft"), Reason.NOT_FINAL),
        (ordered(status="unknown"), Reason.NOT_FINAL),
        (ordered(status="bogus"), Reason.MALFORMED),
        (ordered(status=None), Reason.MALFORMED),
        (ordered(status=["active"]), Reason.MALFORMED),
        (ordered(intent="proposal"), Reason.NOT_FINAL),
        (ordered(intent="plan"), Reason.NOT_FINAL),
        (ordered(intent="option"), Reason.NOT_FINAL),
        (ordered(intent="wish"), Reason.MALFORMED),
        (ordered(intent=None), Reason.MALFORMED),
        (ordered(doNotPerform=True), Reason.CANCELLED),
        (ordered(doNotPerform="true"), Reason.MALFORMED),
        (ordered(subject={"reference": "Patient/bert"}), Reason.WRONG_PATIENT),
        (ordered(subject=None), Reason.WRONG_PATIENT),
        (stated("intended"), Reason.NOT_FINAL),
        (stated("unknown"), Reason.NOT_FINAL),
        (ordered(status="not-taken"), Reason.MALFORMED),
        (stated("entered-in-error"), Reason.ENTERED_IN_ERROR),
        (administered("not-done"), Reason.CANCELLED),
        (administered("in-progress"), Reason.NOT_FINAL),
        (administered("on-hold"), Reason.NOT_FINAL),
        (administered("stopped"), Reason.NOT_FINAL),
        (handed_out("preparation"), Reason.NOT_FINAL),
        (handed_out("cancelled"), Reason.CANCELLED),
        (handed_out("declined"), Reason.CANCELLED),
        (handed_out("stopped"), Reason.NOT_FINAL),
        # Of several objections the most telling comes first.
        (
            ordered(status="entered-in-error", subject={"reference": "Patient/bert"}),
            Reason.ENTERED_IN_ERROR,
        ),
        (
            ordered(
                subject={"reference": "Patient/bert"}, medicationCodeableConcept=None
            ),
            Reason.WRONG_PATIENT,
        ),
    ],
)
def test_refusals(resource: Json, reason: Reason) -> None:
    assert read(resource) == (Refused(reason),)


def test_several_ingredients_and_pointers() -> None:
    pointing = ordered(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}
    )
    assert told(read(pointing)) == [Reason.UNRESOLVED]
    both = {"coding": [{"system": RXNORM, "code": "403969"}]}
    inner = {"resourceType": "Medication", "id": "m", "code": both}
    (event,) = read({**pointing, "contained": [inner]})
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
    event, *refused = read(ordered(authoredOn=text))
    assert isinstance(event, MedicationEvent)
    assert (event.day, event.at, event.source) == (day, at, "X/a")
    assert refused == [Refused(reason) for reason in reasons]


def test_an_unread_date_is_refused_once() -> None:
    vague = ordered(authoredOn="2026", dosageInstruction=DOSAGE)
    assert told(read(vague)) == [(START, None), (DOSE, None), Reason.PARTIAL_DATE]


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
    st.sampled_from([ordered(), stated("active"), administered(), handed_out()]),
    st.sampled_from(FIELDS.split()),
    JSON,
)
def test_it_never_raises(resource: Json, field: str, value: object) -> None:
    changed = {**resource, field: value}
    if field == "medicationReference":
        del changed["medicationCodeableConcept"]
    assert all(isinstance(one, MedicationEvent | Refused) for one in read(changed))


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
        "naproxen start": 5,
        "naproxen stop": 1,
        "ibuprofen start": 3,
        "ibuprofen stop": 3,
        "hydrochlorothiazide start": 7,
        "furosemide start": 3,
        "verapamil start": 2,
        "no-unit": 8,
        "unknown-code": 285,
    }


def _counted(one: MedicationEvent | Refused) -> str:
    if isinstance(one, Refused):
        return one.reason
    return f"{' '.join(one.ingredients)} {one.change}"
