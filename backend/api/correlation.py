"""Correlations: ask for one, list a patient's, read one again."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import wiring
from backend.api.asked import AsOfSerializer
from backend.api.authentication import actor_of
from backend.api.correlation_answer import CorrelationSerializer, correlation_json
from backend.api.counted import Counted
from backend.api.errors import problems
from backend.audit.ledger import Action
from backend.predictions import selectors
from backend.predictions.correlation import SERVICE, correlate_signals
from backend.predictions.stored import STALE_REASONS


class PatientCorrelations(Counted):
    """A patient's correlations."""

    service = SERVICE
    audits: ClassVar = {"get": Action.LIST, "post": Action.CORRELATE}

    @extend_schema_serializer(component_name="CorrelationRequest")
    class Input(AsOfSerializer):
        """What to look at."""

        days = serializers.IntegerField(
            required=False,
            allow_null=True,
            default=None,
            help_text="how many days, `as_of` being the last; default 30, at most 120 "
            "unless the installation sets otherwise",
        )

    @extend_schema_serializer(component_name="CorrelationSummary")
    class Output(serializers.Serializer[Any]):
        """A stored correlation without its numbers."""

        id = serializers.UUIDField()
        as_of = serializers.DateField()
        created = serializers.DateTimeField()
        age_seconds = serializers.FloatField()
        stale = serializers.BooleanField()
        stale_reason = serializers.ChoiceField(choices=STALE_REASONS, allow_null=True)
        link = serializers.CharField()

    @extend_schema(
        operation_id="list_correlations",
        responses={200: Output(many=True), **problems(401, 403, 404, 503)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's newest stored correlations, at most 20; without the EHR."""
        found = selectors.list_correlations(
            actor_of(request),
            patient_id,
            now=wiring.now(),
            policy=wiring.correlation_policy(),
        )
        return Response(
            [
                self.Output(
                    {
                        "id": one.id,
                        "as_of": one.as_of,
                        "created": one.created,
                        "age_seconds": one.age_seconds,
                        "stale": one.stale,
                        "stale_reason": one.stale_reason or None,
                        "link": reverse("api:correlation", args=[one.id]),
                    }
                ).data
                for one in found
            ]
        )

    @extend_schema(
        operation_id="create_correlation",
        request=Input,
        responses={
            200: CorrelationSerializer,
            201: CorrelationSerializer,
            **problems(400, 401, 403, 404, 409, 410, 422, 502, 503),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Pull symptoms and wearables, look for links; 200 where a stored answer holds.

        Finding nothing is an answer, with what would be needed. A window that is empty,
        too long or holds too many values is refused (422), and closed records are as
        for a forecast. Where the network does not answer, the classical statistics
        alone do, and a notice says so.
        """
        asked = self.Input(data=request.data)
        asked.is_valid(raise_exception=True)
        stored = correlate_signals(
            actor=actor_of(request),
            patient_id=patient_id,
            **asked.validated_data,
            ehr=wiring.ehr_of,
            models=wiring.models(),
            now=wiring.now,
            policy=wiring.correlation_policy(),
        )
        body = correlation_json(stored)
        place = {"Location": body["links"]["correlation"]}
        return Response(body, status=200 if stored.reused else 201, headers=place)


class OneCorrelation(APIView):
    """A stored correlation."""

    audits: ClassVar = {"get": Action.READ}

    @extend_schema(
        operation_id="read_correlation",
        responses={200: CorrelationSerializer, **problems(401, 403, 404, 410, 503)},
    )
    def get(self, request: Request, prediction_id: UUID) -> Response:
        """One stored correlation with its age; works without the EHR."""
        stored = selectors.read_correlation(
            actor_of(request),
            prediction_id,
            now=wiring.now(),
            policy=wiring.correlation_policy(),
        )
        return Response(correlation_json(stored))
