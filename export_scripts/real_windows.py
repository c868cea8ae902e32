"""The benchmark's windows of real diaries, and what forecasters answer on them.

The benchmark lies outside this repository and is loaded by its path; the served path is
loaded by its name, as the benchmark does it, for training code imports no service.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backend.twin.trajectory import Forecast

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench" / "forecast"
SERVED = "backend.jobs.scoring"
PLAIN = ("naive", "snaive7", "mean7", "climatology", "ewclim14")
REFERENCE = "ewclim14"  # the plain baseline that every difference is taken to first
OURS = "MindTwin"
BATCH = 512

Predictor = Callable[[Sequence[Any]], np.ndarray]


class Bench(NamedTuple):
    """The benchmark's modules, and the folder of diaries beside it."""

    windows: Any
    predictors: Any
    score: Any
    data: Path


@dataclass(frozen=True, slots=True)
class Answered:
    """Windows with what the served path and the plain predictors answered on them."""

    found: Bench
    windows: Sequence[Any]
    made: Sequence[Forecast]
    quantiles: Mapping[str, np.ndarray]  # per forecaster (window, day, level)
    scores: Mapping[str, Any]  # per forecaster a frame with one row per window

    def frame(self, quantiles: np.ndarray) -> Any:
        """The benchmark's scores of other quantiles on the same windows."""
        return self.found.score.per_window(self.windows, quantiles)


def bench(folder: Path = BENCH) -> Bench:
    """The benchmark in `folder`; raises ModuleNotFoundError where there is none."""
    names = ("windows", "predictors", "score")
    sys.path.insert(0, str(folder))
    try:
        windows, predictors, score = map(importlib.import_module, names)
    finally:
        sys.path.remove(str(folder))
        for name in names:  # their names are everyday words: leave them to others
            sys.modules.pop(name, None)
    data = folder.parents[1] / "data" / "symptoms"
    return Bench(windows, predictors, score, data)


def served() -> Any:
    """The module whose functions are the path that answers the API."""
    return importlib.import_module(SERVED)


def in_batches(
    answer: Callable[[Sequence[Any]], Iterable[Any]], windows: Sequence[Any], what: str
) -> list[Any]:
    """One answer per window, `BATCH` series at a time; says how long it took."""
    began, parts = time.perf_counter(), []
    for start in range(0, len(windows), BATCH):
        parts += list(answer([w.series for w in windows[start : start + BATCH]]))
    print(f"{what}: {len(parts)} windows, {time.perf_counter() - began:.0f} s")
    return parts


def predicted(predictor: Predictor, windows: Sequence[Any], what: str) -> np.ndarray:
    """Quantiles [window, day, level] as score.py takes them: on the scale, ascending.

    Raises ValueError on anything not finite.
    """
    quantiles = np.array(in_batches(predictor, windows, what), dtype=float)
    if not np.isfinite(quantiles).all():
        raise ValueError(f"{what} returned values that are not finite")
    return on_scale(quantiles, windows)


def on_scale(quantiles: np.ndarray, windows: Sequence[Any]) -> np.ndarray:
    """Quantiles [window, day, level] inside each window's scale, ascending."""
    inside: np.ndarray = np.sort(np.clip(quantiles, *_ends(windows)), axis=-1)
    return inside


def asked(windows: Sequence[Any], what: str) -> tuple[list[Forecast], np.ndarray]:
    """The served forecasts, and their quantiles for the days asked for.

    Raises ValueError where one is not finite, descends or leaves the scale.
    """
    made = in_batches(served().answers, windows, what)
    quantiles = served().aligned(made, [w.series for w in windows])
    low, high = _ends(windows)
    if not np.isfinite(quantiles).all():
        raise ValueError(f"{what}: not finite")
    if (np.diff(quantiles, axis=-1) < 0).any():
        raise ValueError(f"{what}: quantiles descend")
    if (quantiles < low).any() or (quantiles > high).any():
        raise ValueError(f"{what}: outside the scale")
    return made, quantiles


def plain(
    found: Bench, windows: Sequence[Any], names: Sequence[str] = PLAIN
) -> dict[str, np.ndarray]:
    """What the benchmark's plain predictors answer, at all eleven levels."""
    answers = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spreads of nothing, in short histories
        for name in names:
            predictor = found.predictors.fine(getattr(found.predictors, name))
            answers[name] = predicted(predictor, windows, name)
    return answers


def answered(found: Bench, windows: Sequence[Any]) -> Answered:
    """Everything that the sections of the page are made of."""
    made, own = asked(windows, OURS)
    quantiles = {OURS: own, **plain(found, windows)}
    scores = {
        name: found.score.per_window(windows, each) for name, each in quantiles.items()
    }
    return Answered(found, windows, made, quantiles, scores)


def people(windows: Sequence[Any]) -> str:
    """How many windows, patients and data sets: stands under every heading."""
    patients = len({(w.dataset, w.patient) for w in windows})
    sets = len({w.dataset for w in windows})
    return f"{len(windows)} windows, {patients} patients, {sets} data sets."


def _ends(windows: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The scales' ends, ready to compare with quantiles (window, 1, 1)."""
    low, high = (np.array([getattr(w, end) for w in windows]) for end in ("lo", "hi"))
    return low[:, None, None], high[:, None, None]
