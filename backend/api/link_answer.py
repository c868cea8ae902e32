"""What was looked at and what of each pair was found, as JSON: shape, and filled."""

from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backend.twin.correlation.link import LagUnit, Link, Method
from backend.twin.correlation.report import CorrelationReport
from backend.twin.correlation.streams import WorseWhen

_DAY_HOURS = 24.0


class SpanSerializer(serializers.Serializer[Any]):
    """Both ends of a 90 % interval."""

    lower = serializers.FloatField()
    upper = serializers.FloatField()


@extend_schema_serializer(component_name="CorrelationWindow")
class WindowSerializer(serializers.Serializer[Any]):
    """What was looked at: local times, without an offset."""

    begin = serializers.CharField(help_text="of the reports; signals begin earlier")
    end = serializers.CharField(help_text="exclusive")
    clock = serializers.CharField(help_text="whose clock all times are of")
    max_lag_hours = serializers.IntegerField(help_text="looked for in both directions")


class SignalSeenSerializer(serializers.Serializer[Any]):
    """A body signal in the window."""

    name = serializers.CharField()
    unit = serializers.CharField(help_text="UCUM unit of its values")
    n = serializers.IntegerField(help_text="values")
    coverage = serializers.FloatField(
        help_text="share of the hours, or of the days or nights, that have a value"
    )
    nightly = serializers.BooleanField(help_text="one value for each night")


class SymptomSeenSerializer(serializers.Serializer[Any]):
    """A symptom in the window."""

    name = serializers.CharField()
    n = serializers.IntegerField(help_text="reports")
    worse_when = serializers.ChoiceField(
        choices=get_args(WorseWhen),
        allow_null=True,
        help_text="which end of its scale is worse; null: unknown",
    )
    by_day = serializers.BooleanField(help_text="the day is known, no time of day")


class LagSerializer(serializers.Serializer[Any]):
    """How long the symptom follows the signal; negative where the symptom is first."""

    value = serializers.FloatField()
    interval = SpanSerializer(allow_null=True, help_text="90 % interval")
    unit = serializers.ChoiceField(
        choices=get_args(LagUnit),
        help_text="0 days: the same day; 0 nights: the night before the report",
    )


@extend_schema_serializer(component_name="PairOfSignalAndSymptom")
class PairSerializer(serializers.Serializer[Any]):
    """One signal and one symptom, published or not; null: not examined so far."""

    biometric = serializers.CharField()
    symptom = serializers.CharField()
    published = serializers.BooleanField(help_text="enough to be listed as a link")
    relation = serializers.ChoiceField(
        choices=["direct", "association"],
        allow_null=True,
        help_text="direct: stands beside the other signals; association: they explain "
        "it, and coefficient and lag are those without them; null: neither",
    )
    coefficient = serializers.FloatField(
        allow_null=True,
        help_text="standard deviations of the symptom per standard deviation of the "
        "signal, both without daily course, weekday and trend",
    )
    interval = SpanSerializer(
        allow_null=True, help_text="90 % interval of the coefficient"
    )
    lag = LagSerializer(allow_null=True)
    p_link = serializers.FloatField(
        allow_null=True, help_text="probability of a direct link, 0 to 1"
    )
    p_value = serializers.FloatField(
        allow_null=True, help_text="given the other signals, over all lags"
    )
    q_value = serializers.FloatField(
        allow_null=True,
        help_text="the same after Benjamini and Hochberg over all pairs",
    )
    p_value_alone = serializers.FloatField(
        allow_null=True, help_text="without the other signals"
    )
    n = serializers.IntegerField(help_text="reports")
    n_effective = serializers.FloatField(
        allow_null=True, help_text="independent reports that they are worth"
    )
    coverage = serializers.FloatField(help_text="of the signal, 0 to 1")
    reports_needed = serializers.IntegerField(
        allow_null=True, help_text="to find a coefficient of 0.3 four times in five"
    )
    method = serializers.ChoiceField(
        choices=get_args(Method),
        help_text="whose p_link it is, and whose other numbers if direct; engine: the "
        "classical statistics",
    )
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="why it is not published"
    )


@extend_schema_serializer(component_name="SilentPair")
class SilenceSerializer(serializers.Serializer[Any]):
    """A pair of which nothing is said, and why."""

    biometric = serializers.CharField()
    symptom = serializers.CharField()
    why = serializers.CharField()


@extend_schema_serializer(component_name="LeftOutSeries")
class LeftOutSerializer(serializers.Serializer[Any]):
    """Values of the record that never got into the window, and why."""

    name = serializers.CharField()
    count = serializers.IntegerField()
    why = serializers.CharField()


def window_json(report: CorrelationReport) -> dict[str, Any]:
    """Bounds and clock, in the shape of `WindowSerializer`."""
    begin, end = (str(moment.astype("datetime64[s]")) for moment in report.window)
    return {
        "begin": begin,
        "end": end,
        "clock": report.clock,
        "max_lag_hours": report.max_lag_hours,
    }


def pair_json(link: Link) -> dict[str, Any]:
    """One pair, in the shape of `PairSerializer`."""
    return {
        "biometric": link.biometric,
        "symptom": link.symptom,
        "published": link.published,
        "relation": relation(link),
        "coefficient": link.coefficient,
        "interval": _span(link.ci),
        "lag": _lag(link),
        "p_link": link.p_link,
        "p_value": link.p_value,
        "q_value": link.q_value,
        "p_value_alone": link.p_marginal,
        "n": link.n,
        "n_effective": link.n_eff,
        "coverage": link.coverage,
        "reports_needed": link.reports_needed,
        "method": link.method,
        "reasons": link.reasons,
    }


def relation(link: Link) -> str | None:
    """In a word whether it stands given the others; None where it is neither."""
    if link.direct is None:
        return None
    return "direct" if link.direct else "association"


def _lag(link: Link) -> dict[str, Any] | None:
    """In its own unit: of days and nights no hour can be told."""
    if link.lag_hours is None:
        return None
    size = 1.0 if link.lag_unit == "hours" else _DAY_HOURS
    ends = link.lag_interval
    return {
        "value": link.lag_hours / size,
        "interval": _span(ends and (ends[0] / size, ends[1] / size)),
        "unit": link.lag_unit,
    }


def _span(ends: tuple[float, float] | None) -> dict[str, float] | None:
    return None if ends is None else {"lower": ends[0], "upper": ends[1]}
