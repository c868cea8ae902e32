"""A stored correlation as JSON: the shape, and how it is filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, get_args

from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.api.forecast_answer import (
    ModelUseSerializer,
    ReliabilitySerializer,
    UrgentFindingSerializer,
)
from backend.api.link_answer import (
    LeftOutSerializer,
    PairSerializer,
    SignalSeenSerializer,
    SilenceSerializer,
    SymptomSeenSerializer,
    WindowSerializer,
    pair_json,
    window_json,
)
from backend.api.stored_answer import row_json
from backend.predictions.stored import STALE_REASONS
from backend.predictions.stored_correlation import StoredCorrelation
from backend.registry.models import ModelRelease
from backend.twin.correlation.insight_words import Direction, Order
from backend.twin.correlation.insights import Insight
from backend.twin.trajectory import ModelUse

DISCLAIMER = (
    "Links are associations, not causes. A computed estimate for research and decision "
    "support: not a measurement, not a diagnosis, not a medical device. Clinical "
    "judgement decides."
)
SIMULATED = "simulated people"
NOT_STATED = "not stated"
_ORIGINS = {"simulated": SIMULATED}
_LABEL = "The network was trained on simulated people alone."


@extend_schema_serializer(component_name="CorrelationModelUse")
class NetworkUseSerializer(ModelUseSerializer):
    """The version of the network that answered, and whose data it learnt from."""

    trained_on = serializers.CharField(help_text="as its card says")


@extend_schema_serializer(component_name="CorrelationInsight")
class InsightSerializer(serializers.Serializer[Any]):
    """A link in words; its numbers are the pair's."""

    biometric = serializers.CharField()
    symptom = serializers.CharField()
    text = serializers.CharField()
    evidence = serializers.CharField(help_text="its numbers in a sentence")
    caveat = serializers.CharField(help_text="what it is not")
    change = serializers.ChoiceField(
        choices=get_args(Direction),
        help_text="what the symptom does where there is more of the signal",
    )
    order = serializers.ChoiceField(
        choices=get_args(Order), help_text="what the signal does to the symptom in time"
    )
    reliability = ReliabilitySerializer()
    others = serializers.ListField(
        child=serializers.CharField(),
        help_text="other signals that are published with this symptom",
    )
    advice = serializers.CharField(help_text="may be empty")
    source = serializers.CharField(  # type: ignore[assignment] # that is its name
        help_text="of the advice"
    )
    identifier = serializers.UUIDField(help_text="names the Observation in the EHR")
    delivery = serializers.ChoiceField(
        choices=["pending", "delivered", "failed", "cancelled", "not-sent"]
    )


@extend_schema_serializer(component_name="CorrelationLinks")
class LinksSerializer(serializers.Serializer[Any]):
    """Where to go from here; paths on this host."""

    correlation = serializers.CharField()
    patient = serializers.CharField()
    correlations = serializers.CharField()


class CorrelationSerializer(serializers.Serializer[Any]):
    """Which of one patient's body signals move with which symptoms, or why silence."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    as_of = serializers.DateField(help_text="the window's last day")
    created = serializers.DateTimeField()
    age_seconds = serializers.FloatField()
    stale = serializers.BooleanField(help_text="stale_reason says why")
    stale_reason = serializers.ChoiceField(choices=STALE_REASONS, allow_null=True)
    reused = serializers.BooleanField(
        help_text="an equal record and equal models gave this stored answer"
    )
    window = WindowSerializer()
    biometrics = SignalSeenSerializer(many=True)
    symptoms = SymptomSeenSerializer(many=True)
    pairs = PairSerializer(many=True, help_text="every pair, published or not")
    insights = InsightSerializer(many=True, help_text="strongest first")
    silences = SilenceSerializer(many=True, help_text="every other pair")
    left_out = LeftOutSerializer(many=True)
    message = serializers.CharField(
        help_text="what to say where there is no insight, else empty"
    )
    models = NetworkUseSerializer(
        many=True, help_text="none where the classical statistics answered alone"
    )
    urgent_findings = UrgentFindingSerializer(
        many=True, help_text="of the fourteen days before"
    )
    notices = serializers.ListField(
        child=serializers.CharField(),
        help_text="what could not be read and may be urgent, and why the network did "
        "not answer, in sentences",
    )
    refused = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="resources of the record that were not used, counted by reason",
    )
    no_longer_standing = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="identifiers of what the EHR still shows of the patient although an "
        "entry it used was taken back; withdraw it there",
    )
    disclaimer = serializers.CharField()
    links = LinksSerializer()


def correlation_json(stored: StoredCorrelation) -> Mapping[str, Any]:
    """The answer as plain values, in the shape of `CorrelationSerializer`."""
    report, models = stored.report, [_network(use) for use in stored.models]
    return CorrelationSerializer(
        {
            **row_json(stored),
            "reused": stored.reused,
            "window": window_json(report),
            "biometrics": report.biometrics,
            "symptoms": report.symptoms,
            "pairs": [pair_json(link) for link in report.links],
            "insights": [_insight(one, stored) for one in report.insights],
            "silences": report.silences,
            "left_out": report.left_out,
            "message": report.message,
            "models": models,
            "urgent_findings": stored.urgent_findings,
            "notices": stored.notices,
            "refused": stored.refused,
            "no_longer_standing": stored.no_longer_standing,
            "disclaimer": _disclaimer(models),
            "links": {
                "correlation": reverse("api:correlation", args=[stored.id]),
                "patient": reverse("api:patient", args=[stored.patient_id]),
                "correlations": reverse("api:correlations", args=[stored.patient_id]),
            },
        }
    ).data


def _insight(insight: Insight, stored: StoredCorrelation) -> dict[str, Any]:
    pair = insight.link.biometric, insight.link.symptom
    identifier = stored.identifiers[pair]
    return {
        "biometric": pair[0],
        "symptom": pair[1],
        "text": insight.text,
        "evidence": insight.evidence,
        "caveat": insight.caveat,
        "change": insight.direction,
        "order": insight.order,
        "reliability": {"grade": insight.grade.value, "reasons": insight.reasons},
        "others": insight.others,
        "advice": insight.advice,
        "source": insight.source,
        "identifier": identifier,
        "delivery": stored.delivery[identifier],
    }


def _network(use: ModelUse) -> dict[str, Any]:
    """The version with the origin of its training data; its card has the whole of it.

    A release keeps its row for good, so what an old answer used is still known.
    """
    cards = ModelRelease.objects.filter(model=use.model, version=use.version)
    origin = cards.values_list("card__training__origin", flat=True).first()
    return {**asdict(use), "trained_on": _ORIGINS.get(str(origin), NOT_STATED)}


def _disclaimer(models: Iterable[Mapping[str, Any]]) -> str:
    simulated = any(use["trained_on"] == SIMULATED for use in models)
    return f"{DISCLAIMER} {_LABEL}" if simulated else DISCLAIMER
