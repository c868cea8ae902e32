"""Stored advice on medicines as JSON: the shape, and how it is filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.api.forecast_answer import ModelUseSerializer
from backend.api.gene_answer import (
    GeneSerializer,
    QualitySerializer,
    RefusedCallSerializer,
    UnusedSerializer,
    gene_json,
)
from backend.api.medication_answer import MedicationSerializer, medication_json
from backend.api.stored_answer import row_json
from backend.predictions.stored import STALE_REASONS
from backend.predictions.stored_advice import StoredAdvice
from backend.twin.pharmacogenomics.attribution import attributions

DISCLAIMER = (
    "Research and decision support: not a prescription, not a medical device. That "
    "nothing is said against a medicine does not clear it."
)
SHOWN = 12  # hexadecimal digits of a digest


@extend_schema_serializer(component_name="LeftOutOption")
class LeftOutSerializer(serializers.Serializer[Any]):
    """A medicine that is not compared, and why."""

    medication = serializers.CharField()
    why = serializers.CharField()


@extend_schema_serializer(component_name="MedicationComparison")
class ComparisonSerializer(serializers.Serializer[Any]):
    """The options beside each other, by the model's figures alone; null: none is."""

    highest_efficacy = serializers.CharField(allow_null=True)
    lowest_side_effects = serializers.CharField(allow_null=True)
    optimal_balance = serializers.CharField(
        allow_null=True, help_text="greatest efficacy x (1 - highest side-effect risk)"
    )
    compared = serializers.ListField(child=serializers.CharField())
    left_out = LeftOutSerializer(many=True)
    note = serializers.CharField(help_text="what the ranking is made of, or why none")
    regimen = serializers.ListField(
        child=serializers.CharField(),
        help_text="what an option would change for medicines that are taken",
    )


@extend_schema_serializer(component_name="AdviceSource")
class SourceSerializer(serializers.Serializer[Any]):
    """A source of advice as it stands today: its state and its terms."""

    source = serializers.CharField()  # type: ignore[assignment] # that is its name
    by = serializers.CharField(help_text="who stands behind it")
    guidelines = serializers.CharField(help_text="version of the list of guidelines")
    advice = serializers.CharField(help_text="version of the facts")
    licence = serializers.CharField()


@extend_schema_serializer(component_name="AdviceKnowledge")
class KnowledgeSerializer(serializers.Serializer[Any]):
    """The tables that the answer was made with."""

    digest = serializers.CharField(help_text="sha256 over all of them, its beginning")
    versions = serializers.DictField(
        child=serializers.CharField(), help_text="by source and by gene"
    )
    sources = SourceSerializer(many=True)


@extend_schema_serializer(component_name="AdviceLinks")
class LinksSerializer(serializers.Serializer[Any]):
    """Where to go from here; paths on this host."""

    pharmacogenomics = serializers.CharField()
    patient = serializers.CharField()
    all = serializers.CharField(help_text="the patient's stored advice")


@extend_schema_serializer(component_name="Pharmacogenomics")
class AdviceAnswerSerializer(serializers.Serializer[Any]):
    """Which medicines suit one patient, by genes, rules and sources."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    as_of = serializers.DateField()
    created = serializers.DateTimeField()
    age_seconds = serializers.FloatField()
    stale = serializers.BooleanField(help_text="stale_reason says why")
    stale_reason = serializers.ChoiceField(choices=STALE_REASONS, allow_null=True)
    historical = serializers.BooleanField(
        help_text="of a day that is over; nothing of it is delivered"
    )
    reused = serializers.BooleanField(
        help_text="an equal record, question, tables and models gave this stored answer"
    )
    genes = GeneSerializer(many=True)
    unused_genes = UnusedSerializer(many=True)
    refused_calls = RefusedCallSerializer(many=True)
    quality = QualitySerializer()
    current_medications = serializers.ListField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="counted as taken; null: nobody knows what is taken",
    )
    unknown_current = serializers.ListField(
        child=serializers.CharField(),
        help_text="taken, but not in the catalogue: nothing of them was counted",
    )
    unknown_medications = serializers.ListField(
        child=serializers.CharField(),
        help_text="asked for, but not in the catalogue: nothing of them was checked",
    )
    medications = MedicationSerializer(
        many=True, help_text="in the order asked for, unknown ones last"
    )
    comparison = ComparisonSerializer()
    models = ModelUseSerializer(
        many=True, help_text="none where sources and stops answered alone"
    )
    knowledge = KnowledgeSerializer()
    notices = serializers.ListField(
        child=serializers.CharField(),
        help_text="what is missing, was not read or is not delivered, in sentences",
    )
    refused = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="resources of the record that were not used, counted by reason",
    )
    no_longer_standing = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="identifiers of what the EHR still shows of the patient although a "
        "fact it used was taken back; withdraw it there",
    )
    disclaimer = serializers.CharField()
    links = LinksSerializer()


def advice_json(stored: StoredAdvice) -> Mapping[str, Any]:
    """The answer as plain values, in the shape of `AdviceAnswerSerializer`."""
    made = stored.report
    return AdviceAnswerSerializer(
        {
            **row_json(stored),
            "reused": stored.reused,
            "genes": [gene_json(one) for one in made.genes],
            "unused_genes": made.unused,
            "refused_calls": made.refused,
            "quality": made.quality,
            "current_medications": stored.current,
            "unknown_current": made.unknown_current,
            "unknown_medications": stored.unknown,
            "medications": [
                medication_json(one, stored) for one in made.recommendations
            ],
            "comparison": made.comparison,
            "models": stored.models,
            "knowledge": {
                "digest": stored.knowledge.digest[:SHOWN],
                "versions": stored.knowledge.versions,
                "sources": attributions(),
            },
            "notices": stored.notices,
            "refused": stored.refused,
            "no_longer_standing": stored.no_longer_standing,
            "disclaimer": f"{made.disclaimer} {DISCLAIMER}",
            "links": {
                "pharmacogenomics": reverse("api:advice", args=[stored.id]),
                "patient": reverse("api:patient", args=[stored.patient_id]),
                "all": reverse("api:patient-advice", args=[stored.patient_id]),
            },
        }
    ).data
