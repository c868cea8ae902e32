"""Which models may answer: in production, weighted, and better than the fallback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from backend.registry.services import production
from backend.twin.features import MIN_ENTRIES, schema_hash
from backend.twin.trajectory import Forecast, ModelUse

CADENCE = "daily"  # the only one that models are asked for


def approved(weights: Mapping[str, float]) -> dict[str, ModelUse]:
    """The production releases that may be asked, each with its weight.

    Left out: a model without a weight, one whose card does not say that it beats the
    climatology, and one that was trained on other features than the twin computes.
    """
    return {
        model: replace(release.use, weight=weights[model])
        for model, release in production().items()
        if weights.get(model, 0.0) > 0.0
        and release.beats_climatology(CADENCE)
        and release.card.get("feature_schema_hash") == schema_hash()
    }


def suits_models(forecast: Forecast) -> bool:
    """Whether it is of a series that models are asked about."""
    return forecast.scale.cadence == CADENCE and forecast.entries >= MIN_ENTRIES


def is_complete(forecasts: Iterable[Forecast], uses: Mapping[str, ModelUse]) -> bool:
    """Whether every approved model answered for every series that models see."""
    return all(
        {use.model for use in forecast.models} == set(uses)
        for forecast in forecasts
        if suits_models(forecast)
    )


def are_down(forecasts: Iterable[Forecast], uses: Mapping[str, ModelUse]) -> bool:
    """Whether some series got no answer because all models that may answer failed.

    False where none may answer: there the climatology is what was asked for.
    """
    return bool(uses) and any(
        not forecast.models for forecast in forecasts if suits_models(forecast)
    )
