"""Urgent findings: list them, acknowledge one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import wiring
from backend.api.authentication import actor_of
from backend.api.errors import problems
from backend.audit.ledger import Action
from backend.predictions import alerts


@extend_schema_serializer(component_name="Alert")
class AlertSerializer(serializers.Serializer[Any]):
    """Something in a record that somebody of the care team must have seen."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    readable = serializers.BooleanField(
        help_text="false where what was found cannot be opened: the patient's data "
        "were erased, or the row was changed; kind, scale, day, value and text are "
        "null then"
    )
    kind = serializers.ChoiceField(
        choices=["self-harm", "severe-band"], allow_null=True
    )
    scale = serializers.CharField(allow_null=True)
    day = serializers.DateField(allow_null=True, help_text="the day of the finding")
    value = serializers.FloatField(allow_null=True, help_text="score units")
    text = serializers.CharField(
        allow_null=True, help_text="the same as one line for people"
    )
    created = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(
        allow_blank=True, help_text="user:<number>, empty while nobody has seen it"
    )


class Alerts(APIView):
    """Alerts of the caller's patients."""

    audits: ClassVar = {"get": Action.LIST}

    @extend_schema_serializer(component_name="AlertQuery")
    class Input(serializers.Serializer[Any]):
        """Which ones."""

        acknowledged = serializers.BooleanField(default=False)

    @extend_schema(
        operation_id="list_alerts",
        parameters=[OpenApiParameter("acknowledged", bool, default=False)],
        responses={200: AlertSerializer(many=True), **problems(400, 401, 503)},
    )
    def get(self, request: Request) -> Response:
        """Alerts that wait, newest first; with `acknowledged` those already seen."""
        asked = self.Input(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = alerts.list_alerts(actor_of(request), **asked.validated_data)
        return Response(AlertSerializer(found, many=True).data)


class Acknowledgement(APIView):
    """The act of having seen an alert."""

    audits: ClassVar = {"post": Action.ACKNOWLEDGE}

    @extend_schema(
        operation_id="acknowledge_alert",
        request=None,
        responses={200: AlertSerializer, **problems(401, 404, 503)},
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Note that the caller has seen it; the first acknowledgement stands."""
        seen = alerts.acknowledge(actor_of(request), alert_id, now=wiring.now())
        return Response(AlertSerializer(seen).data)
