"""What a model's card says: use, inputs, figures on simulated people held out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import numpy as np

from backend.twin import features
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS, MEDIAN
from export_scripts.card_inputs import (
    CODES,
    data_digest,
    described,
    histograms,
    sampled,
)
from export_scripts.card_words import (
    FURTHER,
    INTENDED_USE,
    OUT_OF_SCOPE,
    not_available,
    source_attributes,
)
from export_scripts.datasets import Windows, quantile_loss, simulated_windows

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("backend/twin", "export_scripts")  # what figures and weights depend on
CHANGE_DAYS = 28  # before the forecast
TREATMENT = features.HISTORY_FEATURES.index("treatment")
HELD_OUT_SEED = 7_700_001  # training seeds stay far below
OUTPUT = {
    "name": "quantiles",
    "unit": "z: minus the window's mean, over its standard deviation",
    "horizon_days": HORIZON,
    "rows": "the days, and last the mean of all of them",
    "levels": list(LEVELS),
    "order": "not guaranteed; sort before use",
}
Predict = Callable[[dict[str, np.ndarray]], np.ndarray]


def held_out(predict: Predict, names: Sequence[str], *, count: int) -> dict[str, Any]:
    """Figures of a model and of climatology on the same `count` new simulated people.

    Losses are in z units, each person weighs the same. Intervals are of 95 % over
    people (normal approximation; of gains, of the paired difference).
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
        "intervals_95": intervals(answer, windows),
        "fortnight_mae_z": round(float(_fortnight_error(answer, windows)), 4),
        "crps_gain_percent": _gain(crps(plain, windows), crps(answer, windows)),
        "mae_gain_percent": _gain(
            _by_person(plain, windows)["mae_z"], _by_person(answer, windows)["mae_z"]
        ),
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
    found = _by_person(quantiles, windows)
    return {name: round(_ends(name, each)["mean"], 4) for name, each in found.items()}


def intervals(quantiles: np.ndarray, windows: Windows) -> dict[str, dict[str, float]]:
    """The same figures, each with its 95 % interval over people."""
    return {
        name: {end: round(value, 4) for end, value in _ends(name, each).items()}
        for name, each in _by_person(quantiles, windows).items()
    }


def _by_person(quantiles: np.ndarray, windows: Windows) -> dict[str, np.ndarray]:
    """What is averaged over people, [person] each; of `rmse_z` the squares."""
    quantiles, target = quantiles[:, :HORIZON], windows.target[:, :HORIZON]
    error = target - quantiles[..., MEDIAN]
    found = {
        "mae_z": np.abs(error).mean(1),
        "rmse_z": (error**2).mean(1),
        "crps_z": crps(quantiles, windows),
    }
    for level, (low, high) in INTERVALS.items():
        lower, upper = quantiles[..., low], quantiles[..., high]
        inside = (target >= lower - 1e-6) & (target <= upper + 1e-6)
        found[f"coverage_{100 * level:.0f}"] = inside.mean(1)
        found[f"width_{100 * level:.0f}_z"] = (upper - lower).mean(1)
    return found


def _ends(name: str, values: np.ndarray) -> dict[str, float]:
    """Mean and interval of [person]; the root of them where squares were averaged."""
    mean, half = values.mean(), 1.96 * values.std() / np.sqrt(len(values))
    ends = {"mean": mean, "low": mean - half, "high": mean + half}
    root = name == "rmse_z"
    return {
        end: float(np.sqrt(max(value, 0.0)) if root else value)
        for end, value in ends.items()
    }


def card(
    *,
    model: str,
    names: Sequence[str],
    parts: Mapping[str, Any],
    libraries: Mapping[str, str],
) -> dict[str, Any]:
    """The whole card of a version that has no number yet; `parts` as measured."""
    gain, seen = (
        parts["metrics"]["crps_gain_percent"],
        sampled(parts["training"]["seed"]),
    )
    training = {**parts["training"], "data_sha256": data_digest(seen)}
    return {
        "model": model,
        "version": 0,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "licence": "Apache-2.0",
        "intended_use": INTENDED_USE,
        "out_of_scope": OUT_OF_SCOPE,
        "codes": CODES,
        "inputs": {name: described(name) for name in names},
        "feature_schema_hash": features.schema_hash(),
        "output": OUTPUT,
        "beats_climatology": {
            "daily": bool(gain["low"] > 0),
            "questionnaire": False,  # never trained on or measured with any
        },
        "libraries": dict(libraries),
        "git_commit": commit(),
        "precision": _precision(parts.get("compression") or {}),
        "calibration": _calibration(parts["metrics"]),
        "histograms": histograms(seen, names),
        "approver": not_available("named when promoted; see the access log"),
        "source_attributes": source_attributes(parts["metrics"]),
        **parts,
        "training": training,
    }


def versions_of(libraries: Sequence[str]) -> dict[str, str]:
    """The versions installed here."""
    return {name: library_version(name) for name in libraries}


def commit() -> dict[str, str]:
    """The commit of this tree, and whether our sources were changed since."""
    try:
        head, changed = (
            subprocess.run(  # noqa: S603 - two fixed commands
                ["git", *words],  # noqa: S607 - whichever git is installed
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", *SOURCES))
        )
    except (OSError, subprocess.CalledProcessError):
        return not_available("not made in a git checkout")
    return {"value": f"{head}, with changes" if changed else head}


def _calibration(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Coverage before any calibration, and what calibrates further."""
    covered = {n: metrics["intervals_95"][n] for n in ("coverage_80", "coverage_95")}
    people = {name: metrics[name] for name in ("data", "people")}
    return {**people, **covered, "further": FURTHER}


def _precision(compression: Mapping[str, Any]) -> str:
    """Of the stored weights; the arithmetic is in float32."""
    kind = str(compression.get("quantize", "none"))
    return "float32" if kind == "none" else kind
