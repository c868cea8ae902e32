"""Which medicine it is: several codes, words only, and every kind of reference."""

from __future__ import annotations

from itertools import permutations

import pytest

from backend.twin.record import Reason
from fhir_integration.kinds.medicine import RXNORM, rxnorm_code
from fhir_integration.strict_json import Json

ZOLOFT = {"coding": [{"system": RXNORM, "code": "36437"}]}


def _coded(*codings: object) -> Json:
    return {"medicationCodeableConcept": {"coding": list(codings)}}


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (_coded({"system": RXNORM, "code": "36437"}), "36437"),
        (_coded({"system": RXNORM, "code": "328670"}), "328670"),
        (_coded({"system": RXNORM, "code": "403969"}), "403969"),
        # The one that is known counts, whatever stands before or after.
        (
            _coded(
                "not an object",
                {"system": "urn:local", "code": "36437"},
                {"system": ["a list"], "code": "36437"},
                {"system": RXNORM, "code": 36437},
                {"system": RXNORM, "code": "313782"},
                {"system": "urn:oid:2.16.840.1.113883.6.88", "code": "4493"},
                {"system": RXNORM, "code": "310384"},
            ),
            "4493",
        ),
        # A product goes before its ingredients, in whichever order they come.
        *(
            (_coded(*({"system": RXNORM, "code": code} for code in codes)), "403969")
            for codes in permutations(("4493", "403969", "61381"))
        ),
        # Words decide nothing, not even wrong ones or ones with an invisible space.
        (
            _coded({"system": RXNORM, "code": "36437", "display": "Fluo\u200bxetine"}),
            "36437",
        ),
    ],
)
def test_codes(resource: Json, code: str) -> None:
    assert rxnorm_code(resource, lookup={}) == code


@pytest.mark.parametrize(
    "codes",
    [
        ("36437", "4493"),  # two ingredients that are no one product
        ("4493", "36437"),
        ("403969", "36437"),  # fluoxetine with olanzapine, and sertraline
        ("4493", "61381"),
    ],
)
def test_two_medicines_in_one_are_none(codes: tuple[str, ...]) -> None:
    resource = _coded(*({"system": RXNORM, "code": code} for code in codes))
    assert rxnorm_code(resource, lookup={}) is Reason.MALFORMED


@pytest.mark.parametrize(
    "concept",
    [
        {"text": "sertraline 50 mg"},
        {"coding": [{"display": "sertraline"}]},
        {"coding": [{"system": RXNORM, "code": "313782", "display": "sertraline"}]},
        {"coding": {"system": RXNORM, "code": "36437"}},
        "sertraline",
        None,
    ],
)
def test_unknown_medicines(concept: object) -> None:
    resource = {"medicationCodeableConcept": concept}
    assert rxnorm_code(resource, lookup={}) is Reason.UNKNOWN_CODE


TABLETS = {"resourceType": "Medication", "id": "m", "code": ZOLOFT}
URN = "urn:uuid:0f7f5dd6-7a55-4ed5-a6a2-8ff3a83c4c2c"
ABSOLUTE = "https://ehr.example/fhir/Medication/m"
LOOKUP = {
    "Medication/m": TABLETS,
    "Medication/old/_history/1": TABLETS,
    URN: TABLETS,
    ABSOLUTE: TABLETS,
    "Medication/none": {"resourceType": "Medication"},
    "Medication/error": {**TABLETS, "status": "entered-in-error"},
    "Medication/label": {**TABLETS, "meta": {"security": [{"code": "R"}]}},
    "Medication/older": {**TABLETS, "isBrand": True},
    "Medication/modified": {**TABLETS, "modifierExtension": [{"url": "urn:x"}]},
    "Medication/two": {
        **TABLETS,
        "code": {"coding": [{"system": RXNORM, "code": x} for x in ("36437", "4493")]},
    },
}


def _pointing(pointer: object, **fields: object) -> Json:
    return {"medicationReference": pointer, **fields}


@pytest.mark.parametrize(
    "resource",
    [
        _pointing({"reference": "Medication/m"}),
        _pointing({"reference": "Medication/m/_history/2"}),
        _pointing({"reference": "Medication/old/_history/1"}),
        _pointing({"reference": URN}),
        _pointing({"reference": ABSOLUTE}),
        _pointing({"reference": "#m"}, contained=["not an object", TABLETS]),
    ],
)
def test_medicines_that_are_pointed_at(resource: Json) -> None:
    assert rxnorm_code(resource, lookup=LOOKUP) == "36437"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (_pointing({"reference": "Medication/other"}), Reason.UNRESOLVED),
        (_pointing({"reference": "Medication?code=36437"}), Reason.UNRESOLVED),
        (_pointing({"reference": "#m"}), Reason.UNRESOLVED),
        (_pointing({"display": "sertraline"}), Reason.UNRESOLVED),
        (_pointing({"identifier": {"value": "m"}}), Reason.UNRESOLVED),
        (_pointing("Medication/m"), Reason.UNRESOLVED),
        (_pointing({"reference": "Medication/none"}), Reason.UNKNOWN_CODE),
        (_pointing({"reference": "Medication/error"}), Reason.ENTERED_IN_ERROR),
        (_pointing({"reference": "Medication/label"}), Reason.RESTRICTED),
        (_pointing({"reference": "Medication/older"}), Reason.UNRESOLVED),
        (_pointing({"reference": "Medication/modified"}), Reason.MODIFIED),
        (_pointing({"reference": "Medication/two"}), Reason.MALFORMED),
        (
            _pointing(
                {"reference": "#x"},
                contained=[{"resourceType": "Substance", "id": "x", "code": ZOLOFT}],
            ),
            Reason.UNRESOLVED,
        ),
    ],
)
def test_medicines_that_cannot_be_known(resource: Json, reason: Reason) -> None:
    assert rxnorm_code(resource, lookup=LOOKUP) is reason
