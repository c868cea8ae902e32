from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from backend.twin.errors import EhrNotFound, EhrRefused, EhrUnavailable
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
    site = FhirEhr("http://a.example", transport=httpx.MockTransport(unasked))
    with pytest.raises(EhrNotFound):
        site.read_symptoms(ehr_patient, since=SINCE, until=UNTIL)


def unasked(_: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing should be asked")


def test_an_ehr_that_is_down_is_unavailable() -> None:
    site = FhirEhr("http://127.0.0.1:9/fhir", deadline_s=0.2)
    with pytest.raises(EhrUnavailable) as caught:
        site.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert caught.value.retry_after_s > 0
    site.close()


def test_a_site_that_takes_no_writes_is_not_written_to() -> None:
    site = FhirEhr(
        "http://a.example", write_mode="none", transport=httpx.MockTransport(unasked)
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
