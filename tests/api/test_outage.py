"""What callers get while no model answers, and while the service is switched off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.registry.switches import switch
from backend.twin.errors import ModelUnavailable
from backend.twin.record import Entry, PatientRecord
from tests.predictions import fakes


@pytest.fixture
def path(patient):
    return f"/api/v1/patients/{patient.pk}/forecasts"


@pytest.fixture
def outage(models, ehr):
    """No model answers, and the record has an entry more than any stored forecast."""

    def outage():
        models.broken = dict.fromkeys(models.shift, ModelUnavailable("gone"))
        (diary,) = ehr.record.series
        more = Entry(fakes.LAST_DAY + timedelta(days=1), 4.0, "Observation/next")
        longer = replace(diary, entries=(*diary.entries, more))
        ehr.record = PatientRecord(series=(longer,))

    return outage


def test_the_last_forecast_is_given_and_says_that_it_is(api, path, outage):
    first = api.post(path, {}, format="json").json()
    outage()
    answer = api.post(path, {}, format="json")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["id"], body["reused"], body["stale"]) == (first["id"], True, True)
    assert body["stale_reason"] == "models-unavailable"
    assert answer["Location"] == first["links"]["forecast"]


def test_without_one_the_request_fails_and_may_be_repeated(api, path, outage):
    outage()
    answer = api.post(path, {}, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer.json()["type"] == "urn:mindtwin:problem:models-down"


def test_switched_off_only_what_is_stored_is_read(api, path, ehr):
    link = api.post(path, {}, format="json")["Location"]
    switch("forecast", on=False, actor="user:1", reason="looks wrong")
    asked = len(ehr.asked)
    answer = api.post(path, {}, format="json")
    assert answer.status_code == 503
    assert "Retry-After" not in answer
    assert "looks wrong" not in answer.content.decode()
    assert len(ehr.asked) == asked
    assert api.get(link).status_code == api.get(path).status_code == 200
