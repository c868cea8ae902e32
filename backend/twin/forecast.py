"""The forecast: the models' quantiles blended, or the fallback, never nothing.

Quantile averaging (Vincentisation; Ratcliff 1979, doi:10.1037/0033-2909.86.3.446): each
level of the answer is the weighted mean of the members' values at that level, so the
blend lies between its members and keeps their spread; averaging standard deviations
would not. A member that fails, or answers in the wrong shape or with something not
finite, is left out of that series' blend, and the reasons say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from backend.twin import features
from backend.twin.climatology import (
    FORTNIGHT_SHARE,
    ew_quantiles,
    fortnight_quantiles,
    prior_quantiles,
)
from backend.twin.early_warning import early_warning
from backend.twin.errors import ModelError
from backend.twin.features import MIN_ENTRIES, ForecastWindow
from backend.twin.grade import Evidence, grade
from backend.twin.ports import Arrays
from backend.twin.trajectory import HORIZON, LEVELS, Forecast, Method, ModelUse

# One line per model: its share of the blend where all members answer.
WEIGHTS = {
    "symptom_transformer": 0.7,
    "symptom_xgboost": 0.3,
}
# Raise it whenever equal inputs come to give other numbers: it is part of the name that
# an EHR knows a forecast by, and one name must not stand for two answers.
CALCULATION = 2
BATCH = 64  # series per request; every published model takes at least as many

Answer = np.ndarray | ModelError
AskAll = Callable[[Mapping[str, Arrays]], Mapping[str, Answer]]


class _Blend(NamedTuple):
    """What one window got: quantiles in score units, by what, and what went wrong."""

    quantiles: np.ndarray  # (day, level)
    method: Method
    models: tuple[ModelUse, ...]
    notes: tuple[str, ...]


def forecast_all(
    windows: Sequence[ForecastWindow],
    *,
    ask_all: AskAll,
    weights: Mapping[str, float],
    uses: Mapping[str, ModelUse],
    as_of: date,
) -> tuple[Forecast, ...]:
    """One forecast per window, in the same order; raises no ModelError.

    `ask_all` takes every model's inputs and returns every model's answer: quantiles
    [window, HORIZON, level] in z units, or the ModelError why there is none. `uses` are
    the model versions that may answer, because their cards show them better than the
    climatology; `weights` their shares. `as_of` is the day the forecast is asked for.
    """
    members = {model: uses[model] for model in uses if weights.get(model, 0.0) > 0}
    asked = [i for i, window in enumerate(windows) if members and _suits_models(window)]
    blends: dict[int, _Blend] = {}
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        chosen = [windows[i] for i in batch]
        answers = ask_all({model: features.inputs(model, chosen) for model in members})
        for row, i in enumerate(batch):
            rows = {m: _row(answers.get(m), row, len(batch)) for m in members}
            blends[i] = _ensemble(windows[i], rows, weights=weights, uses=members)
    return tuple(
        _forecast(window, blends.get(i) or _fallback(window, ()), as_of)
        for i, window in enumerate(windows)
    )


def blend(
    quantiles: Mapping[str, np.ndarray], weights: Mapping[str, float]
) -> np.ndarray:
    """The weighted mean of the members' quantiles [..., level], level by level.

    Weights are renormalised over the members given. Each member is put in ascending
    order first, so the blend's quantiles cannot cross.
    """
    total = sum(weights[model] for model in quantiles)
    parts = (weights[m] / total * np.sort(q, axis=-1) for m, q in quantiles.items())
    answer: np.ndarray = sum(parts, start=np.zeros(1))
    return answer


def observed_days(window: ForecastWindow) -> int:
    """How many days of the window have an entry."""
    return int(np.isfinite(window.values).sum())


def _suits_models(window: ForecastWindow) -> bool:
    """The models know daily diaries with a history, and nothing else."""
    daily = window.series.scale.cadence == "daily"
    return daily and observed_days(window) >= MIN_ENTRIES


def _row(answer: Answer | None, row: int, rows: int) -> np.ndarray | None:
    """One window's quantiles [day, level] of a model's answer; None where unusable."""
    if not isinstance(answer, np.ndarray):
        return None
    if answer.shape != (rows, HORIZON, len(LEVELS)):
        return None
    found: np.ndarray = answer[row].astype(np.float64)
    return found if np.isfinite(found).all() else None


def _ensemble(
    window: ForecastWindow,
    rows: Mapping[str, np.ndarray | None],
    *,
    weights: Mapping[str, float],
    uses: Mapping[str, ModelUse],
) -> _Blend:
    """The blend of the members that answered; the fallback where none did."""
    usable = {model: row for model, row in rows.items() if row is not None}
    missing = [model for model in rows if model not in usable]
    notes = tuple(f"{model} gave no usable answer" for model in missing)
    if not usable:
        return _fallback(window, notes)
    total = sum(weights[model] for model in usable)
    return _Blend(
        quantiles=window.mean + window.sd * blend(usable, weights),
        method="ensemble",
        models=tuple(replace(uses[m], weight=weights[m] / total) for m in usable),
        notes=notes,
    )


def _fallback(window: ForecastWindow, notes: tuple[str, ...]) -> _Blend:
    """The person's own recent days; few of them, moved towards a population.

    A questionnaire gives a handful of scores: their own quantiles are far too narrow,
    so they are always moved towards the simulated population.
    """
    method: Method
    enough = observed_days(window) >= MIN_ENTRIES
    if enough and window.series.scale.cadence == "daily":
        method = "climatology"
        ages = np.arange(len(window.values), 0, -1)  # the last day is 1
        levels = ew_quantiles(window.values, ages)
    else:
        method = "shrinkage" if enough else "prior"
        levels = prior_quantiles(window.values, window.series.scale)
    return _Blend(np.tile(levels, (HORIZON, 1)), method, (), notes)


def _forecast(window: ForecastWindow, found: _Blend, as_of: date) -> Forecast:
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
    inside = np.clip(found.quantiles, scale.low, scale.high)
    fortnight = _fortnight(inside, window, found.method)
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


def _fortnight(
    days: np.ndarray, window: ForecastWindow, method: Method
) -> tuple[float, ...]:
    """Quantiles of the fourteen days' mean, from those of the days (day, level).

    Few entries leave the person's level itself open, and a questionnaire's score is
    about weeks already: neither gets narrower by averaging.
    """
    share = FORTNIGHT_SHARE if method in ("ensemble", "climatology") else 1.0
    scale = window.series.scale
    mean = np.clip(fortnight_quantiles(days, share=share), scale.low, scale.high)
    return tuple(np.maximum.accumulate(mean).tolist())


def _sources(window: ForecastWindow) -> tuple[str, ...]:
    """The EHR's references to the entries inside the window, each once."""
    first_day = window.last_day - timedelta(days=len(window.values) - 1)
    inside = (
        entry.source
        for entry in window.series.entries
        if first_day <= entry.day <= window.last_day
    )
    return tuple(dict.fromkeys(inside))
