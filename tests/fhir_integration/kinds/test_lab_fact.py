from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.twin.lab_facts import LAB_KINDS, LabFact
from backend.twin.record import Reason
from fhir_integration.codes import AI_LABEL, LOINC, SNOMED, UCUM
from fhir_integration.kinds.lab_fact import is_lab_fact, read_lab_fact
from fhir_integration.kinds.refused import Refused
from fhir_integration.subject import Subject
from tests.fhir_integration.made import BASE, observation

RATE = "mL/min/{1.73_m2}"
SUBJECT = Subject.at(BASE, "p1")


def lab(code: str = "98979-8", value: float = 55, unit: str | None = RATE, **more: Any):
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    if unit is None:
        quantity = {"value": value}
    coded = {"coding": [{"system": LOINC, "code": code}]}
    return observation(code=coded, **{"valueQuantity": quantity, **more})


def pregnancy(*answers: tuple[str, str]):
    codings = [{"system": system, "code": code} for system, code in answers]
    return lab("82810-3", valueQuantity=None, valueCodeableConcept={"coding": codings})


def read(resource: Any) -> LabFact | Refused:
    assert is_lab_fact(resource)
    [found] = read_lab_fact(resource, subject=SUBJECT, source="Observation/o1")
    return found


def test_a_value_is_read_with_day_unit_and_source() -> None:
    day = date(2026, 2, 14)
    expected = LabFact("egfr", 55.0, RATE, day, "98979-8", "Observation/o1")
    assert read(lab()) == expected


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("33914-3", 90, "mL/min", 90.0),
        ("33914-3", 90, "mL/min/1.73m2", 90.0),
        ("2160-0", 1.1, "mg/dL", 1.1),
        ("14682-9", 88.4, "umol/L", 1.0),
        ("8636-3", 0.44, "s", 440.0),
        ("8636-3", 440, "ms", 440.0),
    ],
)
def test_units_are_brought_to_one(
    code: str, value: float, unit: str, expected: float
) -> None:
    found = read(lab(code, value, unit))
    assert isinstance(found, LabFact)
    assert (found.kind, found.unit) == (LAB_KINDS[code].key, LAB_KINDS[code].unit)
    assert found.value == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(LOINC, "LA15173-0")], 1.0),
        ([(SNOMED, "77386006"), (LOINC, "LA15173-0")], 1.0),
        ([(LOINC, "LA26683-5")], 0.0),
        ([(SNOMED, "60001007"), ("urn:own", "no")], 0.0),
        ([(LOINC, "LA4489-6")], Reason.NO_VALUE),
        ([], Reason.NO_VALUE),
        ([(LOINC, "LA15173-0"), (SNOMED, "60001007")], Reason.MALFORMED),
    ],
)
def test_unknown_is_never_not_pregnant(answers: Any, expected: float | Reason) -> None:
    found = read(pregnancy(*answers))
    if isinstance(expected, Reason):
        assert found == Refused(expected)
    else:
        assert isinstance(found, LabFact)
        assert (found.kind, found.value) == ("pregnancy", expected)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (lab(status="preliminary"), Reason.NOT_FINAL),
        (lab(status="entered-in-error"), Reason.ENTERED_IN_ERROR),
        (lab(subject={"reference": "Patient/p2"}), Reason.WRONG_PATIENT),
        (lab(meta={"security": [AI_LABEL]}), Reason.WRONG_TYPE),
        (lab(valueQuantity=None), Reason.NO_VALUE),
        (lab(dataAbsentReason={"text": "?"}), Reason.NO_VALUE),
        (lab(valueString="55"), Reason.MALFORMED),
        (lab(valueQuantity=None, valueString="55"), Reason.NOT_A_NUMBER),
        (lab(valueQuantity={"value": 60, "comparator": ">"}), Reason.NOT_A_NUMBER),
        (lab(valueQuantity={"value": "60", "code": RATE}), Reason.NOT_A_NUMBER),
        (lab(valueQuantity={"value": 60, "modifierExtension": [{}]}), Reason.MODIFIED),
        (lab(unit=None), Reason.NO_UNIT),
        (lab(unit="L/h"), Reason.WRONG_UNIT),
        (lab(valueQuantity={"value": 60, "code": 7}), Reason.WRONG_UNIT),
        (lab(value=0), Reason.IMPLAUSIBLE),
        (lab(value=1e4), Reason.IMPLAUSIBLE),
        (lab(effectiveDateTime=None), Reason.NO_DATE),
        (lab(effectiveDateTime="2026-02"), Reason.PARTIAL_DATE),
    ],
)
def test_what_cannot_be_read_is_refused(resource: Any, reason: Reason) -> None:
    assert read(resource) == Refused(reason)


@pytest.mark.parametrize(
    "resource",
    [
        observation(),
        {**lab(), "resourceType": "Condition"},
        lab(code="8634-8"),
        lab(
            code=None,
        )
        | {
            "code": {
                "coding": [
                    {"system": LOINC, "code": "98979-8"},
                    {"system": LOINC, "code": "2160-0"},
                ]
            }
        },
    ],
)
def test_another_observation_is_none(resource: Any) -> None:
    assert not is_lab_fact(resource)
