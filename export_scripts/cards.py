"""What a model's card says: use, inputs, figures on simulated people held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from typing import Any

import numpy as np

from backend.twin import features
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS, MEDIAN
from export_scripts.datasets import Windows, quantile_loss, simulated_windows

CHANGE_DAYS = 28  # before the forecast
TREATMENT = features.HISTORY_FEATURES.index("treatment")
HELD_OUT_SEED = 7_700_001  # training seeds stay far below
# Openly licensed diaries whose moments the simulator was matched to; nobody in them was
# trained on. Sources: docs/methods/forecast.md.
MOMENTS_OF = {
    "jang_mood_anxiety": "CC-BY-4.0",
    "kossakowski_mdd": "CC-BY-4.0",
    "digibp_bipolar": "MIT",
    "bailon_covid": "CC-BY-4.0",
    "flueckiger_students": "CC0-1.0",
    "gundogdu_stability": "CC0-1.0",
    "openplay_daily": "CC0-1.0, no re-identification",
}
Predict = Callable[[dict[str, np.ndarray]], np.ndarray]

INTENDED_USE = (
    "One member of an ensemble that forecasts a person's daily ratings on one bounded "
    "scale for the fourteen days after the last entry, as eleven quantiles a day. For "
    "research and for clinicians who look at the person as well."
)
OUT_OF_SCOPE = (
    "Diagnosis; triage without a human; deciding on treatment; questionnaires that ask "
    "about weeks; fewer than seven entries; scales without fixed ends."
)


def held_out(predict: Predict, names: Sequence[str], *, count: int) -> dict[str, Any]:
    """Figures of a model and of climatology on the same `count` new simulated people.

    Losses are in z units, each person weighs the same. `crps_gain_percent` carries a
    95 % interval over people (normal approximation of the paired difference).
    """
    rng = np.random.default_rng(HELD_OUT_SEED)
    windows = simulated_windows(rng, count)
    inputs = {name: getattr(windows.arrays, name) for name in names}
    answer = inside_scale(predict(inputs), windows)
    anchor = np.repeat(windows.arrays.anchor[:, None], HORIZON, axis=1)
    plain = inside_scale(anchor, windows)
    changed = windows.arrays.history[:, -CHANGE_DAYS:, TREATMENT].any(1)
    return {
        "data": "simulated people held out of training",
        "people": count,
        "seed": HELD_OUT_SEED,
        "model": scores(answer, windows),
        "climatology": scores(plain, windows),
        "fortnight_mae_z": round(float(_fortnight_error(answer, windows)), 4),
        "crps_gain_percent": _gain(crps(plain, windows), crps(answer, windows)),
        "after_treatment_change": {
            "people": int(changed.sum()),
            "days": CHANGE_DAYS,
            "crps_gain_percent": _gain(
                crps(plain, windows)[changed], crps(answer, windows)[changed]
            ),
        },
    }


def _gain(plain: np.ndarray, answer: np.ndarray) -> dict[str, float] | None:
    """By how many per cent losses [person] are lower, with the interval over people.

    None where there is nobody.
    """
    if not len(plain):
        return None
    gain = plain - answer
    half = 1.96 * gain.std() / np.sqrt(len(gain))
    share = 100 / plain.mean()
    ends = {"mean": 0.0, "low": -half, "high": half}
    return {n: round(float((gain.mean() + end) * share), 2) for n, end in ends.items()}


def _fortnight_error(answer: np.ndarray, windows: Windows) -> float:
    """Mean absolute error of the fortnight's mean, z units."""
    error = answer[:, HORIZON, MEDIAN] - windows.target[:, HORIZON]
    return float(np.abs(error).mean())


def inside_scale(quantiles: np.ndarray, windows: Windows) -> np.ndarray:
    """Sorted and clipped to the scale, as the twin does before anybody sees them."""
    low = -windows.arrays.mean / windows.arrays.sd  # simulated scales run from 0 to 1
    high = low + windows.width
    ordered = np.sort(quantiles, axis=-1)
    answer: np.ndarray = np.clip(ordered, low[:, None, None], high[:, None, None])
    return answer


def crps(quantiles: np.ndarray, windows: Windows) -> np.ndarray:
    """Each person's mean quantile loss over the fourteen days, z units."""
    days = slice(HORIZON)
    loss = quantile_loss(quantiles[:, days], windows.target[:, days])
    mean: np.ndarray = loss.mean(1)
    return mean


def scores(quantiles: np.ndarray, windows: Windows) -> dict[str, float]:
    """Errors in z units; coverage and mean width (z units) of the two intervals."""
    quantiles, target = quantiles[:, :HORIZON], windows.target[:, :HORIZON]
    error = target - quantiles[..., MEDIAN]
    found = {
        "mae_z": np.abs(error).mean(),
        "rmse_z": np.sqrt((error**2).mean()),
        "crps_z": crps(quantiles, windows).mean(),
    }
    for level, (low, high) in INTERVALS.items():
        lower, upper = quantiles[..., low], quantiles[..., high]
        inside = (target >= lower - 1e-6) & (target <= upper + 1e-6)
        found[f"coverage_{100 * level:.0f}"] = inside.mean()
        found[f"width_{100 * level:.0f}_z"] = (upper - lower).mean()
    return {name: round(float(value), 4) for name, value in found.items()}


def card(
    *,
    model: str,
    version: int,
    names: Sequence[str],
    parts: Mapping[str, Any],
    libraries: Sequence[str],
) -> dict[str, Any]:
    """The whole card; `parts` are its metrics, training and parity, as measured."""
    gain = parts["metrics"]["crps_gain_percent"]
    return {
        "model": model,
        "version": version,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "licence": "Apache-2.0",
        "intended_use": INTENDED_USE,
        "out_of_scope": OUT_OF_SCOPE,
        "inputs": {name: _described(name) for name in names},
        "feature_schema_hash": features.schema_hash(),
        "output": {
            "name": "quantiles",
            "unit": "z: minus the window's mean, over its standard deviation",
            "horizon_days": HORIZON,
            "rows": "the days, and last the mean of all of them",
            "levels": list(LEVELS),
            "order": "not guaranteed; sort before use",
        },
        "beats_climatology": {
            "daily": bool(gain["low"] > 0),
            "questionnaire": False,  # never trained on or measured with any
        },
        "libraries": {name: library_version(name) for name in libraries},
        **parts,
    }


def _described(name: str) -> dict[str, Any]:
    """One input array: its ordered features, unit, range and rule for absent days."""
    limit = features.Z_LIMIT
    columns: dict[str, tuple[Sequence[str], str]] = {
        "history": (features.HISTORY_FEATURES, "0 and observed = 0"),
        "context": (features.CONTEXT_FEATURES, "absent days do not count"),
        "features": (
            features.DAY_FEATURES,
            "absent days do not count; a feature of one day that is absent is NaN",
        ),
        "anchor": ([f"q{level:g}" for level in LEVELS], "absent days do not count"),
    }
    ordered, rule = columns[name]
    return {
        "dtype": "float32",
        "features": list(ordered),
        "unit": "z, shares or logarithms; see backend/twin/features.py",
        "range": [-limit, limit],
        "missing": rule,
    }
