"""Forecasts: ask for one, list a patient's, read one again."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import wiring
from backend.api.asked import AsOfSerializer
from backend.api.authentication import actor_of
from backend.api.counted import Counted
from backend.api.errors import problems
from backend.api.forecast_answer import ForecastSerializer, forecast_json
from backend.api.stored_answer import SummarySerializer, given, listed
from backend.audit.ledger import Action
from backend.predictions import beside, selectors
from backend.predictions.services import SERVICE, forecast_symptoms


class PatientForecasts(Counted):
    """A patient's forecasts."""

    service = SERVICE
    audits: ClassVar = {"get": Action.LIST, "post": Action.FORECAST}

    @extend_schema_serializer(component_name="ForecastRequest")
    class Input(AsOfSerializer):
        """What to forecast for."""

    @extend_schema_serializer(component_name="ForecastSummary")
    class Output(SummarySerializer):
        """A stored forecast without its numbers."""

    @extend_schema(
        operation_id="list_forecasts",
        responses={200: Output(many=True), **problems(401, 403, 404, 503)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's newest stored forecasts, at most 20; works without the EHR."""
        found = selectors.list_forecasts(
            actor_of(request),
            patient_id,
            now=wiring.now(),
            policy=wiring.forecast_policy(),
        )
        return listed(found, self.Output, path="api:forecast")

    @extend_schema(
        operation_id="create_forecast",
        request=Input,
        responses={
            200: ForecastSerializer,
            201: ForecastSerializer,
            **problems(400, 401, 403, 404, 409, 410, 422, 502, 503),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Pull the record, forecast fourteen days; 200 where a stored answer holds.

        Refused are patients who opted out (by our flag, or a consent in force) or whose
        record is restricted (403), merged into one that cannot be followed (409), or
        who have died (422); the problem's type says which. Where the EHR merged the
        record and the caller may see the survivor, the survivor's is the answer.
        """
        asked = self.Input(data=request.data)
        asked.is_valid(raise_exception=True)
        stored = forecast_symptoms(
            actor=actor_of(request),
            patient_id=patient_id,
            as_of=asked.validated_data["as_of"],
            ehr=wiring.ehr_of,
            models=wiring.models(),
            now=wiring.now,
            policy=wiring.forecast_policy(),
            beside=beside.later,
        )
        body = forecast_json(stored)
        return given(body, reused=stored.reused, link="forecast")


class OneForecast(APIView):
    """A stored forecast."""

    audits: ClassVar = {"get": Action.READ}

    @extend_schema(
        operation_id="read_forecast",
        responses={200: ForecastSerializer, **problems(401, 403, 404, 410, 503)},
    )
    def get(self, request: Request, prediction_id: UUID) -> Response:
        """One stored forecast with its age; works without the EHR."""
        stored = selectors.get_forecast(
            actor_of(request),
            prediction_id,
            now=wiring.now(),
            policy=wiring.forecast_policy(),
        )
        return Response(forecast_json(stored))
