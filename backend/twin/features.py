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
from backend.twin.climatology import HALF_LIFE_DAYS, weighted_quantiles
from backend.twin.errors import InsufficientData, ModelRefused
from backend.twin.record import Series
from backend.twin.trajectory import HORIZON, LEVELS

CONTEXT = 126  # days shown to a model: 18 whole weeks
MIN_ENTRIES = 7  # observed days below which no model is asked
SD_FLOOR = 0.02  # share of the scale's width; lets a constant history be divided by
Z_LIMIT = 12.0  # nothing a model sees lies further out, in z units
TRANSFORMATION = 1  # raise when the meaning of any array below changes

HISTORY_FEATURES = ("value_z", "observed")
CONTEXT_FEATURES = (
    "low_z", "high_z", "mean_share", "log_sd_share",
    "floor_share", "ceiling_share", "floor_share_14", "log_levels",
    "log_observed", "log_span", "adherence", "adherence_14",
    "last_z", "lag1_z", "lag2_z", "mean3_z", "mean7_z", "mean14_z", "mean28_z",
    "ew2_z", "ew5_z", "ew14_z", "ew42_z", "ew14_sd", "sd14",
    "acf1", "acf2", "acf7", "step", "slope", "first_week_z", "skew",
    *(f"own_q{level:g}" for level in LEVELS),
)  # fmt: skip
HORIZON_FEATURES = ("day", "same_weekday_z", "weekday_mean_z")
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
    history: np.ndarray  # (window, CONTEXT, 2)
    context: np.ndarray  # (window, len(CONTEXT_FEATURES))
    anchor: np.ndarray  # (window, 11) z units
    features: np.ndarray  # (window, HORIZON, len(DAY_FEATURES))


@dataclass(frozen=True)
class ForecastWindow:
    """One series up to its last entry, as values and as arrays for the models.

    `values` are daily means in score units, NaN = absent, the last one is `last_day`;
    `anchor` is the exponentially weighted climatology in z units.
    """

    series: Series
    last_day: date
    values: np.ndarray
    mean: float
    sd: float
    history: np.ndarray
    context: np.ndarray
    features: np.ndarray
    anchor: np.ndarray
    low: float
    high: float


def forecast_window(series: Series, as_of: date) -> ForecastWindow:
    """The window of `series` that ends with its last entry on or before `as_of`.

    Several entries of one day are averaged. Raises InsufficientData when there is none.
    """
    entries = [entry for entry in series.entries if entry.day <= as_of]
    if not entries:
        raise InsufficientData((f"entries of {series.scale.key}",))
    last_day = max(entry.day for entry in entries)
    first_day = last_day - timedelta(days=CONTEXT - 1)
    total, count = np.zeros(CONTEXT), np.zeros(CONTEXT)
    for entry in entries:
        if entry.day >= first_day:
            total[(entry.day - first_day).days] += entry.value
            count[(entry.day - first_day).days] += 1
    values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    low, high = series.scale.low, series.scale.high
    arrays = window_arrays(values[None], low=np.array([low]), high=np.array([high]))
    return ForecastWindow(
        series=series,
        last_day=last_day,
        values=values,
        mean=float(arrays.mean[0]),
        sd=float(arrays.sd[0]),
        history=arrays.history[0],
        context=arrays.context[0],
        features=arrays.features[0],
        anchor=arrays.anchor[0],
        low=low,
        high=high,
    )


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
    values: np.ndarray, *, low: np.ndarray, high: np.ndarray
) -> WindowArrays:
    """Arrays for many windows: values [window, CONTEXT] in score units, NaN = absent.

    Every row needs one value at least; `low` and `high` are the scales' ends [window].
    """
    seen = ~np.isnan(values)
    count = seen.sum(1)
    width = high - low
    mean = np.where(seen, values, 0.0).sum(1) / count
    spread = np.where(seen, values - mean[:, None], 0.0)
    sd = np.maximum(np.sqrt((spread**2).sum(1) / count), SD_FLOOR * width)
    z = spread / sd[:, None]  # (window, day), 0 where absent
    marked = np.where(seen, z, np.nan)
    anchor = weighted_quantiles(
        marked, np.broadcast_to(descriptors.halved(CONTEXT, HALF_LIFE_DAYS), z.shape)
    )
    own = weighted_quantiles(marked, np.ones_like(z))
    columns = [
        *descriptors.placement(values, seen, low=low, width=width, mean=mean, sd=sd),
        *descriptors.presence(seen),
        *descriptors.recent(z, seen),
        *descriptors.rhythm(z, seen),
        *own.T,
    ]
    context = np.clip(np.stack(columns, axis=1), -Z_LIMIT, Z_LIMIT)
    return WindowArrays(
        mean=mean,
        sd=sd,
        history=np.stack([np.clip(z, -Z_LIMIT, Z_LIMIT), seen], 2).astype(np.float32),
        context=context.astype(np.float32),
        anchor=anchor.astype(np.float32),
        features=_day_features(z, seen, context=context, anchor=anchor),
    )


def _day_features(
    z: np.ndarray, seen: np.ndarray, *, context: np.ndarray, anchor: np.ndarray
) -> np.ndarray:
    """Features of each day ahead: [window, HORIZON, len(DAY_FEATURES)] float32."""
    ahead = np.arange(1, HORIZON + 1)
    weekday = (
        CONTEXT - 1 + ahead - 7 * np.ceil(ahead / 7).astype(int)
    )  # a week or two back
    by_week, counts = (x.reshape(len(z), -1, 7).sum(1) for x in (z, seen))
    weekday_mean = (by_week / (counts + 3))[:, weekday % 7]  # shrunk by three absent 0
    whole = np.concatenate([context, anchor], axis=1)[:, None]
    shape = (len(z), HORIZON)
    parts = [
        np.broadcast_to(whole, (*shape, whole.shape[2])),
        np.broadcast_to(ahead / HORIZON, shape)[..., None],
        np.clip(z[:, weekday], -Z_LIMIT, Z_LIMIT)[..., None],
        np.clip(weekday_mean, -Z_LIMIT, Z_LIMIT)[..., None],
    ]
    return np.concatenate(parts, axis=2).astype(np.float32)
