"""The coming fortnight's mean and the early warning as JSON: the shape, and filled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from rest_framework import serializers

from backend.twin.control_chart import State
from backend.twin.early_warning import Event, Side
from backend.twin.trajectory import LEVELS, Forecast
from backend.twin.warning_words import chance_words, chart_words


class FortnightSerializer(serializers.Serializer[Any]):
    """The distribution of the mean of all fourteen days: a value per level."""

    levels = serializers.ListField(child=serializers.FloatField())
    values = serializers.ListField(child=serializers.FloatField())


class ChanceSerializer(serializers.Serializer[Any]):
    """How probable it is that the mean of the fourteen days lies beyond a threshold."""

    event = serializers.ChoiceField(
        choices=get_args(Event),
        help_text="worse, up, down: by more than half the person's own sd from their "
        "own mean; worse-band: a worse severity band than that of the last 14 days",
    )
    probability = serializers.FloatField(
        allow_null=True, help_text="0 to 1; null where reason says why there is none"
    )
    side = serializers.ChoiceField(choices=get_args(Side), allow_null=True)
    threshold = serializers.FloatField(
        allow_null=True, help_text="score; a band's own end counts as inside it"
    )
    band = serializers.CharField(help_text="the band entered; empty for other events")
    reason = serializers.CharField(help_text="why there is no probability, or empty")
    text = serializers.CharField(help_text="the same as one line for people")


class ControlChartSerializer(serializers.Serializer[Any]):
    """Where a moving average of the days so far stands beside its limits."""

    state = serializers.ChoiceField(choices=get_args(State))
    since = serializers.DateField(
        allow_null=True, help_text="first day outside the limits; null inside them"
    )
    average = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()
    centre = serializers.FloatField(help_text="mean of the baseline's days")
    sd = serializers.FloatField(help_text="of the baseline's days")
    baseline_days = serializers.IntegerField()
    days = serializers.IntegerField(help_text="observed days after the baseline")


class EarlyWarningSerializer(serializers.Serializer[Any]):
    """What has followed such patterns before: no cause and no alarm."""

    mean = serializers.FloatField(help_text="of the days so far, score")
    sd = serializers.FloatField(help_text="of the days so far, score")
    days = serializers.IntegerField(help_text="observed days of mean and sd")
    chances = ChanceSerializer(many=True)
    chart = ControlChartSerializer(allow_null=True)
    no_chart = serializers.CharField(help_text="why there is no chart, or empty")
    chart_text = serializers.CharField(help_text="the chart as one line for people")


def fortnight_json(forecast: Forecast) -> dict[str, Any] | None:
    """In the shape of `FortnightSerializer`; None where it was not computed."""
    if not forecast.fortnight:
        return None
    return {"levels": LEVELS, "values": forecast.fortnight}


def warning_json(forecast: Forecast) -> dict[str, Any] | None:
    """In the shape of `EarlyWarningSerializer`; None where it was not computed."""
    warning = forecast.warning
    if warning is None:
        return None
    chances = [
        {**asdict(one), "text": chance_words(one, warning, of=forecast)}
        for one in warning.chances
    ]
    text = chart_words(warning, scale=forecast.scale)
    return {**asdict(warning), "chances": chances, "chart_text": text}
