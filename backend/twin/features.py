"""From a patient's series to the arrays that the models see; training calls this too.

Everything a model sees is relative to the person (z units: minus the window's mean,
over its standard deviation) or to the scale (shares of its width), so one model serves
every instrument. Absent days are masked, never filled in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from backend.twin import descriptors
from backend.twin.answer_grid import answer_steps
from backend.twin.climatology import HALF_LIFE_DAYS, weighted_quantiles
from backend.twin.errors import InsufficientData, ModelRefused
from backend.twin.history import MedicationEvent
from backend.twin.record import Entry, Series
from backend.twin.trajectory import HORIZON, LEVELS
from backend.twin.treatment_changes import treatment_changes

CONTEXT = 126  # days shown to a model: 18 whole weeks
MIN_ENTRIES = 7  # observed days below which no model is asked
SD_FLOOR = 0.02  # share of the scale's width; lets a constant history be divided by
Z_LIMIT = 12.0  # nothing a model sees lies further out, in z units
TRANSFORMATION = 2  # raise when the meaning of any array below changes

HISTORY_FEATURES = ("value_z", "observed", "treatment")
CONTEXT_FEATURES = (
    "low_z", "high_z", "step_z", "mean_share", "log_sd_share",
    "floor_share", "ceiling_share", "floor_share_14", "log_levels",
    "log_observed", "log_span", "adherence", "adherence_14",
    "last_z", "mean3_z", "mean7_z", "mean14_z", "mean28_z",
    "ew2_z", "ew5_z", "ew14_z", "ew42_z", "ew14_sd", "sd14",
    "acf1", "acf2", "acf7", "step", "slope", "first_week_z", "skew",
    "treatment_more", "treatment_less",
    *(f"own_q{level:g}" for level in LEVELS),
)  # fmt: skip
# The last row ahead is the mean of the fourteen days; its `day` is 0.
HORIZON_FEATURES = ("day", "lag1_z", "lag2_z", "same_weekday_z", "weekday_mean_z")
DAY_FEATURES = (
    *CONTEXT_FEATURES,
    *(f"anchor_q{level:g}" for level in LEVELS),
    *HORIZON_FEATURES,
)

INPUTS = {
    "symptom_transformer": ("history", "context", "anchor"),
    "symptom_xgboost": ("features", "anchor"),
}


class WindowArrays(NamedTuple):
    """Model inputs of many windows; the first axis is the window."""

    mean: np.ndarray  # (window,) score units
    sd: np.ndarray  # (window,) score units, floored
    step: np.ndarray  # (window,) score units between two answers; 0 = none seen
    history: np.ndarray  # (window, CONTEXT, len(HISTORY_FEATURES))
    context: np.ndarray  # (window, len(CONTEXT_FEATURES))
    anchor: np.ndarray  # (window, 11) z units
    features: np.ndarray  # (window, HORIZON + 1, len(DAY_FEATURES))


@dataclass(frozen=True)
class ForecastWindow:
    """One series up to its last entry, as values and as arrays for the models.

    `values` are daily means in score units, NaN = absent, the last one is `last_day`;
    `anchor` is the exponentially weighted climatology in z units.
    """

    series: Series
    medications: tuple[MedicationEvent, ...]
    last_day: date
    values: np.ndarray
    mean: float
    sd: float
    step: float
    history: np.ndarray
    context: np.ndarray
    features: np.ndarray
    anchor: np.ndarray
    low: float
    high: float


def forecast_window(
    series: Series, as_of: date, *, medications: Sequence[MedicationEvent] = ()
) -> ForecastWindow:
    """The window of `series` that ends with its last entry on or before `as_of`.

    Several entries of one day are averaged; `medications` are the patient's, of any
    day. Raises InsufficientData when there is no entry.
    """
    entries = [entry for entry in series.entries if entry.day <= as_of]
    if not entries:
        raise InsufficientData((f"entries of {series.scale.key}",))
    last_day = max(entry.day for entry in entries)
    values = _daily_means(entries, last_day)
    low, high = series.scale.low, series.scale.high
    changes = treatment_changes(medications, last_day=last_day, days=CONTEXT)
    arrays = window_arrays(
        values[None],
        low=np.array([low]),
        high=np.array([high]),
        changes=changes[None],
    )
    return ForecastWindow(
        series=series,
        medications=tuple(medications),
        last_day=last_day,
        values=values,
        mean=float(arrays.mean[0]),
        sd=float(arrays.sd[0]),
        step=float(arrays.step[0]),
        history=arrays.history[0],
        context=arrays.context[0],
        features=arrays.features[0],
        anchor=arrays.anchor[0],
        low=low,
        high=high,
    )


def _daily_means(entries: Sequence[Entry], last_day: date) -> np.ndarray:
    """The CONTEXT days up to `last_day`, score units; NaN where there is no entry."""
    first_day = last_day - timedelta(days=CONTEXT - 1)
    total, count = np.zeros(CONTEXT), np.zeros(CONTEXT)
    for entry in entries:
        if entry.day >= first_day:
            total[(entry.day - first_day).days] += entry.value
            count[(entry.day - first_day).days] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def inputs(model: str, windows: Sequence[ForecastWindow]) -> dict[str, np.ndarray]:
    """The named float32 arrays that `model` asks for, windows along the first axis.

    Raises ModelRefused for a model whose inputs are not described here.
    """
    if model not in INPUTS:
        raise ModelRefused(f"no inputs are described for model {model}")
    return {
        name: np.stack([getattr(window, name) for window in windows])
        for name in INPUTS[model]
    }


def schema_hash() -> str:
    """sha256 over all that fixes the meaning of the arrays; stands in every card."""
    schema = {
        "transformation": TRANSFORMATION,
        "context": CONTEXT,
        "horizon": HORIZON,
        "levels": LEVELS,
        "history": HISTORY_FEATURES,
        "context_features": CONTEXT_FEATURES,
        "day_features": DAY_FEATURES,
        "sd_floor": SD_FLOOR,
        "z_limit": Z_LIMIT,
        "half_life_days": HALF_LIFE_DAYS,
    }
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()


def window_arrays(
    values: np.ndarray,
    *,
    low: np.ndarray,
    high: np.ndarray,
    changes: np.ndarray | None = None,
) -> WindowArrays:
    """Arrays for many windows: values [window, CONTEXT] in score units, NaN = absent.

    Every row needs one value at least; `low` and `high` are the scales' ends [window];
    `changes` of treatment [window, CONTEXT] are +1 for more, -1 for less, 0 for none
    known.
    """
    seen = ~np.isnan(values)
    count = seen.sum(1)
    width = high - low
    mean = np.where(seen, values, 0.0).sum(1) / count
    spread = np.where(seen, values - mean[:, None], 0.0)
    sd = np.maximum(np.sqrt((spread**2).sum(1) / count), SD_FLOOR * width)
    z = spread / sd[:, None]  # (window, day), 0 where absent
    marked = np.where(seen, z, np.nan)
    changes = np.zeros(z.shape) if changes is None else changes
    step = answer_steps(values, low=low, width=width)
    anchor = weighted_quantiles(
        marked, np.broadcast_to(descriptors.halved(CONTEXT, HALF_LIFE_DAYS), z.shape)
    )
    at = descriptors.Place(low=low, width=width, mean=mean, sd=sd, step=step)
    context = _context(values, marked, changes=changes, at=at)
    history = np.clip(np.stack([z, seen, changes], axis=2), -Z_LIMIT, Z_LIMIT)
    return WindowArrays(
        mean=mean,
        sd=sd,
        step=step,
        history=history.astype(np.float32),
        context=context.astype(np.float32),
        anchor=anchor.astype(np.float32),
        features=_day_features(marked, context=context, anchor=anchor),
    )


def _context(
    values: np.ndarray,
    marked: np.ndarray,
    *,
    changes: np.ndarray,
    at: descriptors.Place,
) -> np.ndarray:
    """The CONTEXT_FEATURES of each window; `marked` are z units, NaN = absent."""
    seen = ~np.isnan(marked)
    z = np.where(seen, marked, 0.0)
    columns = [
        *descriptors.placement(values, seen, at=at),
        *descriptors.presence(seen),
        *descriptors.recent(z, seen),
        *descriptors.rhythm(z, seen),
        *descriptors.treated(changes),
        *weighted_quantiles(marked, np.ones_like(z)).T,
    ]
    answer: np.ndarray = np.clip(np.stack(columns, axis=1), -Z_LIMIT, Z_LIMIT)
    return answer


def _day_features(
    marked: np.ndarray, *, context: np.ndarray, anchor: np.ndarray
) -> np.ndarray:
    """Features of each row ahead: [window, HORIZON + 1, len(DAY_FEATURES)] float32.

    `marked` is [window, day] in z units, NaN = absent. A feature that names one single
    day is NaN where that day is absent; what belongs to a weekday is NaN in the last
    row, which is no day.
    """
    ahead = np.arange(1, HORIZON + 1)
    # the same weekday, a week or two back
    weekday = CONTEXT - 1 + ahead - 7 * np.ceil(ahead / 7).astype(int)
    weeks = marked.reshape(len(marked), -1, 7)
    told = (~np.isnan(weeks)).sum(1) + 3  # shrunk by three absent 0
    weekday_mean = (np.nansum(weeks, axis=1) / told)[:, weekday % 7]
    none = np.full((len(marked), 1), np.nan)
    whole = np.concatenate([context, anchor], axis=1)[:, None]
    shape = (len(marked), HORIZON + 1)
    columns = [
        np.append(ahead / HORIZON, 0.0)[None],
        marked[:, [-2]],
        marked[:, [-3]],
        np.hstack([marked[:, weekday], none]),
        np.hstack([weekday_mean, none]),
    ]
    parts = [np.clip(np.broadcast_to(x, shape), -Z_LIMIT, Z_LIMIT) for x in columns]
    first = np.broadcast_to(whole, (*shape, whole.shape[2]))
    return np.concatenate([first, np.stack(parts, axis=2)], axis=2).astype(np.float32)
