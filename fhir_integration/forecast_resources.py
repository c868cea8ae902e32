"""A forecast as FHIR R4: Device (by whom), Observation (what), Provenance (from what).

A forecast never wears a measurement's code: it has a code system of its own, the AIAST
label, an effectivePeriod in the future and a note that it is an estimate. Numbers are
rounded to four decimals of the score unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import uuid5

from backend.twin.ports import ForecastDocument
from backend.twin.trajectory import HORIZON, LEVELS, Forecast
from fhir_integration import codes, model_outputs
from fhir_integration.elements import concept, instant, quantity, rounded, value_range
from fhir_integration.forecast_chances import chance_components
from fhir_integration.strict_json import Json

_DAY_MS = 86_400_000
# Not "the next days": the last entry may be old. The code's text adds its date.
_SPAN = f"{HORIZON} days after the last entry"
_METHODS = {
    "ensemble": "quantile-average",
    "climatology": "climatology",
    "irregular": "irregular",
    "prior": "prior",
}
_FALLBACKS = {
    "climatology": "Exponentially weighted climatology of the patient's own entries",
    "irregular": "Gaussian process over the patient's own scores, each at its day",
    "prior": "One entry: how scores scatter around it is assumed, not measured",
}
# Stored by an earlier version, they may still wait to be delivered: code and text.
_FORMER = {
    "shrinkage": (
        "shrinkage",
        "The patient's own scores, moved towards a simulated population",
    ),
    "prior": (
        "population-prior",
        "Few entries: own scores, moved towards a simulated population",
    ),
}


def device(forecast: Forecast) -> Json:
    """The set of model versions that answered, or the fallback that stood in."""
    return model_outputs.device(
        forecast.models, method=forecast.method, title="MindTwin symptom forecast"
    )


def device_name(forecast: Forecast) -> str:
    """Identifier of the Device: model:version pairs and a digest of their artifacts."""
    return model_outputs.device_name(forecast.models, method=forecast.method)


def observation(document: ForecastDocument, *, device_reference: str) -> Json:
    """The fourteen days: per day median and intervals, and all quantiles once more."""
    forecast = document.forecast
    title = f"Predicted {forecast.scale.title}, {_SPAN}"
    code = f"{forecast.scale.key}-forecast-14d"
    resource = _prediction(document, code=code, title=title, device=device_reference)
    resource |= {
        "identifier": [model_outputs.identifier(document.identifier)],
        "effectivePeriod": {
            "start": forecast.days[0].isoformat(),
            "end": forecast.days[-1].isoformat(),
        },
        "component": [
            *_days(forecast),
            *chance_components(forecast),
            _series_detail(forecast),
            _grade(forecast),
        ],
    }
    return resource | model_outputs.derived_from(forecast.sources)


def day_observations(
    document: ForecastDocument, *, device_reference: str
) -> Iterator[Json]:
    """One plain Observation a day with the median, for EHRs that strip components."""
    forecast = document.forecast
    title = f"Predicted {forecast.scale.title}, median of one of the {_SPAN}"
    code = f"{forecast.scale.key}-forecast-median"
    for day, median in zip(forecast.days, forecast.median(), strict=True):
        own = uuid5(document.identifier, day.isoformat())
        yield {
            **_prediction(document, code=code, title=title, device=device_reference),
            "identifier": [model_outputs.identifier(own)],
            "effectiveDateTime": day.isoformat(),
            "valueQuantity": quantity(median, forecast.scale.unit),
        }


def _prediction(
    document: ForecastDocument, *, code: str, title: str, device: str
) -> Json:
    """What every Observation of ours says of itself."""
    forecast = document.forecast
    return {
        "resourceType": "Observation",
        "meta": {"security": [codes.AI_LABEL]},
        "status": "final",
        "category": [
            concept(codes.SURVEY, "survey", "Survey"),
            concept(codes.CATEGORY, "prediction", "Model prediction"),
        ],
        "code": {
            **concept(codes.FORECAST, code, title),
            "text": f"{title} of {forecast.last_entry} "
            "(model estimate, not a measurement)",
        },
        "subject": {"reference": f"Patient/{document.ehr_patient}"},
        "issued": instant(document.issued),
        "performer": [{"display": "MindTwin"}],
        "device": {"reference": device},
        "method": {
            **concept(codes.METHOD, method_code(forecast)),
            "text": method_text(forecast),
        },
        "note": [{"text": _note(forecast)}],
    }


def method_code(forecast: Forecast) -> str:
    """Our code of how the forecast was made."""
    former = _FORMER[forecast.method] if _is_former(forecast) else None
    return former[0] if former else _METHODS[forecast.method]


def _is_former(forecast: Forecast) -> bool:
    """Whether no version of today answers so: `prior` now is for one entry alone."""
    of_few = forecast.method == "prior" and forecast.entries > 1
    return of_few or forecast.method not in _METHODS


def method_text(forecast: Forecast) -> str:
    """Which models with which weights, or the fallback by its name."""
    if _is_former(forecast):
        return _FORMER[forecast.method][1]
    if not forecast.models:
        return _FALLBACKS[forecast.method]
    parts = [
        f"{use.weight:.2f} {use.model} version {use.version}"
        for use in model_outputs.ordered(forecast.models)
    ]
    return f"Quantile average of {' + '.join(parts)}"


def _note(forecast: Forecast) -> str:
    reasons = "; ".join(forecast.reasons)
    return (
        "Model estimate, not a measurement. "
        f"Reliability {forecast.grade.value}{': ' if reasons else ''}{reasons}."
    )


def _days(forecast: Forecast) -> list[Json]:
    """Three components a day: the median, the 80 % and the 95 % interval."""
    unit = forecast.scale.unit
    narrow, wide = forecast.interval(0.80), forecast.interval(0.95)
    components: list[Json] = []
    for day, median in enumerate(forecast.median()):
        components += [
            {
                **_on_day("predicted-value", day + 1),
                "valueQuantity": quantity(median, unit),
            },
            {**_on_day("pi80", day + 1), "valueRange": value_range(narrow[day], unit)},
            {**_on_day("pi95", day + 1), "valueRange": value_range(wide[day], unit)},
        ]
    return components


def _on_day(code: str, day: int) -> Json:
    return {
        "extension": [{"url": codes.HORIZON_DAY, "valueInteger": day}],
        "code": concept(codes.FORECAST, code),
    }


def _series_detail(forecast: Forecast) -> Json:
    """All quantiles as SampledData: one sample a day, one dimension a level."""
    levels = ", ".join(f"{level:g}" for level in LEVELS)
    data = " ".join(str(rounded(q)) for row in forecast.quantiles for q in row)
    return {
        "code": {
            **concept(codes.FORECAST, "series-detail"),
            "text": f"Quantiles of each day at the levels {levels}",
        },
        "valueSampledData": {
            "origin": quantity(0.0, forecast.scale.unit),
            "period": _DAY_MS,
            "dimensions": len(LEVELS),
            "data": data,
        },
    }


def _grade(forecast: Forecast) -> Json:
    return {
        "code": concept(codes.FORECAST, "reliability-grade"),
        "valueCodeableConcept": concept(codes.RELIABILITY, forecast.grade.value),
    }


def provenance(
    document: ForecastDocument,
    *,
    observation_references: Sequence[str],
    device_reference: str,
) -> Json:
    """Which software made the Observations, from which versions of which entries."""
    return model_outputs.provenance(
        document.forecast.sources,
        issued=document.issued,
        observation_references=observation_references,
        device_reference=device_reference,
    )
