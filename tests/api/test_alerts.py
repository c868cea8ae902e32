"""Alerts over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest

from backend.people import crypto
from backend.twin.record import PatientRecord
from tests.predictions import fakes


@pytest.fixture
def alert(api, ehr, patient):
    ehr.record = PatientRecord(
        series=(fakes.questionnaire(8, 12),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    api.post(f"/api/v1/patients/{patient.pk}/forecasts", {}, format="json")
    (one,) = api.get("/api/v1/alerts").json()
    return one


def test_an_alert_says_what_and_when(alert, patient):
    assert alert["patient"] == str(patient.pk)
    assert (alert["kind"], alert["scale"], alert["value"]) == ("self-harm", "phq9", 1)
    assert alert["day"] == "2026-03-01"
    assert alert["text"].endswith("above its threshold on 2026-03-01 (1 point)")
    assert alert["acknowledged_at"] is None


def test_an_acknowledged_alert_leaves_the_list(api, alert, clinician):
    path = f"/api/v1/alerts/{alert['id']}/acknowledge"
    seen = api.post(path).json()
    assert seen["acknowledged_by"] == f"user:{clinician.pk}"
    assert api.get("/api/v1/alerts").json() == []
    assert api.get("/api/v1/alerts?acknowledged=true").json() == [seen]


def test_unknown_and_forbidden_alerts_give_one_body(other, alert):
    forbidden = other.post(f"/api/v1/alerts/{alert['id']}/acknowledge")
    absent = other.post(f"/api/v1/alerts/{uuid4()}/acknowledge")
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.content == absent.content


def test_a_flag_that_is_none_is_refused(api):
    assert api.get("/api/v1/alerts?acknowledged=perhaps").status_code == 400


def test_an_alert_that_cannot_be_opened_keeps_no_other_back(api, alert, patient):
    crypto.shred(patient)
    answer = api.get("/api/v1/alerts")
    assert answer.status_code == 200
    (seen,) = answer.json()
    unknown = dict.fromkeys(("kind", "scale", "day", "value", "text"))
    assert seen == {**alert, **unknown, "readable": False}
