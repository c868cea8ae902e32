"""Advice on medicines: ask for it, list a patient's, read one again."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import wiring
from backend.api.advice_answer import AdviceAnswerSerializer, advice_json
from backend.api.advice_request import AdviceRequestSerializer
from backend.api.authentication import actor_of
from backend.api.counted import Counted
from backend.api.errors import problems
from backend.api.stored_answer import SummarySerializer, given, listed
from backend.api.unserved import models_if_any
from backend.audit.ledger import Action
from backend.predictions import selectors
from backend.predictions.pharmacogenomics import SERVICE, advise_treatment


class PatientAdvice(Counted):
    """A patient's advice on medicines."""

    service = SERVICE
    audits: ClassVar = {"get": Action.LIST, "post": Action.ADVISE}

    @extend_schema_serializer(component_name="AdviceSummary")
    class Output(SummarySerializer):
        """Stored advice without what it says."""

    @extend_schema(
        operation_id="list_pharmacogenomics",
        responses={200: Output(many=True), **problems(401, 403, 404, 503)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's newest stored advice, at most 20; works without the EHR."""
        found = selectors.list_advice(
            actor_of(request),
            patient_id,
            now=wiring.now(),
            policy=wiring.pharmacogenomics_policy(),
        )
        return listed(found, self.Output, path="api:advice")

    @extend_schema(
        operation_id="create_pharmacogenomics",
        request=AdviceRequestSerializer,
        responses={
            200: AdviceAnswerSerializer,
            201: AdviceAnswerSerializer,
            **problems(400, 401, 403, 404, 409, 410, 422, 502, 503),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Pull genes, medicines, conditions; advise; 200 where a stored answer holds.

        A medicine that is not known, and a record without a genetic result, are
        answers. Unknown facts are named and never taken for absent. Too many medicines
        are refused (422), closed records as for a forecast. Where no response model
        answers, sources and stops do alone, and a notice says so.
        """
        asked = AdviceRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        stored = advise_treatment(
            actor=actor_of(request),
            patient_id=patient_id,
            as_of=asked.validated_data["as_of"],
            medications=asked.validated_data["medications"],
            given=asked.given,
            person=asked.person,
            ehr=wiring.ehr_of,
            models=models_if_any(),
            now=wiring.now,
            policy=wiring.pharmacogenomics_policy(),
        )
        body = advice_json(stored)
        return given(body, reused=stored.reused, link="pharmacogenomics")


class OneAdvice(APIView):
    """Stored advice on medicines."""

    audits: ClassVar = {"get": Action.READ}

    @extend_schema(
        operation_id="read_pharmacogenomics",
        responses={200: AdviceAnswerSerializer, **problems(401, 403, 404, 410, 503)},
    )
    def get(self, request: Request, prediction_id: UUID) -> Response:
        """One stored advice with its age; works without the EHR."""
        stored = selectors.read_advice(
            actor_of(request),
            prediction_id,
            now=wiring.now(),
            policy=wiring.pharmacogenomics_policy(),
        )
        return Response(advice_json(stored))
