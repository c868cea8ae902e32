"""Consents in shapes that R4 does not know: a denial is heard, nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.kinds.consent import Consented, read_consent
from fhir_integration.kinds.refused import Refused
from tests.fhir_integration.kinds.test_consent import (
    ON,
    SUBJECT,
    concept,
    consent,
    denies,
    deny,
    read,
)

MODIFIER = [{"url": "https://ehr.example/only-if", "valueBoolean": True}]
LEGACY = "http://hl7.org/fhir/ConsentPolicy/opt-out"
UNREAD: list[dict[str, Any]] = [
    {"modifierExtension": MODIFIER},
    {"implicitRules": "https://ehr.example/rules"},
    {"policyRule": [concept("OPTIN")]},
    {"policyRule": "http://hl7.org/fhir/ConsentPolicy/opt-in"},
    {"decision": "permit"},
    {"except": [{"type": "permit"}]},
    {"provision": "deny"},
    {"provision": [{"type": "permit"}]},
    {"provision": {"type": "perhaps"}},
    {"provision": {"type": None}},
    {"provision": {"provision": {"type": "permit"}}},
    {"provision": {"provision": [{"type": "permit"}, "deny"]}},
    {"provision": {"provision": [{"modifierExtension": MODIFIER}]}},
    {"scope": concept("research"), "modifierExtension": MODIFIER},
]


@pytest.mark.parametrize("changes", UNREAD)
@pytest.mark.parametrize("status", ["active", "inactive"])
def test_what_is_not_understood_permits_nothing(
    changes: dict[str, Any], status: str
) -> None:
    assert read(status=status, **changes) == Refused(Reason.MALFORMED)


@pytest.mark.parametrize(
    "changes",
    [
        {"modifierExtension": MODIFIER, **deny()},
        {"decision": "deny"},
        {"decision": "deny", "patient": None, "subject": {"reference": "Patient/p1"}},
        {"except": [{"type": "deny"}]},
        {"policyRule": LEGACY},
        {"policyRule": [concept("OPTOUT")]},
        {"policyRule": {"coding": concept("OPTOUT")["coding"][0]}},
        {"policyRule": {"text": "opt out"}},
    ],
)
def test_a_denial_is_heard_in_whatever_shape(changes: dict[str, Any]) -> None:
    assert denies(**changes)
    assert read(status="inactive", **changes) in (
        Consented(False, "Consent/c1"),
        Refused(Reason.MALFORMED),
    )


@pytest.mark.parametrize(
    ("patient", "is_another"),
    [
        ({"reference": "http://ehr.example/fhir/Patient/p1"}, False),
        ({"reference": "https://inside.example/Patient/p1"}, False),
        ({"reference": "urn:uuid:4f"}, False),
        ({"identifier": {"value": "x"}}, False),
        ("Patient/p1", False),
        (None, False),
        ({"reference": "Patient/p2"}, True),
        ({"reference": "http://ehr.example/fhir/Patient/p2/_history/1"}, True),
    ],
)
def test_what_a_search_gave_is_theirs_unless_it_names_another(
    patient: Any, is_another: bool
) -> None:
    def found(**changes: Any) -> Consented | Refused:
        made = consent(patient=patient, **changes)
        return read_consent(made, subject=SUBJECT, on=ON, searched=True)

    other = Refused(Reason.WRONG_PATIENT)
    assert found() == (other if is_another else Refused(Reason.MALFORMED))
    assert found(**deny()) == (other if is_another else Consented(True, "Consent/c1"))
