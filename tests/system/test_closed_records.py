"""Opt-outs, deaths, labels and merges as an EHR writes them, to the API's answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from backend import wiring
from backend.jobs import demo
from backend.people.access import Actor, enrol
from backend.people.models import Patient, SiteMember, User
from fhir_integration.codes import RATING

pytestmark = pytest.mark.django_db
SUBJECT = {"reference": "Patient/old"}
CONSENT = {
    "resourceType": "Consent",
    "id": "c1",
    "status": "active",
    "scope": {"coding": [{"code": "patient-privacy"}]},
    "category": [{"coding": [{"code": "59284-0"}]}],
    "patient": SUBJECT,
    "policyRule": {"coding": [{"code": "OPTOUT"}]},
}
LABEL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "R",
}


def person(own_id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": own_id, **more}


def link(kind: str, to: str) -> list[dict[str, Any]]:
    return [{"type": kind, "other": {"reference": f"Patient/{to}"}}]


def ratings(own_id: str, days: range) -> list[dict[str, Any]]:
    last = wiring.now().date() - timedelta(days=1)
    return [
        {
            "resourceType": "Observation",
            "id": f"{own_id}-{back}",
            "status": "final",
            "code": {"coding": [{"system": RATING, "code": "mood-0-10"}]},
            "subject": {"reference": f"Patient/{own_id}"},
            "effectiveDateTime": (last - timedelta(days=back)).isoformat(),
            "valueInteger": 3 + back % 4,
        }
        for back in days
    ]


@pytest.fixture
def ask(ehr_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put resources into the EHR and ask for a forecast of its patient "old"."""
    monkeypatch.setattr(wiring, "_server", None)  # register anew in this test's rows
    site = demo.site_at(ehr_url, slug="line")
    patient = enrol(actor=Actor.of_command("test"), site=site, ehr_id="old")
    machine = User.objects.create_user("machine", is_service=True)
    SiteMember.objects.create(site=site, user=machine)
    _, token = AuthToken.objects.create(machine)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")

    def ask(*resources: dict[str, Any]) -> Any:
        with httpx.Client() as http:
            for one in resources:
                place = f"{ehr_url}/{one['resourceType']}/{one['id']}"
                http.put(place, json=one).raise_for_status()
        return api.post(f"/api/v1/patients/{patient.pk}/forecasts", {})

    yield ask
    wiring.close()


@pytest.mark.parametrize(
    ("resources", "status", "problem"),
    [
        ([person("old"), CONSENT], 403, "patient-opted-out"),
        ([person("old", meta={"security": [LABEL]})], 403, "patient-restricted"),
        ([person("old", deceasedDateTime="2020-02-03")], 422, "patient-deceased"),
        ([person("old", deceasedBoolean=True)], 422, "patient-deceased"),
        ([person("old", link=link("replaced-by", "old"))], 409, "patient-merged"),
        (
            [
                person("old", link=link("replaced-by", "new")),
                person("new", link=link("replaced-by", "old")),
            ],
            409,
            "patient-merged",
        ),
    ],
)
def test_a_closed_record_is_told_and_nothing_is_made(
    ask: Any, resources: list[Any], status: int, problem: str
) -> None:
    answer = ask(*resources, *ratings("old", range(20)))
    assert answer.status_code == status, answer.content
    assert answer.json()["type"] == f"urn:mindtwin:problem:{problem}"


def test_entries_of_both_records_make_one_forecast(ask: Any) -> None:
    answer = ask(
        person("old", link=link("replaced-by", "new")),
        person("new", link=link("replaces", "old")),
        *ratings("old", range(20, 40)),
        *ratings("new", range(20)),
        *ratings("stranger", range(40, 60)),
    )
    assert answer.status_code == 201, answer.content
    (instrument,) = answer.json()["instruments"]
    assert instrument["entries"] == 40
    assert answer.json()["refused"] == {}
    survivor = Patient.objects.get(pk=answer.json()["patient"])
    assert Patient.objects.get(merged_into=survivor).closed == "merged"
    assert demo.deliver_all()["delivered"] == 1


def test_a_consent_under_the_old_record_closes_the_new_one(ask: Any) -> None:
    answer = ask(
        person("old", link=link("replaced-by", "new")),
        person("new", link=link("replaces", "old")),
        CONSENT,
        *ratings("new", range(20)),
    )
    assert answer.json()["type"] == "urn:mindtwin:problem:patient-opted-out"
