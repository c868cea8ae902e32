from __future__ import annotations

import pytest

from fhir_integration.naming import names, newness
from tests.fhir_integration.made import Json


@pytest.mark.parametrize(
    ("resource", "identity", "source"),
    [
        (
            {"resourceType": "Condition", "id": "c1", "meta": {"versionId": "2"}},
            "Condition/c1",
            "Condition/c1/_history/2",
        ),
        ({"resourceType": "Condition", "id": "c1"}, "Condition/c1", "Condition/c1"),
        (
            {"resourceType": "Condition", "id": "c1", "meta": {"versionId": "a b"}},
            "Condition/c1",
            "Condition/c1",
        ),
        (
            {"resourceType": "Condition", "id": "c1", "meta": "2"},
            "Condition/c1",
            "Condition/c1",
        ),
        ({"resourceType": "Condition"}, "", "Condition"),
        ({"resourceType": "Condition", "id": "c 1"}, "", "Condition"),
        ({"resourceType": "Condition", "id": 7}, "", "Condition"),
        ({"resourceType": "Mr Smith", "id": "c1"}, "Resource/c1", "Resource/c1"),
        ({"resourceType": ["x"]}, "", "Resource"),
        ({}, "", "Resource"),
    ],
)
def test_a_resource_is_named_by_type_id_and_version(
    resource: Json, identity: str, source: str
) -> None:
    assert names(resource) == (identity, source)


def test_a_later_update_is_newer_whatever_zone_states_it() -> None:
    stated = ["2026-02-14T10:00:00+02:00", "2026-02-14T09:00:00Z", "soon", None]
    ranks = [newness({"meta": {"lastUpdated": text}}) for text in stated]
    assert ranks[1] > ranks[0] > ranks[2] == ranks[3] == newness({"meta": 7})


def test_of_versions_without_a_date_the_higher_number_is_newer() -> None:
    versions = ("10", "9", "x", "v1-2", "v10", "v9", "u10", "")
    ranks = [newness({"meta": {"versionId": text}}) for text in versions]
    assert ranks == sorted(ranks, reverse=True)
