"""A stored forecast as JSON: the shape, and how it is filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.api.stored_answer import row_json
from backend.api.warning_answer import (
    EarlyWarningSerializer,
    FortnightSerializer,
    fortnight_json,
    warning_json,
)
from backend.predictions.answer import Instrument
from backend.predictions.stored import STALE_REASONS, StoredForecast
from backend.twin.recommendation import Kind
from backend.twin.scales import Scale
from backend.twin.trajectory import INTERVALS, LEVELS, Forecast, Method

DISCLAIMER = (
    "A computed estimate for research and decision support: not a measurement, not a "
    "diagnosis, not a medical device. Clinical judgement decides."
)
# `shrinkage` is only found in what an earlier version stored.
TYPES = (*get_args(Method), "shrinkage")
DIRECTIONS = {True: "higher is worse", False: "higher is better", None: "unknown"}


class ScaleSerializer(serializers.Serializer[Any]):
    """The instrument and how its scores are read."""

    key = serializers.CharField()
    title = serializers.CharField()
    system = serializers.CharField(help_text="code system of the instrument")
    code = serializers.CharField()
    low = serializers.FloatField(help_text="lowest possible score")
    high = serializers.FloatField(help_text="highest possible score")
    direction = serializers.ChoiceField(choices=list(DIRECTIONS.values()))
    source = serializers.CharField(  # type: ignore[assignment] # that is its name
        help_text="where range and reading come from"
    )


class ReliabilitySerializer(serializers.Serializer[Any]):
    """How far to rely on it, and why."""

    grade = serializers.ChoiceField(choices=["high", "medium", "low"])
    reasons = serializers.ListField(child=serializers.CharField())


class IntervalSerializer(serializers.Serializer[Any]):
    """Both ends of one interval, one value per date."""

    lower = serializers.ListField(child=serializers.FloatField())
    upper = serializers.ListField(child=serializers.FloatField())


class QuantilesSerializer(serializers.Serializer[Any]):
    """The whole forecast distribution: a row per date, a column per level."""

    levels = serializers.ListField(child=serializers.FloatField())
    values = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField())
    )


class ModelUseSerializer(serializers.Serializer[Any]):
    """A model version that contributed."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    channel = serializers.CharField()
    weight = serializers.FloatField()


class RecommendationSerializer(serializers.Serializer[Any]):
    """Something worth a look, or that there is nothing to say."""

    code = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()
    urgency = serializers.ChoiceField(choices=["urgent", "routine", "none"])
    source = serializers.CharField()  # type: ignore[assignment] # as above
    day = serializers.DateField(allow_null=True)


@extend_schema_serializer(component_name="InstrumentForecast")
class InstrumentSerializer(serializers.Serializer[Any]):
    """One instrument's trajectory over the fourteen days after its last entry."""

    scale = ScaleSerializer()
    unit = serializers.CharField(help_text="UCUM unit of all scores below")
    type = serializers.ChoiceField(
        choices=TYPES, help_text="how it was made; shrinkage: by an earlier version"
    )
    reliability = ReliabilitySerializer()
    dates = serializers.ListField(child=serializers.DateField())
    forecast = serializers.ListField(
        child=serializers.FloatField(), help_text="the median of each date"
    )
    intervals = serializers.DictField(
        child=IntervalSerializer(), help_text="by level: 0.80 and 0.95"
    )
    quantiles = QuantilesSerializer()
    fortnight = FortnightSerializer(
        allow_null=True, help_text="null: not computed when the forecast was made"
    )
    warning = EarlyWarningSerializer(
        allow_null=True, help_text="null: not computed when the forecast was made"
    )
    models = ModelUseSerializer(many=True)
    entries = serializers.IntegerField(help_text="days with an entry that were used")
    last_entry = serializers.DateField()
    historical = serializers.BooleanField(
        help_text="the last entry is too old to speak of the present; not delivered"
    )
    recommendations = RecommendationSerializer(many=True)
    identifier = serializers.UUIDField(help_text="names the Observation in the EHR")
    delivery = serializers.ChoiceField(
        choices=["pending", "delivered", "failed", "cancelled", "not-sent"]
    )


class UrgentFindingSerializer(serializers.Serializer[Any]):
    """Something in the record that calls for a human, with a forecast or without."""

    kind = serializers.ChoiceField(choices=get_args(Kind))
    scale = serializers.CharField(help_text="the scale's key")
    day = serializers.DateField(help_text="the day of the finding")
    value = serializers.FloatField()
    unit = serializers.CharField(help_text="UCUM unit of the value")
    text = serializers.CharField(help_text="the same as one line for people")


@extend_schema_serializer(component_name="ForecastLinks")
class LinksSerializer(serializers.Serializer[Any]):
    """Where to go from here; paths on this host."""

    forecast = serializers.CharField()
    patient = serializers.CharField()
    forecasts = serializers.CharField()


class ForecastSerializer(serializers.Serializer[Any]):
    """A prediction: all instruments of one patient at one time."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    as_of = serializers.DateField()
    created = serializers.DateTimeField()
    age_seconds = serializers.FloatField()
    stale = serializers.BooleanField(help_text="stale_reason says why")
    stale_reason = serializers.ChoiceField(choices=STALE_REASONS, allow_null=True)
    reused = serializers.BooleanField(
        help_text="an equal record and equal models gave this stored answer"
    )
    historical = serializers.BooleanField()
    urgent_findings = UrgentFindingSerializer(
        many=True,
        help_text="of the fourteen days before, also of scales without a forecast",
    )
    notices = serializers.ListField(
        child=serializers.CharField(),
        help_text="what could not be read and may be urgent, in sentences",
    )
    instruments = InstrumentSerializer(many=True)
    refused = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="resources of the record that were not used, counted by reason",
    )
    no_longer_standing = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="identifiers of the patient's forecasts that the EHR still shows "
        "although an entry they used was taken back; withdraw them there",
    )
    disclaimer = serializers.CharField()
    links = LinksSerializer()


def forecast_json(stored: StoredForecast) -> Mapping[str, Any]:
    """The answer as plain values, in the shape of `ForecastSerializer`."""
    return ForecastSerializer(
        {
            **row_json(stored),
            "reused": stored.reused,
            "urgent_findings": stored.urgent_findings,
            "notices": stored.notices,
            "instruments": [
                _instrument(item, stored.delivery[item.identifier])
                for item in stored.instruments
            ],
            "refused": stored.refused,
            "no_longer_standing": stored.no_longer_standing,
            "disclaimer": DISCLAIMER,
            "links": {
                "forecast": reverse("api:forecast", args=[stored.id]),
                "patient": reverse("api:patient", args=[stored.patient_id]),
                "forecasts": reverse("api:forecasts", args=[stored.patient_id]),
            },
        }
    ).data


def _instrument(item: Instrument, delivery: str) -> dict[str, Any]:
    forecast = item.forecast
    return {
        "scale": _scale(forecast.scale),
        "unit": forecast.scale.unit,
        "type": forecast.method,
        "reliability": {"grade": forecast.grade.value, "reasons": forecast.reasons},
        "dates": forecast.days,
        "forecast": forecast.median(),
        "intervals": {
            f"{level:.2f}": _interval(forecast, level) for level in INTERVALS
        },
        "quantiles": {"levels": LEVELS, "values": forecast.quantiles},
        "fortnight": fortnight_json(forecast),
        "warning": warning_json(forecast),
        "models": forecast.models,
        "entries": forecast.entries,
        "last_entry": forecast.last_entry,
        "historical": forecast.historical,
        "recommendations": item.recommendations,
        "identifier": item.identifier,
        "delivery": delivery,
    }


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "key": scale.key,
        "title": scale.title,
        "system": scale.system,
        "code": scale.code,
        "low": scale.low,
        "high": scale.high,
        "direction": DIRECTIONS[scale.higher_is_worse],
        "source": scale.source,
    }


def _interval(forecast: Forecast, level: float) -> dict[str, list[float]]:
    ends = forecast.interval(level)
    return {"lower": [low for low, _ in ends], "upper": [high for _, high in ends]}
