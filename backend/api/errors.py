"""One handler: every error of a view becomes an application/problem+json (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from backend.api.forecast_answer import UrgentFindingSerializer
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.predictions.errors import (
    DaysOutOfRange,
    ModelsDown,
    NoHistory,
    PatientErased,
    TooManyMedications,
    TooManySamples,
)
from backend.twin import errors
from fhir_integration.errors import TooManyValues

MEDIA_TYPE = "application/problem+json"
URN = "urn:mindtwin:problem:"


class Kind(NamedTuple):
    """How an error of the twin looks from outside."""

    name: str
    status: int
    title: str


# Whoever counts first, the EHR's reader or the service: fewer days are the remedy.
TOO_MANY = Kind("too-many-values", 422, "More values than one window may have")
# The first class that fits counts, so children stand before their parents.
KINDS: dict[type[errors.TwinError], Kind] = {
    DaysOutOfRange: Kind("days-out-of-range", 422, "No window of so many days"),
    TooManySamples: TOO_MANY,
    TooManyValues: TOO_MANY,
    TooManyMedications: Kind(
        "too-many-medications", 422, "More medicines than one answer may be asked about"
    ),
    errors.InsufficientData: Kind("insufficient-data", 422, "Insufficient data"),
    errors.NotVisible: Kind("not-found", 404, "Not found"),
    errors.PatientOptedOut: Kind("patient-opted-out", 403, "The patient opted out"),
    errors.PatientRestricted: Kind(
        "patient-restricted", 403, "The patient's record is restricted"
    ),
    errors.PatientMerged: Kind(
        "patient-merged", 409, "The patient's record was merged into another one"
    ),
    errors.PatientDeceased: Kind("patient-deceased", 422, "The patient has died"),
    errors.EhrUnavailable: Kind("ehr-unavailable", 503, "The EHR does not answer"),
    errors.EhrRefused: Kind("ehr-refused", 502, "The EHR refused the request"),
    errors.EhrMalformed: Kind("ehr-malformed", 502, "The EHR's answer is not FHIR R4"),
    errors.AuditUnavailable: Kind("audit-unavailable", 503, "The audit log is down"),
    errors.ServiceOff: Kind("service-off", 503, "The service is switched off"),
    ModelsDown: Kind("models-down", 503, "No model answers"),
    errors.ModelError: Kind("model-unavailable", 503, "The models cannot be used"),
    PatientErased: Kind("patient-erased", 410, "The patient's data were erased"),
    errors.SealBroken: Kind("seal-broken", 500, "Stored data cannot be opened"),
}
RETRY_AFTER_S = 30  # where the error does not say it


class ProblemSerializer(serializers.Serializer[Any]):
    """The shape of every error, for the schema."""

    type = serializers.CharField(help_text="a URN that names the kind of problem")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    missing = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="what an answer would need and the record does not hold",
    )
    urgent_findings = UrgentFindingSerializer(
        many=True,
        required=False,
        help_text="what is urgent in a record that no forecast could be made of",
    )
    notices = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="what could not be read and may be urgent, in sentences",
    )
    invalid = serializers.DictField(
        required=False, help_text="what is wrong with the request, by field"
    )


def problems(*statuses: int) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """Responses for the schema: these statuses answer with a problem."""
    return {(status, MEDIA_TYPE): ProblemSerializer for status in statuses}


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error; None for a bug, which Django logs and answers with 500.

    A refused caller leaves an audit row; where that cannot be written, that is told.
    `Any` because that is how the framework hands over view and request.
    """
    try:
        _record_refusal(error, context)
    except errors.AuditUnavailable as unaudited:
        error = unaudited
    if isinstance(error, errors.TwinError):
        return _of_twin(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A path that leads to no view: a problem below /api/, elsewhere Django's page."""
    if not request.path.startswith("/api/"):
        return page_not_found(request, exception)
    answer = _of_framework(exceptions.NotFound())
    return JsonResponse(answer.data, status=404, content_type=MEDIA_TYPE)


def _record_refusal(error: Exception, context: Mapping[str, Any]) -> None:
    """A caller without a valid token is audited here; other refusals at the gate.

    A method that the view does not have counts as an attempt to read.
    """
    refused = exceptions.NotAuthenticated, exceptions.AuthenticationFailed
    audits: Mapping[str, Action] | None = getattr(context["view"], "audits", None)
    if isinstance(error, refused) and audits is not None:
        method = context["request"].method.lower()
        action = audits.get("get" if method == "head" else method, Action.READ)
        ledger.record(action=action, actor="anonymous", outcome=Outcome.DENIED)


def _of_twin(error: errors.TwinError) -> Response | None:
    kind = next((kind for cls, kind in KINDS.items() if isinstance(error, cls)), None)
    if kind is None:
        return None
    body = _body(kind, str(error))
    headers = {}
    if isinstance(error, errors.InsufficientData):
        body["missing"] = list(error.missing)
    if isinstance(error, (NoHistory, ModelsDown)):
        said = error.remarks
        found = UrgentFindingSerializer(said.urgent_findings, many=True)
        body |= {"urgent_findings": found.data, "notices": list(said.notices)}
    if kind.status == 503 and not isinstance(error, errors.ServiceOff):
        wait = getattr(error, "retry_after_s", RETRY_AFTER_S)
        headers["Retry-After"] = str(math.ceil(wait))
    return _response(body, headers)


def _of_framework(error: exceptions.APIException) -> Response:
    invalid = isinstance(error, exceptions.ValidationError)
    name = "invalid-request" if invalid else str(error.default_code)
    kind = Kind(name.replace("_", "-"), error.status_code, _title(error))
    detail = "the request is not valid" if invalid else str(error.detail)
    body = _body(kind, detail)
    if invalid:
        fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        body["invalid"] = fields
    headers = {}
    scheme: str | None = getattr(error, "auth_header", None)
    if scheme:
        headers["WWW-Authenticate"] = scheme
    wait: float | None = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return _response(body, headers)


def _title(error: exceptions.APIException) -> str:
    """The first sentence of its class; the status in words where that has gaps."""
    title = str(error.default_detail).rstrip(".").partition(".")[0]
    if "{" in title:
        return HTTPStatus(error.status_code).phrase.capitalize()
    return title


def _body(kind: Kind, detail: str) -> dict[str, Any]:
    return {
        "type": f"{URN}{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }


def _response(body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(
        body, status=body["status"], headers=headers, content_type=MEDIA_TYPE
    )
