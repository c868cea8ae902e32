"""Correlations: ask for one, list a patient's, read one again."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

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
from backend.api.stored_answer import SummarySerializer, given, listed
from backend.audit.ledger import Action
from backend.predictions import selectors
from backend.predictions.correlation import SERVICE, correlate_signals


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
    class Output(SummarySerializer):
        """A stored correlation without its numbers."""

        historical = None  # type: ignore[assignment] # DRF: leaves it out

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
        return listed(found, self.Output, path="api:correlation")

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
        return given(body, reused=stored.reused, link="correlation")


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
