"""Who the patient is, and what they forbid, as one site's EHR says it."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrMalformed, EhrNotFound, EhrRefused
from backend.twin.person import Person
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import bundle
from tests.fhir_integration.test_site import unasked

ON = date(2026, 3, 2)
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1990", "gender": "male"}
SOMEBODY = Person(date(1990, 1, 1), date(1990, 12, 31), "male")


def consent(**changes: Any) -> dict[str, Any]:
    """A consent of the patient's that opts out of everything."""
    return {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "patient": {"reference": "Patient/p1"},
        "policyRule": {"coding": [{"code": "OPTOUT"}]},
        **changes,
    }


def answering(
    *consents: dict[str, Any], status: int = 200, patient: Any = PATIENT
) -> FhirEhr:
    """A site with this patient, whose search for consents answers with `status`."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Patient/p1"):
            return httpx.Response(200, json=patient)
        assert request.url.path.endswith("/Consent")
        asked = f"Patient/{request.url.params['patient']}"
        found = [x for x in consents if x["patient"]["reference"] == asked]
        return httpx.Response(status, json=bundle(*(found or consents)))

    return FhirEhr("http://a.example/fhir", transport=httpx.MockTransport(handler))


def test_an_opt_out_that_names_a_merged_record_still_counts() -> None:
    links = [{"type": "replaces", "other": {"reference": "Patient/p0"}}]
    old = consent(patient={"reference": "Patient/p0"})
    yes = consent(policyRule={})
    site = answering(yes, old, patient={**PATIENT, "link": links})
    assert site.read_person("p1", on=ON).opted_out
    assert not answering(yes, old).read_person("p1", on=ON).opted_out


@pytest.mark.parametrize(("merged", "known"), [(8, True), (9, False), (40, False)])
def test_no_more_merged_records_are_searched_than_eight(
    merged: int, known: bool
) -> None:
    others = [{"reference": f"Patient/m{number:02}"} for number in range(merged)]
    links = [{"type": "replaces", "other": other} for other in others]
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Patient/p1"):
            return httpx.Response(200, json={**PATIENT, "link": links})
        asked.append(request.url.params["patient"])
        return httpx.Response(200, json=bundle())

    site = FhirEhr("http://a.example/fhir", transport=httpx.MockTransport(handler))
    assert site.read_person("p1", on=ON).consent_known is known
    assert asked == ["p1", *(f"m{number:02}" for number in range(8))]


@pytest.mark.parametrize(
    ("consents", "opted_out", "known"),
    [
        ([], False, True),
        ([consent()], True, True),
        ([consent(policyRule={"coding": [{"code": "OPTIN"}]})], False, True),
        ([consent(policyRule={}), consent(id="c2")], True, True),
        ([consent(status="draft")], False, True),
        ([consent(status="entered-in-error")], False, True),
        ([consent(provision={"period": {"end": "2026-03-01"}})], False, True),
        # A server that ignores the search gives other patients' consents too.
        ([consent(patient={"reference": "Patient/p2"})], False, True),
        ([consent(status=7)], False, False),  # nobody can tell what it says
        ([consent(status=7), consent(id="c2")], True, False),
        ([consent(policyRule={}, modifierExtension=[{"url": "urn:x"}])], False, False),
        ([consent(modifierExtension=[{"url": "urn:x"}])], True, True),
        # Named in another way than we would: the EHR was asked for theirs.
        ([consent(patient={"reference": "https://inside/Patient/p1"})], True, True),
        ([consent(patient={"reference": None})], True, True),
        ([consent(patient={"reference": None}, policyRule={})], False, False),
    ],
)
def test_who_the_patient_is_and_what_they_forbid(
    consents: list[dict[str, Any]], opted_out: bool, known: bool
) -> None:
    person = answering(*consents).read_person("p1", on=ON)
    assert (person.opted_out, person.consent_known) == (opted_out, known)
    assert (person.born_first, person.sex) == (SOMEBODY.born_first, "male")


def test_the_patient_of_the_sandbox(ehr: FhirEhr) -> None:
    site = ehr.client
    made = site.create({**PATIENT, "id": None}, if_none_exist={"identifier": "urn:x|1"})
    own_id = made.reference.removeprefix("Patient/")
    mine = consent(id=None, patient={"reference": made.reference})
    assert ehr.read_person(own_id, on=ON) == SOMEBODY
    site.create(mine, if_none_exist={"identifier": "urn:x|2"})
    assert ehr.read_person(own_id, on=ON).opted_out


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_server_without_consents_leaves_them_unknown(status: int) -> None:
    person = answering(status=status).read_person("p1", on=ON)
    assert (person.opted_out, person.consent_known) == (False, False)


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_keeps_its_consents_back_is_an_error(status: int) -> None:
    with pytest.raises(EhrRefused):
        answering(status=status).read_person("p1", on=ON)


@pytest.mark.parametrize("status", [404, 410])
def test_a_patient_that_is_not_there(status: int) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(status, json={}))
    site = FhirEhr("http://a.example/fhir", transport=answer)
    with pytest.raises(EhrNotFound):
        site.read_person("p1", on=ON)


@pytest.mark.parametrize(
    "patient",
    [
        {**PATIENT, "id": "p2"},
        {**PATIENT, "active": "yes"},
        {"resourceType": "Basic"},
        {**PATIENT, "animal": {}},
        {**PATIENT, "modifierExtension": [{"url": "urn:x"}]},
        {**PATIENT, "implicitRules": "urn:x"},
    ],
)
def test_an_answer_that_is_not_the_patient_asked_for(patient: Any) -> None:
    with pytest.raises(EhrMalformed):
        answering(patient=patient).read_person("p1", on=ON)


@pytest.mark.parametrize("ehr_patient", ["", "a b", "../Device/1"])
def test_no_person_is_asked_for_by_what_is_no_id(ehr_patient: str) -> None:
    site = FhirEhr("http://a.example", transport=httpx.MockTransport(unasked))
    with pytest.raises(EhrNotFound):
        site.read_person(ehr_patient, on=ON)
