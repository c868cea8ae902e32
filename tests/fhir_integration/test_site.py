from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrMalformed, EhrNotFound, EhrRefused, EhrUnavailable
from backend.twin.person import Person
from backend.twin.ports import Ehr
from backend.twin.record import Reason
from backend.twin.trajectory import HORIZON
from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import (
    SINCE,
    UNTIL,
    bundle,
    diary,
    document,
    observation,
    rating,
    safety,
)


def put(ehr: FhirEhr, *resources: dict[str, object]) -> None:
    for number, resource in enumerate(resources):
        own = {"identifier": [{"system": "urn:x", "value": str(number)}]}
        ehr.client.batch_create([{**resource, **own}])


def test_it_is_the_port() -> None:
    site: Ehr = FhirEhr("http://127.0.0.1:9/fhir")
    assert site.read_symptoms is not None


def test_only_the_patients_symptoms_of_the_window_are_asked_for(ehr: FhirEhr) -> None:
    other = {"subject": {"reference": "Patient/p2"}}
    steps = {"code": {"coding": [{"system": "http://loinc.org", "code": "55423-8"}]}}
    put(
        ehr,
        observation(),
        rating("r1", "2026-02-01", 4),
        diary("d1"),
        safety("s1"),
        observation(**other),
        observation(**steps),
        observation(effectiveDateTime="2025-06-01"),
    )
    record = ehr.read_symptoms("p1", since=SINCE, until=UNTIL)
    keys = [series.scale.key for series in record.series]
    assert keys == ["diary:cheerful", "mood-0-10", "phq9"]
    assert len(record.safety) == 1
    assert record.refused == ()


def test_what_names_a_merged_record_is_read_too(ehr: FhirEhr) -> None:
    old = {"subject": {"reference": "Patient/p2"}}
    put(
        ehr,
        rating("r1", "2026-02-01", 4),
        {**rating("r2", "2026-02-02", 5), **old},
        {**rating("r3", "2026-02-02", 6), "subject": {"reference": "Patient/p3"}},
    )
    record = ehr.read_symptoms("p1", since=SINCE, until=UNTIL, also=("p2",))
    assert [entry.value for entry in record.series[0].entries] == [4.0, 5.0]
    assert record.refused == ()


def test_the_days_at_the_edges_are_the_patients_own(ehr: FhirEhr) -> None:
    put(
        ehr,
        rating("a", f"{SINCE}T00:30:00+14:00", 1),  # still the day before in UTC
        rating("b", f"{UNTIL}T23:30:00-11:00", 2),  # the day after in UTC
        rating("c", f"{SINCE - timedelta(days=1)}T23:59:00+14:00", 3),
        rating("d", f"{UNTIL + timedelta(days=1)}T00:01:00-11:00", 4),
    )
    record = ehr.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert [entry.value for entry in record.series[0].entries] == [1.0, 2.0]
    assert [refusal.reason for refusal in record.refused] == [Reason.IN_FUTURE]


def test_many_pages_are_one_record(ehr: FhirEhr) -> None:
    first = date(2024, 1, 1)
    resources = [
        {
            **rating(f"r{day}", f"{first + timedelta(days=day)}", day % 11),
            "identifier": [{"system": "urn:x", "value": str(day)}],
        }
        for day in range(450)
    ]
    ehr.client.batch_create(resources)
    record = ehr.read_symptoms("p1", since=first, until=UNTIL)
    assert [len(series.entries) for series in record.series] == [450]


def test_a_server_that_ignores_the_search_does_no_harm() -> None:
    stray = [
        observation(id="x1", subject={"reference": "Patient/p2"}),
        observation(id="x2", code={"coding": [{"system": "urn:x", "code": "y"}]}),
    ]
    answer = httpx.Response(200, json=bundle(observation(), *stray))
    site = FhirEhr("http://a.example", transport=httpx.MockTransport(lambda _: answer))
    record = site.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert len(record.series) == 1
    assert [refusal.reason for refusal in record.refused] == [
        Reason.WRONG_PATIENT,
        Reason.UNKNOWN_CODE,
    ]


@pytest.mark.parametrize("ehr_patient", ["", "a b", "p1&code=x", "../Device/1"])
def test_what_is_no_id_is_not_asked_for(ehr_patient: str) -> None:
    site = FhirEhr("http://a.example", transport=httpx.MockTransport(_unasked))
    with pytest.raises(EhrNotFound):
        site.read_symptoms(ehr_patient, since=SINCE, until=UNTIL)


def _unasked(_: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing should be asked")


def test_an_ehr_that_is_down_is_unavailable() -> None:
    site = FhirEhr("http://127.0.0.1:9/fhir", deadline_s=0.2)
    with pytest.raises(EhrUnavailable) as caught:
        site.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert caught.value.retry_after_s > 0
    site.close()


def test_a_site_that_takes_no_writes_is_not_written_to() -> None:
    site = FhirEhr(
        "http://a.example", write_mode="none", transport=httpx.MockTransport(_unasked)
    )
    with pytest.raises(EhrRefused, match="takes no forecasts"):
        site.write_forecast(document())


def test_a_flat_site_gets_one_plain_observation_a_day(sandbox: Sandbox) -> None:
    site = FhirEhr(sandbox.base_url, write_mode="flat")
    first, second = (site.write_forecast(document()) for _ in range(2))
    written = list(site.client.search("Observation", {"patient": "p1"}))
    provenance = site.client.read(first.provenance)
    record = site.read_symptoms("p1", since=SINCE, until=date(2026, 12, 31))
    site.close()
    assert (first.created, second.created) == (True, False)
    assert first.provenance == second.provenance
    assert len(written) == len(provenance["target"]) == HORIZON
    assert first.observation == f"Observation/{written[0]['id']}"
    assert not any("component" in resource for resource in written)
    assert record.series == ()


def test_only_the_sites_own_base_makes_an_absolute_reference_ours() -> None:
    base = "http://a.example/fhir"
    stated = [f"{base}/Patient/p1", "https://b.example/fhir/Patient/p1"]
    found = [
        observation(id=f"x{n}", subject={"reference": reference})
        for n, reference in enumerate(stated)
    ]
    answer = httpx.Response(200, json=bundle(*found))
    site = FhirEhr(base, transport=httpx.MockTransport(lambda _: answer))
    record = site.read_symptoms("p1", since=SINCE, until=UNTIL)
    [entry] = record.series[0].entries
    assert entry.source == "Observation/x0/_history/1"
    assert [refusal.reason for refusal in record.refused] == [Reason.WRONG_PATIENT]


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
    [{**PATIENT, "id": "p2"}, {**PATIENT, "active": "yes"}, {"resourceType": "Basic"}],
)
def test_an_answer_that_is_not_the_patient_asked_for(patient: Any) -> None:
    with pytest.raises(EhrMalformed):
        answering(patient=patient).read_person("p1", on=ON)


@pytest.mark.parametrize("ehr_patient", ["", "a b", "../Device/1"])
def test_no_person_is_asked_for_by_what_is_no_id(ehr_patient: str) -> None:
    site = FhirEhr("http://a.example", transport=httpx.MockTransport(_unasked))
    with pytest.raises(EhrNotFound):
        site.read_person(ehr_patient, on=ON)
