from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from backend.twin.scales import scale
from fhir_integration.codes import LOINC
from fhir_integration.values import score
from tests.fhir_integration.made import SCORE

EXTENSIONS = "http://hl7.org/fhir/StructureDefinition"
ITEM_WEIGHT, ORDINAL_VALUE = f"{EXTENSIONS}/itemWeight", f"{EXTENSIONS}/ordinalValue"
ABSENT = f"{EXTENSIONS}/data-absent-reason"
SAID_ABSENT = {"extension": [{"url": ABSENT, "valueCode": "error"}]}
MODIFIER = {"modifierExtension": [{"url": "urn:not"}]}
ANSWER = {"coding": [{"system": LOINC, "code": "LA6570-1"}]}


@pytest.mark.parametrize(
    ("element", "number"),
    [
        ({"valueQuantity": {"value": 12, **SCORE}}, 12.0),
        ({"valueQuantity": {"value": 7.5}}, 7.5),
        ({"valueQuantity": {"value": 1e300}}, 1e300),  # the range is another's to judge
        ({"valueInteger": 9}, 9.0),
        ({"valueInteger": 9, "_valueInteger": {"extension": [{"url": "urn:x"}]}}, 9.0),
        ({"valueString": "12"}, 12.0),
        ({"valueString": " 3.50 "}, 3.5),
    ],
)
def test_every_shape_in_use_is_read(element: dict[str, Any], number: float) -> None:
    for is_answer in (True, False):
        assert score(element, scale("phq9"), is_answer=is_answer) == number


def weighed(number: Any, url: str = ITEM_WEIGHT) -> dict[str, Any]:
    """An answer of the EHR's own code system, with its number."""
    extension = [{"url": url, "valueDecimal": number}]
    return {"system": "urn:ehr", "code": "x", "extension": extension}


OWN = {"system": "urn:ehr", "code": "LA6571-9"}


@pytest.mark.parametrize(
    ("codings", "number"),
    [
        (ANSWER["coding"], 2.0),
        ([7, {}, OWN, *ANSWER["coding"]], 2.0),
        ([*ANSWER["coding"], *ANSWER["coding"]], 2.0),
        ([weighed(2)], 2.0),
        ([weighed(0, ORDINAL_VALUE)], 0.0),
        ([OWN, weighed(1.0), weighed(1, ORDINAL_VALUE)], 1.0),
        ([*ANSWER["coding"], weighed(3)], 2.0),  # LOINC's number is LOINC's
    ],
)
def test_a_coded_answer_has_its_number(codings: list[Any], number: float) -> None:
    element = {"valueCodeableConcept": {"coding": codings}}
    assert score(element, scale("phq9"), is_answer=True) == number


@pytest.mark.parametrize(
    "codings",
    [
        [],
        [OWN],
        [{"system": LOINC, "code": "LA6568-5"}, *ANSWER["coding"]],
        [weighed(1), weighed(2)],
        [weighed(2, "http://example.org/weight")],
        [weighed("2")],
        [weighed(None)],
        [{**OWN, "extension": [{"url": []}, 7]}],
    ],
)
def test_a_coded_answer_without_one_number_is_not_guessed(codings: list[Any]) -> None:
    element = {"valueCodeableConcept": {"coding": codings, "text": "2"}}
    found = score(element, scale("phq9"), is_answer=True)
    assert found is Reason.NOT_A_NUMBER


def test_an_answer_is_no_total() -> None:
    for codings in (ANSWER["coding"], [weighed(2)]):
        element = {"valueCodeableConcept": {"coding": codings}}
        found = score(element, scale("phq9"), is_answer=False)
        assert found is Reason.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({}, Reason.NO_VALUE),
        ({"dataAbsentReason": {"text": "asked"}}, Reason.NO_VALUE),
        ({"valueInteger": 0, "dataAbsentReason": {}}, Reason.NO_VALUE),
        ({"valueInteger": 9, "_valueInteger": SAID_ABSENT}, Reason.NO_VALUE),
        ({"valueQuantity": {"value": 9, "_value": SAID_ABSENT}}, Reason.NO_VALUE),
        ({"valueInteger": 9, **MODIFIER}, Reason.MODIFIED),
        ({"valueQuantity": {"value": 9, **MODIFIER}}, Reason.MODIFIED),
        (MODIFIER, Reason.MODIFIED),
        ({"valueQuantity": SCORE}, Reason.NO_VALUE),
        ({"valueInteger": 1, "valueString": "1"}, Reason.MALFORMED),
        ({"valueQuantity": 12}, Reason.MALFORMED),
        ({"valueQuantity": {"value": "12"}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": True}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": None}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": float("inf")}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": 10**400}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": 5, "comparator": "<"}}, Reason.NOT_A_NUMBER),
        ({"valueQuantity": {"value": 5, "unit": "mg"}}, Reason.WRONG_UNIT),
        ({"valueInteger": True}, Reason.NOT_A_NUMBER),
        ({"valueInteger": 1.5}, Reason.NOT_A_NUMBER),
        ({"valueString": "12/27"}, Reason.NOT_A_NUMBER),
        ({"valueString": "nan"}, Reason.NOT_A_NUMBER),
        ({"valueString": "\u0661\u0662"}, Reason.NOT_A_NUMBER),
        ({"valueString": 12}, Reason.NOT_A_NUMBER),
        ({"valueBoolean": True}, Reason.NOT_A_NUMBER),
        (
            {"valueSampledData": {"origin": {"value": 0}, "data": "12 13"}},
            Reason.NOT_A_NUMBER,
        ),
        ({"valueRange": {"low": {"value": 10}}}, Reason.NOT_A_NUMBER),
        ({"valueRatio": {"numerator": {"value": 12}}}, Reason.NOT_A_NUMBER),
        ({"valuePeriod": {"start": "2026"}}, Reason.NOT_A_NUMBER),
        ({"valueTime": "12:00:00"}, Reason.NOT_A_NUMBER),
        ({"valueDecimal": 12}, Reason.NOT_A_NUMBER),
        ({"_valueInteger": {"extension": [{}]}}, Reason.NO_VALUE),
        ({"valueFoo": 12}, Reason.NO_VALUE),  # no element of R4
        ({"valueQuantity": {"value": "<5"}}, Reason.NOT_A_NUMBER),
        ({"valueCodeableConcept": {"text": "often"}}, Reason.NOT_A_NUMBER),
        ({"valueCodeableConcept": {"coding": [{"code": []}]}}, Reason.NOT_A_NUMBER),
        ({"valueCodeableConcept": {"coding": "LA6570-1"}}, Reason.NOT_A_NUMBER),
        (
            {"valueCodeableConcept": {"coding": [{"code": "LA6570-1"}]}},
            Reason.NOT_A_NUMBER,
        ),
    ],
)
def test_what_is_no_score_has_a_reason(element: dict[str, Any], reason: Reason) -> None:
    assert score(element, scale("phq9"), is_answer=True) is reason
