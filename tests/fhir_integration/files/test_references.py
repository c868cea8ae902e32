"""Whose resource it is: one row for each kind of reference."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_integration.files.containers import Found, resources_in
from fhir_integration.files.references import References
from fhir_integration.files.scope import ALONE, Scope

Json = dict[str, Any]
BASE = "https://ehr.example/r4"
URN = "urn:uuid:0b7f6a1e-0000-4000-8000-000000000001"
OURS = {"system": "urn:mrn", "value": "1"}
BEARERS = {"urn:mrn|1": "Patient/known", "urn:mrn|2": ""}


def scope(*patients: Json) -> Scope:
    """A Bundle's own, with its patients under URN and at another server."""
    entries = [
        {"fullUrl": url, "resource": {"resourceType": "Patient", **one}}
        for url, one in zip((URN, "http://b.example/Patient/x"), patients, strict=False)
    ]
    bundle = {"resourceType": "Bundle", "entry": [*entries, {"resource": {}}]}
    return next(resources_in(bundle)).scope


def key(
    resource: Json, inside: Scope = ALONE, base_url: str = BASE, server: str = ""
) -> str | None:
    references = References(base_url=base_url, bearer=BEARERS.get)
    whole = {"resourceType": "Observation", **resource}
    found = references.whose(Found(whole, None, inside, server))
    return None if found is None else str(found.key)


def subject(reference: Any, **more: Any) -> Json:
    return {"id": "o1", "subject": {"reference": reference}, **more}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (subject("Patient/p1"), "Patient/p1"),
        (subject("Patient/p1/_history/3"), "Patient/p1"),
        (subject(f"{BASE}/Patient/p1"), "Patient/p1"),
        (subject("http://b.example/Patient/p1"), "http://b.example/Patient/p1"),
        (subject("Group/g1"), None),
        (subject("Patient/a b"), None),
        (subject("Patient/"), None),
        (subject(""), None),
        (subject(7), None),
        (subject(URN), None),
        (subject("Patient?identifier=urn:mrn|1"), "Patient/known"),
        (subject("Patient?identifier=urn%3Amrn%7C1"), "Patient/known"),
        (subject("Patient?identifier=urn:mrn|2"), None),
        (subject("Patient?identifier=urn:mrn|3"), "identifier urn:mrn|3"),
        (subject("Patient?identifier=3"), None),
        (subject("Patient?name=x"), None),
        (subject("Patient?identifier=urn:mrn|1&active=true"), None),
        (subject("Practitioner?identifier=urn:mrn|1"), None),
        ({"subject": {"identifier": OURS}}, "Patient/known"),
        ({"subject": {"display": "somebody"}}, None),
        ({"subject": [{"reference": "Patient/p1"}]}, None),
        ({"subject": "Patient/p1"}, None),
        ({"patient": {"reference": "Patient/p1"}}, "Patient/p1"),
        ({}, None),
        ({"resourceType": "Patient", "id": "p1"}, "Patient/p1"),
        ({"resourceType": "Patient"}, None),
    ],
)
def test_each_kind_of_reference(resource: Json, expected: str | None) -> None:
    assert key(resource) == expected


INNER = {"resourceType": "Patient", "id": "in"}


@pytest.mark.parametrize(
    ("contained", "expected"),
    [
        ([{**INNER, "identifier": [OURS]}], "Patient/known"),
        ([INNER], "Observation/o1#in"),
        ([{**INNER, "resourceType": "Group"}], None),
        ([{**INNER, "id": "other"}, "odd"], None),
        ("odd", None),
        (None, None),
    ],
)
def test_a_contained_patient_is_known_by_identifier_or_within_its_resource(
    contained: object, expected: str | None
) -> None:
    assert key(subject("#in", contained=contained)) == expected


def test_a_contained_patient_of_a_resource_without_a_name_is_nobody() -> None:
    assert key({**subject("#in", contained=[INNER]), "id": "a b"}) is None


@pytest.mark.parametrize(
    ("patients", "reference", "expected"),
    [
        ([{"id": "p1"}], URN, "Patient/p1"),
        ([{}], URN, f"Patient/{URN.removeprefix('urn:uuid:')}"),
        ([{"id": "p1"}, {"id": "x"}], "http://b.example/Patient/x",
         "http://b.example/Patient/x"),
        ([{"id": "p1"}], "Patient/p1", "Patient/p1"),
        ([{"id": "p1", "identifier": [OURS]}], "Patient?identifier=urn:mrn|1",
         "Patient/p1"),
        ([{"id": "p1", "identifier": [OURS]}, {"id": "x", "identifier": [OURS]}],
         "Patient?identifier=urn:mrn|1", None),
        ([{"id": "p1"}], "Patient?identifier=urn:mrn|1", "Patient/known"),
    ],
)  # fmt: skip
def test_a_bundle_s_own_entries_come_first(
    patients: list[Json], reference: str, expected: str | None
) -> None:
    assert key(subject(reference), scope(*patients)) == expected


def test_an_entry_that_is_no_patient_is_nobody() -> None:
    entry = {"fullUrl": URN, "resource": {"resourceType": "Group", "id": "g"}}
    inside = next(resources_in({"resourceType": "Bundle", "entry": [entry]})).scope
    assert key(subject(URN), inside) is None


def test_without_a_base_every_absolute_reference_is_its_own() -> None:
    reference = f"{BASE}/Patient/p1"
    assert key(subject(reference), base_url="") == reference
