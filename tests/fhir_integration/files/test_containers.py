from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.record import Reason
from fhir_integration.files.containers import resources_in
from fhir_integration.files.scope import identifiers_of, own_key

Json = dict[str, Any]
ONE: Json = {"resourceType": "Observation", "id": "o1"}
TWO: Json = {"resourceType": "Patient", "id": "p1"}
STU3: Json = {"resourceType": "MedicationOrder", "id": "m1"}


def bundle(*entries: Any, kind: str = "collection") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def held(resource: Any, **entry: Any) -> Json:
    return {"resource": resource, **entry}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (ONE, [("o1", None)]),
        ({"a": 1}, [(None, None)]),
        ({}, [(None, None)]),
        *(
            (bundle(held(ONE), held(TWO), kind=kind), [("o1", None), ("p1", None)])
            for kind in ("transaction", "collection", "document", "history", "batch")
        ),
        (bundle(held(bundle(held(ONE)))), [("o1", None)]),
        (bundle(), [(None, Reason.NO_VALUE)]),
        ({"resourceType": "Bundle"}, [(None, Reason.NO_VALUE)]),
        ({"resourceType": "Bundle", "entry": 7}, [(None, Reason.MALFORMED)]),
        (bundle({"request": {"method": "DELETE"}}), [(None, Reason.NO_VALUE)]),
        (bundle({"response": {"status": "201"}}), [(None, Reason.NO_VALUE)]),
        (bundle({"fullUrl": "urn:x"}), [(None, Reason.NOT_FHIR)]),
        (bundle("odd", held("odd")), [(None, Reason.NOT_FHIR)] * 2),
        (bundle(held(ONE, search={"mode": "match"})), [("o1", None)]),
        (bundle(held(ONE, search={"mode": "include"})), [("o1", Reason.NOT_READ)]),
        (bundle(held(ONE, search={"mode": "outcome"})), [("o1", Reason.NOT_READ)]),
        (bundle(held(ONE, search="odd")), [("o1", None)]),
        ({"resourceType": "Parameters", "parameter": [held(ONE)]}, [("o1", None)]),
        ({"parameter": [{"part": [{"part": [held(ONE)]}]}]}, [("o1", None)]),
        ({"parameter": [held(ONE), held(TWO)]}, [("o1", None), ("p1", None)]),
        ({"parameter": [held(bundle(held(ONE)))]}, [("o1", None)]),
        ({"parameter": [{"valueString": "x"}, "odd"]}, [(None, Reason.NOT_READ)]),
        ({"resourceType": "Parameters"}, [(None, Reason.NOT_READ)]),
        ({**ONE, "contained": [TWO]}, [("o1", None)]),
        (bundle(held({**ONE, "contained": [TWO]})), [("o1", None)]),
    ],
)
def test_every_resource_is_found_once(
    document: Json, expected: list[tuple[str | None, Reason | None]]
) -> None:
    found = [(one.resource.get("id"), one.reason) for one in resources_in(document)]
    assert found == expected


def test_a_new_resource_of_a_transaction_is_named_by_its_url() -> None:
    url = "urn:uuid:0b7f6a1e-0000-4000-8000-000000000001"
    (found,) = resources_in(bundle(held({"resourceType": "Patient"}, fullUrl=url)))
    assert found.resource["id"] == url.removeprefix("urn:uuid:")
    assert own_key(found.scope.by_name[url].resource) == own_key(found.resource)


def test_entries_find_each_other_by_url_and_by_type_and_id() -> None:
    found = next(resources_in(bundle(held(ONE, fullUrl="http://a.example/x"), "odd")))
    assert set(found.scope.by_name) == {
        "http://a.example/x",
        "http://a.example/Observation/o1",
        "Observation/o1",
    }


def test_one_entry_of_another_version_marks_its_bundle_and_no_other() -> None:
    marked = bundle(held(ONE), held(STU3))
    outer = bundle(held(TWO), held(marked))
    scopes = {one.resource["id"]: one.scope for one in resources_in(outer)}
    assert {own_id: one.other_version for own_id, one in scopes.items()} == {
        "p1": False,
        "o1": True,
        "m1": True,
    }


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (TWO, "Patient/p1"),
        (ONE, ""),
        ({"resourceType": "Patient"}, ""),
        ({"resourceType": "Patient", "id": "a b"}, ""),
        ({"resourceType": "Patient", "id": 7}, ""),
    ],
)
def test_a_patient_is_known_by_an_id_that_fhir_allows(resource: Json, key: str) -> None:
    assert own_key(resource) == key


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([{"system": "urn:a", "value": "1"}], ["urn:a|1"]),
        ({"system": "urn:a", "value": "1"}, ["urn:a|1"]),
        ([{"system": "urn:a"}, {"value": "1"}, {"system": "", "value": "1"}, 7], []),
        ([{"system": 7, "value": "1"}], []),
        (None, []),
    ],
)
def test_an_identifier_needs_system_and_value(
    stated: object, expected: list[str]
) -> None:
    assert identifiers_of({"identifier": stated}) == expected


TYPES = ("Bundle", "Parameters", "Patient", "urn:uuid:1")
INNER = ("entry", "resource", "parameter", "part", "search", "identifier")
NAMES = st.sampled_from((*TYPES, *INNER, "resourceType", "fullUrl", "id", "mode"))
ANYTHING = st.recursive(
    NAMES | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5)
    ),
)


@given(st.dictionaries(NAMES, ANYTHING, max_size=6))
def test_whatever_an_object_holds_something_is_counted(document: Json) -> None:
    assert list(resources_in(document))
