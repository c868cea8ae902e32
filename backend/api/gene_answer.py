"""What is known of a person's genes, as JSON: shape, and filled."""

from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.twin.pharmacogenomics.gene_result import Basis, GeneResult
from backend.twin.pharmacogenomics.quality import Level, State


def _texts(help_text: str = "") -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=help_text)


@extend_schema_serializer(component_name="GeneWarning")
class WarnedSerializer(serializers.Serializer[Any]):
    """What was done to a result that its reader must know."""

    code = serializers.CharField()
    text = serializers.CharField()


class GeneReadingSerializer(serializers.Serializer[Any]):
    """A phenotype with its score and the key that CPIC's tables are asked by."""

    phenotype = serializers.CharField(
        help_text="CPIC's term, or the HLA status; Indeterminate, No Result"
    )
    activity_score = serializers.CharField(help_text="no unit; n/a where there is none")
    lookup_key = serializers.CharField()


@extend_schema_serializer(component_name="GeneResult")
class GeneSerializer(serializers.Serializer[Any]):
    """One gene's result, or one of several possible ones of an ambiguous call."""

    gene = serializers.CharField()
    diplotype = serializers.CharField(
        allow_null=True, help_text="in the tables' spelling; null: none was given"
    )
    basis = serializers.ChoiceField(choices=get_args(Basis))
    genetic = GeneReadingSerializer(help_text="by the genes alone")
    adjusted = GeneReadingSerializer(
        allow_null=True,
        help_text="with current medication; null: it changes nothing. Of a medicine "
        "that is taken the advice goes without its own inhibition",
    )
    adjusted_because = _texts("what of the current medication does so")
    keys = _texts("every key that fits, where the score is not stated")
    statuses = _texts("of an HLA gene, all that is known")
    candidates = _texts("diplotypes that give this result")
    warnings = WarnedSerializer(many=True)


@extend_schema_serializer(component_name="UnusedGene")
class UnusedSerializer(serializers.Serializer[Any]):
    """A gene that was called and from which no advice may follow."""

    gene = serializers.CharField()
    why = serializers.CharField()


@extend_schema_serializer(component_name="RefusedCall")
class RefusedCallSerializer(serializers.Serializer[Any]):
    """A genetic result that could not be read."""

    gene = serializers.CharField(help_text="empty where no table has it")
    code = serializers.CharField()
    reason = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment] # that is its name
        help_text="the EHR's reference; may be empty"
    )


@extend_schema_serializer(component_name="GeneState")
class GeneStateSerializer(serializers.Serializer[Any]):
    """What became of a gene's results, and which asked medicines go by it."""

    gene = serializers.CharField()
    result = serializers.ChoiceField(choices=get_args(State), source="state")
    medications = _texts()


@extend_schema_serializer(component_name="GeneticDataQuality")
class QualitySerializer(serializers.Serializer[Any]):
    """How much of what the asked medicines depend on the genetic data says."""

    level = serializers.ChoiceField(choices=get_args(Level))
    genes = GeneStateSerializer(many=True)


def gene_json(one: GeneResult) -> dict[str, Any]:
    """One result, in the shape of `GeneSerializer`."""
    return {
        "gene": one.gene,
        "diplotype": one.lookup_diplotype,
        "basis": one.basis,
        "genetic": {
            "phenotype": one.phenotype,
            "activity_score": one.activity_score,
            "lookup_key": one.lookup_key,
        },
        "adjusted": _adjusted(one),
        "adjusted_because": one.adjusted_because,
        "keys": one.lookup_keys,
        "statuses": one.statuses,
        "candidates": one.candidates,
        "warnings": one.warnings,
    }


def _adjusted(one: GeneResult) -> dict[str, Any] | None:
    if one.adjusted_phenotype is None:
        return None
    return {
        "phenotype": one.adjusted_phenotype,
        "activity_score": one.adjusted_activity_score,
        "lookup_key": one.adjusted_lookup_key,
    }
