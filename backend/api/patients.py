"""The patients that the caller may see."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.authentication import actor_of
from backend.api.errors import problems
from backend.audit.ledger import Action
from backend.people import access
from backend.people.models import Patient


@extend_schema_serializer(component_name="Patient")
class PatientSerializer(serializers.Serializer[Any]):
    """A patient under our own id. Names and EHR ids stay in the EHR."""

    id = serializers.UUIDField()
    site = serializers.CharField(help_text="the clinic's short name")
    created = serializers.DateTimeField()
    forecasts = serializers.CharField(help_text="path to the patient's forecasts")


class Patients(APIView):
    """All patients of the caller."""

    audits: ClassVar = {"get": Action.LIST}
    Output = PatientSerializer

    @extend_schema(
        operation_id="list_patients",
        responses={200: PatientSerializer(many=True), **problems(401, 503)},
    )
    def get(self, request: Request) -> Response:
        """The patients of the caller's care teams."""
        found = access.list_patients(actor_of(request))
        return Response([_patient(one) for one in found])


class OnePatient(APIView):
    """One patient of the caller."""

    audits: ClassVar = {"get": Action.READ}
    Output = PatientSerializer

    @extend_schema(
        operation_id="read_patient",
        responses={200: PatientSerializer, **problems(401, 404, 503)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """One patient; unknown and forbidden are the same 404."""
        patient = access.open_patient(actor_of(request), patient_id, action=Action.READ)
        return Response(_patient(patient))


def _patient(patient: Patient) -> dict[str, object]:
    return PatientSerializer(
        {
            "id": patient.pk,
            "site": patient.site.slug,
            "created": patient.created,
            "forecasts": reverse("api:forecasts", args=[patient.pk]),
        }
    ).data
