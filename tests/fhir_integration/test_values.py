from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from backend.twin.scales import scale
from fhir_integration.codes import LOINC
from fhir_integration.values import score
from tests.fhir_integration.made import SCORE

ANSWER = {"coding": [{"system": LOINC, "code": "LA6570-1"}]}


@pytest.mark.parametrize(
    ("element", "number"),
    [
        ({"valueQuantity": {"value": 12, **SCORE}}, 12.0),
        ({"valueQuantity": {"value": 7.5}}, 7.5),
        ({"valueInteger": 9}, 9.0),
        ({"valueString": "12"}, 12.0),
        ({"valueString": " 3.50 "}, 3.5),
        ({"valueCodeableConcept": ANSWER}, 2.0),
        ({"valueCodeableConcept": {"coding": [7, {}, *ANSWER["coding"]]}}, 2.0),
    ],
)
def test_every_shape_in_use_is_read(element: dict[str, Any], number: float) -> None:
    assert score(element, scale("phq9")) == number


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({}, Reason.NO_VALUE),
        ({"dataAbsentReason": {"text": "asked"}}, Reason.NO_VALUE),
        ({"valueInteger": 0, "dataAbsentReason": {}}, Reason.NO_VALUE),
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
        ({"valueString": 12}, Reason.NOT_A_NUMBER),
        ({"valueBoolean": True}, Reason.NOT_A_NUMBER),
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
    assert score(element, scale("phq9")) is reason
