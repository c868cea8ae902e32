"""The forecast: the models' ensemble, or the fallback, never nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from backend.twin.calibration import EVERYONE, UNFITTED, constants
from backend.twin.climatology import ew_quantiles, fortnight_quantiles
from backend.twin.early_warning import early_warning
from backend.twin.ensemble import AskAll, Blend, Members, ensemble
from backend.twin.features import MIN_ENTRIES, ForecastWindow
from backend.twin.grade import Evidence, grade
from backend.twin.irregular import irregular_quantiles
from backend.twin.trajectory import HORIZON, LEVELS, Forecast, Method, ModelUse

# One line per model: its share of the blend where all members answer. Fitted on diaries
# of open licence; a share of its own per day ahead was no better (docs/methods).
WEIGHTS = {
    "symptom_transformer": 0.8,
    "symptom_xgboost": 0.2,
}
# Raise it whenever equal inputs come to give other numbers: it is part of the name that
# an EHR knows a forecast by, and one name must not stand for two answers.
CALCULATION = 3


class _Found(NamedTuple):
    """What one window got: quantiles in score units, by what, and what went wrong."""

    days: np.ndarray  # (HORIZON, level)
    fortnight: np.ndarray  # (level,)
    method: Method
    models: tuple[ModelUse, ...] = ()
    notes: tuple[str, ...] = ()


def forecast_all(
    windows: Sequence[ForecastWindow],
    *,
    ask_all: AskAll,
    weights: Mapping[str, float],
    uses: Mapping[str, ModelUse],
    as_of: date,
    fold: str = EVERYONE,
) -> tuple[Forecast, ...]:
    """One forecast per window, in the same order; raises no ModelError.

    `ask_all` takes every model's inputs and returns every model's answer: quantiles
    [window, HORIZON + 1, level] in z units, or the ModelError why there is none. `uses`
    are the model versions that may answer, because their cards show them better than
    the climatology; `weights` their shares. `as_of` is the day the forecast is asked
    for; `fold` names the constants of calibration, for a score on the people that the
    others were fitted on.
    """
    asked = {model: uses[model] for model in uses if weights.get(model, 0.0) > 0}
    versions = {model: use.version for model, use in asked.items()}
    members = Members(ask_all, asked, weights, constants(versions, fold))
    chosen = [i for i, window in enumerate(windows) if asked and _suits_models(window)]
    blends = ensemble([windows[i] for i in chosen], members)
    found = dict(zip(chosen, blends, strict=True))
    return tuple(
        _forecast(window, _found(window, found.get(i), members), as_of)
        for i, window in enumerate(windows)
    )


def observed_days(window: ForecastWindow) -> int:
    """How many days of the window have an entry."""
    return int(np.isfinite(window.values).sum())


def _suits_models(window: ForecastWindow) -> bool:
    """The models know daily diaries with a history, and nothing else."""
    daily = window.series.scale.cadence == "daily"
    return daily and observed_days(window) >= MIN_ENTRIES


def _found(window: ForecastWindow, blend: Blend | None, members: Members) -> _Found:
    """The ensemble's answer; the fallback where no model may or could answer."""
    if blend is None:
        return _fallback(window, ())
    notes = tuple(f"{model} gave no usable answer" for model in blend.missing)
    if not blend.models:
        return _fallback(window, notes)
    if members.fitted is UNFITTED or blend.missing:
        notes = (*notes, "intervals not calibrated for these models alone or together")
    quantiles = blend.quantiles
    return _Found(
        quantiles[:HORIZON], quantiles[HORIZON], "ensemble", blend.models, notes
    )


def _fallback(window: ForecastWindow, notes: tuple[str, ...]) -> _Found:
    """No model: a diary's own recent days, or a few scores at their own days."""
    enough = observed_days(window) >= MIN_ENTRIES
    if enough and window.series.scale.cadence == "daily":
        ages = np.arange(len(window.values), 0.0, -1.0)  # the last day is 1
        days = np.tile(ew_quantiles(window.values, ages), (HORIZON, 1))
        return _Found(days, fortnight_quantiles(days), "climatology", notes=notes)
    ages = np.arange(len(window.values) - 1.0, -1.0, -1.0)  # the last day is 0
    found = irregular_quantiles(window.values, ages, window.series.scale)
    method: Method = "prior" if observed_days(window) == 1 else "irregular"
    return _Found(found.days, found.fortnight, method, notes=notes)


def _forecast(window: ForecastWindow, found: _Found, as_of: date) -> Forecast:
    """The value that leaves: inside the scale, dated, graded, with its sources."""
    scale = window.series.scale
    days = np.flatnonzero(np.isfinite(window.values))
    evidence = Evidence(
        cadence=scale.cadence,
        method=found.method,
        observed_days=len(days),
        span_days=int(days[-1] - days[0]) + 1,
        age_days=(as_of - window.last_day).days,
    )
    level, reasons = grade(evidence)
    inside = np.clip(found.days, scale.low, scale.high)
    fortnight = tuple(np.clip(found.fortnight, scale.low, scale.high).tolist())
    return Forecast(
        scale=scale,
        days=tuple(window.last_day + timedelta(days=d + 1) for d in range(HORIZON)),
        quantiles=tuple(tuple(row) for row in inside.tolist()),
        method=found.method,
        grade=level,
        reasons=(*reasons, *found.notes),
        models=found.models,
        entries=len(days),
        last_entry=window.last_day,
        historical=evidence.historical,
        sources=_sources(window),
        fortnight=fortnight,
        warning=early_warning(
            window.values,
            fortnight=fortnight,
            levels=LEVELS,
            scale=scale,
            last_day=window.last_day,
            historical=evidence.historical,
        ),
    )


def _sources(window: ForecastWindow) -> tuple[str, ...]:
    """The EHR's references to the entries inside the window, each once."""
    first_day = window.last_day - timedelta(days=len(window.values) - 1)
    inside = (
        entry.source
        for entry in window.series.entries
        if first_day <= entry.day <= window.last_day
    )
    return tuple(dict.fromkeys(inside))
