from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.record import Reason
from fhir_integration.kinds.consent import Consented, read_consent
from fhir_integration.kinds.refused import Refused
from fhir_integration.subject import Subject

ON = date(2026, 3, 2)
SUBJECT = Subject.at("https://ehr.example/fhir", "p1")
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def concept(code: str, system: str = ACT) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def consent(**changes: Any) -> dict[str, Any]:
    """An active consent to privacy rules that lets everything happen."""
    resource = {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "scope": concept("patient-privacy"),
        "patient": {"reference": "Patient/p1"},
        "policyRule": concept("OPTIN"),
        **changes,
    }
    return {key: value for key, value in resource.items() if value is not None}


def read(**changes: Any) -> Consented | Refused:
    return read_consent(consent(**changes), subject=SUBJECT, on=ON)


def denies(**changes: Any) -> bool:
    found = read(**changes)
    assert isinstance(found, Consented)
    assert found.source == "Consent/c1"
    return found.denies


def deny(**conditions: Any) -> dict[str, Any]:
    return {"provision": {"type": "deny", **conditions}}


def actor(reference: Any) -> dict[str, Any]:
    return {"role": concept("PRCP"), "reference": {"reference": reference}}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("draft", Refused(Reason.NOT_FINAL)),
        ("proposed", Refused(Reason.NOT_FINAL)),
        ("entered-in-error", Refused(Reason.ENTERED_IN_ERROR)),
        ("rejected", Consented(False, "Consent/c1")),
        ("inactive", Consented(False, "Consent/c1")),
        ("active", Consented(True, "Consent/c1")),
        ("bogus", Refused(Reason.MALFORMED)),
        (None, Refused(Reason.MALFORMED)),
        (["active"], Refused(Reason.MALFORMED)),
    ],
)
def test_only_an_active_consent_counts(status: Any, said: Consented | Refused) -> None:
    assert read(status=status, policyRule=concept("OPTOUT")) == said


@pytest.mark.parametrize(
    ("patient", "is_ours"),
    [
        ({"reference": "Patient/p1"}, True),
        ({"reference": "https://ehr.example/fhir/Patient/p1"}, True),
        ({"reference": "Patient/p2"}, False),
        ({"display": "A. N. Other"}, False),
        (None, False),
        ("Patient/p1", False),
    ],
)
def test_whose_consent_it_is(patient: Any, is_ours: bool) -> None:
    found = read(patient=patient)
    assert (found == Refused(Reason.WRONG_PATIENT)) is not is_ours


def test_what_is_no_consent_is_refused() -> None:
    assert read(resourceType="Contract") == Refused(Reason.WRONG_TYPE)


@pytest.mark.parametrize("own_id", [None, "not an id", 7])
def test_a_consent_without_an_id_still_counts(own_id: Any) -> None:
    found = read(id=own_id, policyRule=concept("OPTOUT"))
    assert found == Consented(True, "Consent")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("OPTOUT", True),
        ("OPTOUTE", True),
        ("EMRGONLY", True),
        ("NOCONSENT", True),
        ("OPTIN", False),
        ("IMPLIED", False),
    ],
)
def test_the_policy_decides_where_no_provision_does(code: str, verdict: bool) -> None:
    assert denies(policyRule=concept(code)) is verdict


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        (concept("patient-privacy"), True),
        (concept("treatment"), True),
        (concept("research"), False),
        (concept("adr"), False),  # an advance directive
        (concept("something-new"), True),
        ({"text": "privacy"}, True),
        (None, True),
        ("research", True),
    ],
)
def test_a_consent_to_research_is_another_matter(scope: Any, verdict: bool) -> None:
    assert denies(scope=scope, policyRule=concept("OPTOUT")) is verdict
    assert denies(scope=scope, **deny()) is verdict


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([], True),
        (["TREAT"], True),
        (["HOPERAT"], True),
        (["ETREAT"], True),
        (["HRESCH"], False),
        (["HMARKT"], False),
        (["HPAYMT", "PUBHLTH"], False),
        (["HRESCH", "TREAT"], True),
        (["SOMETHING"], True),
    ],
)
def test_a_denial_counts_unless_its_purpose_is_another(
    codes: list[str], verdict: bool
) -> None:
    purpose = [{"system": REASON, "code": code} for code in codes]
    assert denies(**deny(purpose=purpose)) is verdict
    assert denies(policyRule=concept("OPTOUT"), provision={"purpose": purpose}) is (
        verdict
    )


@pytest.mark.parametrize(
    ("period", "verdict"),
    [
        ({"start": "2026-03-02", "end": "2026-03-02"}, True),
        ({"start": "2026-03-03"}, False),
        ({"end": "2026-03-01"}, False),
        ({"start": "2026"}, True),
        ({"start": "2027"}, False),
        ({"end": "2026-03"}, True),
        ({"end": "2026-02"}, False),
        ({"start": "2026-03-02T17:00:00+01:00"}, True),
        ({}, True),
        ({"end": "some day"}, True),  # unreadable: taken to be in force
        ("2020", True),
    ],
)
def test_a_denial_holds_for_its_period(period: Any, verdict: bool) -> None:
    assert denies(**deny(period=period)) is verdict
    policy = concept("OPTOUT")
    assert denies(policyRule=policy, provision={"period": period}) is verdict


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        ({"actor": [actor("Organization/o1")]}, True),  # may be the site itself
        ({"actor": [actor("Practitioner/d1")]}, False),
        ({"actor": [actor("Practitioner/d1"), actor("Organization/o1")]}, True),
        ({"actor": [actor("https://x.example/PractitionerRole/d1")]}, False),
        ({"actor": [actor("RelatedPerson/r1/_history/2")]}, False),
        ({"actor": [actor(None)]}, True),
        ({"actor": [{"role": concept("PRCP")}]}, True),
        ({"actor": "Practitioner/d1"}, True),
        ({"action": [concept("access")]}, True),
        ({"action": [concept("correct")]}, False),
        ({"action": [concept("access"), concept("correct")]}, True),
        ({"data": [{"meaning": "instance", "reference": {}}]}, False),
        ({"securityLabel": [{"code": "PSY"}]}, True),
        ({"class": [{"code": "Observation"}]}, True),
    ],
)
def test_a_denial_counts_unless_it_is_known_to_be_narrow(
    conditions: dict[str, Any], verdict: bool
) -> None:
    assert denies(**deny(**conditions)) is verdict


@pytest.mark.parametrize(
    ("provision", "verdict"),
    [
        ({"type": "permit"}, False),
        ({"type": "permit", "provision": [{"type": "deny"}]}, True),
        ({"provision": [{"type": "permit"}, {"type": "deny"}]}, True),
        ({"provision": [{"provision": [{"type": "deny"}]}]}, True),
        ({"provision": [deny(purpose=[{"code": "HRESCH"}])["provision"]]}, False),
        ({"type": "deny", "provision": [{"type": "permit"}]}, True),
        ({"provision": [{}]}, False),  # without a type it denies nothing
        # Shapes that R4 does not know: a denial is heard all the same.
        ({"provision": {"type": "deny"}}, True),
        ([{"type": "permit"}, {"type": "deny"}], True),
        ({"type": "Deny "}, True),
        ({"type": ["deny"]}, True),
        ({"type": {"coding": [{"code": "deny"}]}}, True),
    ],
)
def test_provisions_within_provisions(provision: Any, verdict: bool) -> None:
    assert denies(provision=provision) is verdict


@pytest.mark.parametrize(("depth", "verdict"), [(8, False), (9, True), (200, True)])
def test_provisions_too_deep_to_follow_are_denials(depth: int, verdict: bool) -> None:
    inner: dict[str, Any] = {"type": "permit"}
    for _ in range(depth):
        inner = {"type": "permit", "provision": [inner]}
    assert denies(provision=inner) is verdict


@pytest.mark.parametrize(
    ("name", "patient", "on", "verdict"),
    [
        ("Emergency", "f001", ON, True),  # opted out but for emergencies
        ("Out", "f001", ON, True),  # opted out
        ("grantor", "f001", ON, True),  # opted out but for the grantor's own choice
        ("pkb", "example", ON, True),  # opted out, its exceptions have no type
        ("notOrg", "f001", ON, True),  # denies an organisation: it may be the site
        ("notAuthor", "f001", ON, False),  # opted in, its provision has no type
        ("notThem", "f001", ON, False),  # opted in; speaks of one person, no type
        ("notThis", "f001", ON, False),  # opted in; speaks of one document, no type
        ("notTime", "f001", date(2015, 1, 20), False),  # opted in, no type
        ("signature", "72", date(2016, 5, 1), False),  # opted in, permits
        ("smartonfhir", "xcda", date(2016, 6, 23), False),  # opted in, permits
        ("", "f001", date(2015, 6, 1), False),  # opted in
    ],
)
def test_the_examples_of_the_standard(
    shared: Path, *, name: str, patient: str, on: date, verdict: bool
) -> None:
    folder = shared / "data" / "fhir" / "examples" / "r4-core"
    file = folder / f"consent-example{name and f'-{name}'}.json"
    resource = json.loads(file.read_bytes())
    found = read_consent(resource, subject=Subject.at("", patient), on=on)
    assert isinstance(found, Consented)
    assert found.denies is verdict


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "type", "period", "provision", "actor"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(["scope", "policyRule", "provision", "status", "patient", "id"])


@given(st.dictionaries(KEYS, ANY, max_size=4))
def test_it_never_raises(fields: dict[str, Any]) -> None:
    assert read(**fields) is not None
