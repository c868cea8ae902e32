"""A rejected consent: what the patient refused counts as refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir_integration.kinds.test_consent import actor, concept, denies, deny


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, True),  # it would have let everything happen
        ({"policyRule": None}, True),
        ({"provision": {"type": "permit"}}, True),
        ({"provision": "permit"}, True),
        ({"provision": {"type": "permit", "purpose": [{"code": "TREAT"}]}}, True),
        ({"provision": {"type": "permit", "purpose": [{"code": "HRESCH"}]}}, False),
        ({"provision": {"type": "permit", "period": {"end": "2025"}}}, False),
        ({"provision": {"actor": [actor("Practitioner/d1")]}}, False),
        ({"provision": {"provision": [{"type": "deny"}]}}, True),
        (deny(), False),  # a denial that was not made
        ({"policyRule": concept("OPTOUT")}, False),
        ({"scope": concept("treatment")}, True),
        ({"scope": concept("research")}, False),
        ({"scope": concept("adr")}, False),
        ({"scope": None}, True),
    ],
)
def test_a_rejected_consent_is_a_refusal_of_what_it_asked_for(
    changes: dict[str, Any], verdict: bool
) -> None:
    assert denies(status="rejected", **changes) is verdict
