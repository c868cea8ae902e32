from __future__ import annotations

from typing import Any

import pytest

from fhir_integration.labels import is_restricted

NOW = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
STU3 = "http://hl7.org/fhir/v3/Confidentiality"
OID = "urn:oid:2.16.840.1.113883.5.25"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def labelled(*labels: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "meta": {"security": list(labels)}}


@pytest.mark.parametrize("system", [NOW, STU3, OID])
@pytest.mark.parametrize(
    ("code", "restricted"),
    [
        ("R", True),
        ("V", True),
        ("U", False),
        ("L", False),
        ("M", False),
        ("N", False),
        (" R ", True),
        (" N ", False),
        ("PSY", True),  # a retired code of the system for what is kept apart
        (None, True),
        (7, True),
    ],
)
def test_the_code_decides(system: str, code: Any, restricted: bool) -> None:
    assert is_restricted(labelled({"system": system, "code": code})) is restricted


@pytest.mark.parametrize(
    ("label", "restricted"),
    [
        ({"code": "R"}, True),  # no system: the letters of restriction are enough
        ({"code": "V"}, True),
        ({"code": "N"}, False),
        ({}, False),
        ({"system": ACT, "code": "R"}, False),
        ({"system": ACT, "code": "TBOO"}, False),
        ({"system": 7, "code": "N"}, True),
        ("R", True),
        (None, True),
    ],
)
def test_what_cannot_be_read_counts_as_restricted(label: Any, restricted: bool) -> None:
    assert is_restricted(labelled(label)) is restricted


def test_one_label_of_many_is_enough() -> None:
    normal, secret = ({"system": NOW, "code": code} for code in "NR")
    assert is_restricted(labelled(normal, secret))
    assert is_restricted(labelled(secret, normal))


@pytest.mark.parametrize(
    ("meta", "restricted"),
    [
        (None, False),
        ("R", False),
        ({}, False),
        ({"security": None}, False),
        ({"security": []}, False),
        ({"security": {"system": NOW, "code": "N"}}, True),  # no list of labels
        ({"security": "R"}, True),
    ],
)
def test_shapes_of_meta(meta: Any, restricted: bool) -> None:
    assert is_restricted({"meta": meta}) is restricted
    assert not is_restricted({})
