"""What is said of one medicine, as JSON: shape, and filled."""

from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.predictions.stored_advice import StoredAdvice
from backend.twin.pharmacogenomics.advice_table import SOURCES, Action
from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.recommendation import Caution, Recommendation
from backend.twin.pharmacogenomics.response import Response
from backend.twin.pharmacogenomics.safety_table import Severity

TRAINED_ON = "simulated outcomes"
PUBLISHED_AUC = {"lower": 0.60, "upper": 0.67}
ACTIONS = get_args(Action)
OVERALL = (*ACTIONS, "unknown")
GRADES = tuple(reversed(get_args(Caution)))


def _texts(help_text: str = "") -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=help_text)


def _keys(help_text: str) -> serializers.DictField:
    return serializers.DictField(child=serializers.CharField(), help_text=help_text)


@extend_schema_serializer(component_name="MedicationReason")
class ReasonSerializer(serializers.Serializer[Any]):
    """One word on the medicine, and whose."""

    by = serializers.CharField(help_text="stop, a source, or response model")
    action = serializers.ChoiceField(choices=ACTIONS)
    text = serializers.CharField()


@extend_schema_serializer(component_name="MedicationRecommendation")
class RecommendationSerializer(serializers.Serializer[Any]):
    """The overall word: stops first, then sources, then the model; what binds most."""

    action = serializers.ChoiceField(
        choices=OVERALL,
        help_text="no_recommendation: nobody says anything, which is not standard "
        "dosing; unknown: the catalogue does not know the medicine",
    )
    caution = serializers.ChoiceField(choices=GRADES)
    rationale = serializers.CharField()
    stopped = serializers.BooleanField(help_text="do not use, before any score")
    reasons = ReasonSerializer(many=True, help_text="the gravest first")
    differing = _texts("each source with its action, where they do not say the same")
    missing = _texts("genes that a source asks for and that have no result")
    needs = _texts("other facts that nobody knows and that would decide")


@extend_schema_serializer(component_name="SourceAdvice")
class AdviceSerializer(serializers.Serializer[Any]):
    """One source's advice for one population it tells apart; null: it does not say."""

    source = serializers.ChoiceField(  # type: ignore[assignment] # that is its name
        choices=SOURCES
    )
    population = serializers.CharField()
    action = serializers.ChoiceField(choices=ACTIONS)
    classification = serializers.CharField(help_text="the source's own; may be empty")
    dose_change = serializers.BooleanField(help_text="the source's own")
    alternate_drug = serializers.BooleanField(help_text="the source's own")
    rationale = serializers.CharField()
    genes = _keys("the keys that count, by gene")
    counts_by = serializers.ChoiceField(
        choices=["genes", "current medication"],
        help_text="whether current medication changed a key",
    )
    genetic_keys = _keys("the keys by the genes alone, where they are others")
    dose_factor = serializers.FloatField(
        allow_null=True, help_text="of the usual dose; 0.5: half of it"
    )
    dose_factor_to = serializers.FloatField(
        allow_null=True, help_text="the range's other end"
    )
    dose_part = serializers.CharField(help_text="of which dose; empty: of every dose")
    dose_limit = serializers.CharField(
        allow_null=True, help_text="not to be exceeded, with its unit"
    )
    dose_scheme = serializers.CharField(
        allow_null=True, help_text="doses to be gone through, with their units"
    )
    alternatives = _texts("what the source names instead")
    guideline = serializers.CharField(help_text="its id; empty: there is none")
    guideline_version = serializers.CharField()
    citation = serializers.CharField(help_text="may be empty")


@extend_schema_serializer(component_name="SafetyStop")
class StopSerializer(serializers.Serializer[Any]):
    """What must be heeded before the medicine is given, and by whom it is said."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(
        choices=get_args(Severity),
        help_text="stop: do not use; caution: only as the text says; monitor: to "
        "measure or to ask for",
    )
    text = serializers.CharField()
    needs = _texts("what is not known and would decide; never taken for an absence")
    source = serializers.CharField()  # type: ignore[assignment] # that is its name


class SideEffectSerializer(serializers.Serializer[Any]):
    """A side effect and its probability, 0 to 1."""

    name = serializers.CharField()
    risk = serializers.FloatField()


class PublishedAucSerializer(serializers.Serializer[Any]):
    """Lowest and highest."""

    lower = serializers.FloatField()
    upper = serializers.FloatField()


@extend_schema_serializer(component_name="ModelledResponse")
class ResponseSerializer(serializers.Serializer[Any]):
    """What the response model expects; shares of one. No trial stands behind it."""

    efficacy = serializers.FloatField(
        help_text="probability that symptoms at least halve"
    )
    percentile = serializers.FloatField(
        help_text="where that lies among reference patients on the medicine"
    )
    confidence = serializers.FloatField(help_text="how sure the efficacy is")
    side_effects = SideEffectSerializer(many=True)
    trained_on = serializers.CharField()
    published_auc = PublishedAucSerializer(
        help_text="of published models of response, tried on real patients; of this "
        "one there is none"
    )


@extend_schema_serializer(component_name="MedicationAdvice")
class MedicationSerializer(serializers.Serializer[Any]):
    """All that is said of one medicine."""

    medication = serializers.CharField(help_text="the ingredient, or as asked for")
    rxnorm = serializers.CharField(
        allow_null=True, help_text="its code; null: the catalogue does not know it"
    )
    is_current = serializers.BooleanField(
        allow_null=True, help_text="whether it is taken; null: nobody knows"
    )
    recommendation = RecommendationSerializer()
    advice = AdviceSerializer(many=True, help_text="every source's, side by side")
    stops = StopSerializer(many=True, help_text="the gravest first")
    response = ResponseSerializer(
        allow_null=True, help_text="null: the model was not asked or is withheld"
    )
    withheld = serializers.CharField(
        help_text="why the model's answer is not reported; empty where it is, and "
        "where no model was asked"
    )
    identifier = serializers.UUIDField(
        allow_null=True,
        help_text="names what the EHR gets; null: it is told nothing of the medicine",
    )
    delivery = serializers.ChoiceField(
        choices=["pending", "delivered", "failed", "cancelled", "not-sent"],
        allow_null=True,
    )


def medication_json(one: Recommendation, stored: StoredAdvice) -> dict[str, Any]:
    """One medicine, in the shape of `MedicationSerializer`."""
    name, made = one.medication, stored.report
    drug = drugs().get(name)
    identifier = stored.identifiers.get(name)
    return {
        "medication": name,
        "rxnorm": drug and drug.rxnorm_ingredient,
        "is_current": None if stored.current is None else name in stored.current,
        "recommendation": {
            "action": one.action,
            "caution": one.caution,
            "rationale": one.rationale,
            "stopped": one.is_stopped,
            "reasons": one.reasons,
            "differing": one.differing,
            "missing": one.missing,
            "needs": one.needs,
        },
        "advice": [line for line in made.advice if line.medication == name],
        "stops": [stop for stop in made.stops if stop.drug == name],
        "response": one.response and _response(one.response),
        "withheld": one.withheld,
        "identifier": identifier,
        "delivery": identifier and stored.delivery[identifier],
    }


def _response(response: Response) -> dict[str, Any]:
    return {
        "efficacy": response.efficacy,
        "percentile": response.percentile,
        "confidence": response.confidence,
        "side_effects": response.side_effects,
        "trained_on": TRAINED_ON,
        "published_auc": PUBLISHED_AUC,
    }
