"""HTTP in, Observation out: API, sandbox EHR over loopback, the shipped models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import httpx
import numpy as np
import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from backend import wiring
from backend.audit.models import AccessEvent
from backend.audit.verify import verify
from backend.jobs import demo, scoring
from backend.jobs.sandbox_process import sandbox
from backend.people.access import Actor, ehr_id_of, enrol
from backend.people.models import CareTeamMember, User
from backend.predictions.models import OutboxItem
from backend.twin.calibration import EVERYONE
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import local_scale
from backend.twin.simulation.treatment_demo import treatment_records
from backend.twin.simulation.wearable_demo import LABELS, wearable_records
from fhir_integration.codes import PREDICTION

pytestmark = pytest.mark.django_db

DIARY = "https://mindtwin.example/fhir/CodeSystem/diary"
LAST = date(2026, 3, 1)
NOW = datetime.combine(LAST, time(20), tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wiring, "_server", None)  # register anew in this test's rows
    with wiring.use(now=lambda: NOW):
        yield
    wiring.close()


@pytest.fixture
def clinician() -> User:
    return User.objects.create_user("clinician", password="correct-horse-battery")


@pytest.fixture
def api(clinician: User, settings: Any) -> APIClient:
    _, token = AuthToken.objects.create(clinician)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def series_of(seed: int) -> SimpleNamespace:
    """What the benchmark would hand over: days with gaps, made of whole numbers."""
    rng = np.random.default_rng(seed)
    days = int(rng.integers(20, 127))
    course = 5 + np.cumsum(rng.normal(0, 0.4, days)) + rng.normal(0, 1.5, days)
    values = np.clip(np.round(course), 0, 10)
    values[1:-1][rng.random(days - 2) < 0.2] = np.nan
    dates = np.datetime64(LAST, "D") - np.arange(days)[::-1]
    return SimpleNamespace(
        dates=dates, values=values, scale_min=0.0, scale_max=10.0, patient="any"
    )


def record_of(series: SimpleNamespace) -> PatientRecord:
    scale = local_scale("worry", system=DIARY, low=0.0, high=10.0)
    entries = tuple(
        Entry(day.astype(object), float(value), "")
        for day, value in zip(series.dates, series.values, strict=True)
        if not np.isnan(value)
    )
    return PatientRecord(series=(Series(scale, entries),))


def enrolled(url: str, user: User, records: dict[str, PatientRecord]) -> list[Any]:
    site = demo.site_at(url, slug="line")
    actor = Actor.of_command("test")
    people = list(demo.put_in(site, records, actor=actor, as_of=LAST))
    for person in people:
        CareTeamMember.objects.create(patient=person.patient, user=user)
    return people


def test_twenty_forecasts_over_the_api_equal_the_benchmarks_predictor(
    api: APIClient, clinician: User, ehr_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for calibration: a benchmark's leaves a quarter of the people out."""
    monkeypatch.setattr(scoring, "fold", lambda _patient: EVERYONE)
    series = [series_of(seed) for seed in range(20)]
    records = {f"p{i}": record_of(one) for i, one in enumerate(series)}
    answers = []
    for person in enrolled(ehr_url, clinician, records):
        answer = api.post(f"/api/v1/patients/{person.patient.pk}/forecasts", {})
        assert answer.status_code == 201, answer.content
        (instrument,) = answer.json()["instruments"]
        assert instrument["type"] == "ensemble"
        answers.append(instrument["quantiles"]["values"])
    expected = [scoring.forecast([one])[0] for one in series]
    assert np.array(answers).shape == (20, 14, 11)
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-5)


def test_pull_forecast_store_deliver_read_back_and_audit(
    api: APIClient, clinician: User, ehr_url: str
) -> None:
    (person,) = enrolled(ehr_url, clinician, {"one": record_of(series_of(1))})
    made = api.post(f"/api/v1/patients/{person.patient.pk}/forecasts", {}).json()
    assert demo.deliver_all()["delivered"] == 1
    with closing(httpx.Client()) as http:
        identifier = OutboxItem.objects.get().pk
        found = http.get(
            f"{ehr_url}/Observation?identifier={PREDICTION}|{identifier}"
        ).json()
    (entry,) = found["entry"]
    days = [
        component["valueQuantity"]["value"]
        for component in entry["resource"]["component"]
        if component["code"]["coding"][0]["code"] == "predicted-value"
    ]
    assert days == pytest.approx(made["instruments"][0]["forecast"], abs=0.01)
    kinds = list(AccessEvent.objects.order_by("seq").values_list("action", flat=True))
    assert {"PULL", "FORECAST", "DELIVER"} <= set(kinds)
    assert verify().problems == ()


def test_a_link_goes_from_the_wearable_to_an_observation_in_the_ehr(
    api: APIClient, clinician: User, ehr_url: str
) -> None:
    record = wearable_records(LAST)[LABELS[0]]
    (person,) = enrolled(ehr_url, clinician, {"one": record})
    place = f"/api/v1/patients/{person.patient.pk}/correlations"
    made = api.post(place, {"days": 90}, format="json").json()
    (insight,) = made["insights"]
    (pair,) = [one for one in made["pairs"] if one["biometric"] == insight["biometric"]]
    assert demo.deliver_all()["delivered"] == 1
    identifier = insight["identifier"]
    with closing(httpx.Client()) as http:
        found = http.get(
            f"{ehr_url}/Observation?identifier={PREDICTION}|{identifier}"
        ).json()
    (entry,) = found["entry"]
    told = entry["resource"]["valueQuantity"]["value"]
    assert told == pytest.approx(pair["coefficient"], abs=1e-4)
    kinds = list(AccessEvent.objects.order_by("seq").values_list("action", flat=True))
    assert kinds[-3:] == ["PULL", "CORRELATE", "DELIVER"]
    assert verify().problems == ()


def test_advice_goes_from_a_genotype_to_a_conflict_in_the_ehr(
    api: APIClient, clinician: User, ehr_url: str
) -> None:
    (person,) = enrolled(ehr_url, clinician, treatment_records())
    place = f"/api/v1/patients/{person.patient.pk}/pharmacogenomics"
    made = api.post(place, {"medications": ["citalopram"]}, format="json").json()
    (said,) = made["medications"]
    assert said["recommendation"]["action"] == "consider_alternative"
    assert demo.deliver_all()["delivered"] == 1
    identifier = said["identifier"]
    with closing(httpx.Client()) as http:
        names = {
            "Observation": identifier,
            "DetectedIssue": uuid5(UUID(identifier), "issue"),
        }
        asked = {
            kind: http.get(f"{ehr_url}/{kind}?identifier={PREDICTION}|{name}").json()
            for kind, name in names.items()
        }
        (implication,), (issue,) = (one["entry"] for one in asked.values())
        implicated = [
            http.get(f"{ehr_url}/{one['reference']}").json()
            for one in issue["resource"]["implicated"]
        ]
    derived = [one["reference"] for one in implication["resource"]["derivedFrom"]]
    assert derived and all(one.startswith("Observation/") for one in derived)
    (order,) = [one for one in implicated if one["resourceType"] != "Observation"]
    assert order["medicationCodeableConcept"]["text"] == "citalopram"
    again = api.get(made["links"]["pharmacogenomics"]).json()
    assert again["medications"][0]["delivery"] == "delivered"
    kinds = list(AccessEvent.objects.order_by("seq").values_list("action", flat=True))
    assert kinds[-4:] == ["PULL", "ADVISE", "DELIVER", "READ"]
    assert verify().problems == ()


def test_the_ehr_gives_back_what_was_simulated(clinician: User, ehr_url: str) -> None:
    record = wearable_records(LAST)[LABELS[0]]
    (person,) = enrolled(ehr_url, clinician, {"one": record})
    since, until = LAST - timedelta(days=100), LAST
    ehr_id = ehr_id_of(person.patient)
    ehr = wiring.ehr_of(person.patient.site)
    pulled = ehr.read_signals(ehr_id, since=since, until=until)
    bare = [replace(entry, source="") for entry in pulled.series[0].entries]
    assert tuple(bare) == record.series[0].entries
    given = {one.measure.key: one for one in record.streams}
    assert given.keys() == {one.measure.key for one in pulled.streams}
    for found in pulled.streams:
        put = given[found.measure.key]
        for column in ("start", "seconds", "day", "offset", "value"):
            was, now = getattr(put, column), getattr(found, column)
            np.testing.assert_array_equal(was, now, err_msg=column)


def test_an_equal_record_gives_the_stored_answer_and_writes_nothing_new(
    api: APIClient, clinician: User, ehr_url: str
) -> None:
    (person,) = enrolled(ehr_url, clinician, {"one": record_of(series_of(2))})
    url = f"/api/v1/patients/{person.patient.pk}/forecasts"
    first, second = api.post(url, {}), api.post(url, {})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert demo.deliver_all()["delivered"] == 1
    with wiring.use(now=lambda: NOW + timedelta(hours=25)):
        later = api.post(url, {})
        assert later.status_code == 201
        assert demo.deliver_all()["delivered"] == 0, (
            "the same answer, the same resource"
        )


def test_a_dead_ehr_is_a_503_and_stored_forecasts_stay_readable(
    api: APIClient, clinician: User, tmp_path: Any
) -> None:
    with sandbox(tmp_path / "dying.ndjson") as url:
        (person,) = enrolled(url, clinician, {"one": record_of(series_of(3))})
        address = f"/api/v1/patients/{person.patient.pk}/forecasts"
        stored = api.post(address, {}).json()
    answer = api.post(address, {})
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer["Content-Type"] == "application/problem+json"
    again = api.get(f"/api/v1/forecasts/{stored['id']}")
    assert again.status_code == 200
    assert "age_seconds" in again.json()


def test_no_history_is_a_422_that_names_what_is_missing(
    api: APIClient, clinician: User, ehr_url: str
) -> None:
    site = demo.site_at(ehr_url, slug="line")
    created = httpx.post(f"{ehr_url}/Patient", json={"resourceType": "Patient"}).json()
    patient = enrol(actor=Actor.of_command("test"), site=site, ehr_id=created["id"])
    CareTeamMember.objects.create(patient=patient, user=clinician)
    answer = api.post(f"/api/v1/patients/{patient.pk}/forecasts", {})
    assert answer.status_code == 422
    assert answer.json()["missing"] == ["symptom history"]
