"""Errors as problem+json, whatever raised them."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import (
    MethodNotAllowed,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from backend.api.errors import MEDIA_TYPE, problem
from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.predictions.errors import (
    DayOutOfRange,
    DaysOutOfRange,
    ModelsDown,
    PatientErased,
    TooManyMedications,
    TooManySamples,
)
from backend.predictions.remarks import Remarks
from backend.twin import errors
from fhir_integration.errors import TooManyValues

STATUSES = {
    errors.InsufficientData(("symptom history",)): 422,
    errors.NotVisible(): 404,
    errors.PatientOptedOut(): 403,
    errors.PatientRestricted(): 403,
    errors.PatientMerged(): 409,
    errors.PatientDeceased(): 422,
    errors.EhrUnavailable("down"): 503,
    errors.EhrRefused("no", status=403): 502,
    errors.EhrNotFound("none", status=404): 502,
    errors.EhrMalformed("odd"): 502,
    errors.AuditUnavailable("full"): 503,
    errors.ModelUnavailable("gone"): 503,
    errors.ModelUntrusted("changed"): 503,
    ModelsDown(Remarks({})): 503,
    errors.ServiceOff("forecast"): 503,
    PatientErased(): 410,
    DayOutOfRange(date.min, date.max): 422,
    DaysOutOfRange(120): 422,
    TooManySamples(10): 422,
    TooManyMedications(10): 422,
    TooManyValues(10): 422,
    errors.SealBroken("moved"): 500,
    Http404(): 404,
    PermissionDenied(): 403,
    ValidationError(["wrong"]): 400,
}


def answer_to(error):
    request = APIRequestFactory().get("/")
    return problem(error, {"view": APIView(), "request": request})


@pytest.mark.parametrize("error", STATUSES, ids=lambda e: type(e).__name__)
def test_each_error_has_a_status_and_a_body_that_repeats_it(error):
    answer = answer_to(error)
    assert answer.status_code == answer.data["status"] == STATUSES[error]
    assert answer.content_type == MEDIA_TYPE
    assert answer.data["type"].startswith("urn:mindtwin:problem:")
    assert answer.data["title"]
    assert answer.data["detail"]


MAY_PASS = [
    error
    for error, status in STATUSES.items()
    if status == 503 and not isinstance(error, errors.ServiceOff)
]


@pytest.mark.parametrize("error", MAY_PASS, ids=repr)
def test_what_may_pass_says_when_to_come_back(error):
    assert int(answer_to(error)["Retry-After"]) > 0


def test_what_somebody_switched_off_comes_back_when_they_say():
    answer = answer_to(errors.ServiceOff("forecast"))
    assert answer.data["type"] == "urn:mindtwin:problem:service-off"
    assert "Retry-After" not in answer


def test_no_model_answering_is_told_with_what_is_urgent():
    answer = answer_to(ModelsDown(Remarks({}, notices=("look",))))
    assert answer.data["type"] == "urn:mindtwin:problem:models-down"
    assert (answer["Retry-After"], answer.data["notices"]) == ("30", ["look"])


@pytest.mark.parametrize("error", [ZeroDivisionError(), errors.UnknownScale("x")])
def test_a_bug_stays_a_bug(error):
    assert answer_to(error) is None


def test_a_framework_error_keeps_its_own_wait():
    answer = answer_to(Throttled(wait=7))
    assert (answer.status_code, answer["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (MethodNotAllowed("PUT"), "Method not allowed"),
        (UnsupportedMediaType("text/x"), "Unsupported media type"),
        (Throttled(), "Request was throttled"),
    ],
)
def test_a_title_has_no_gaps(error, title):
    assert answer_to(error).data["title"] == title


def test_a_list_of_faults_stands_under_no_field():
    assert answer_to(ValidationError(["wrong"])).data["invalid"] == {"": ["wrong"]}


def test_a_refusal_that_cannot_be_recorded_is_a_503(anonymous, tmp_path):
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    answer = anonymous.get("/api/v1/patients")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:mindtwin:problem:audit-unavailable"


def test_no_data_leaves_when_the_audit_is_broken(api, patient, tmp_path):
    ledger.current()
    (tmp_path / "audit.anchor").write_bytes(b"spoilt")
    before = AccessEvent.objects.count()
    answer = api.get(f"/api/v1/patients/{patient.pk}")
    assert answer.status_code == 503
    assert str(patient.pk) not in answer.content.decode()
    assert AccessEvent.objects.count() == before


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing", "/api/v1/patients/4711", "/api/v2/patients"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_path_that_leads_nowhere_is_a_problem(api, method, path):
    answer = getattr(api, method)(path)
    assert answer.status_code == answer.json()["status"] == 404
    assert answer["Content-Type"] == MEDIA_TYPE
    assert answer.json()["type"] == "urn:mindtwin:problem:not-found"
    assert "4711" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/nothing", "/apis"])
def test_elsewhere_such_a_path_is_djangos_page(anonymous, path):
    answer = anonymous.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("sent", ["{", "[1, 2]", '"text"'])
def test_a_body_that_is_no_object_is_a_400(api, patient, sent):
    answer = api.post(
        f"/api/v1/patients/{patient.pk}/forecasts",
        data=sent,
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == MEDIA_TYPE
