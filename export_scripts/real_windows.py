"""The benchmark's windows of real diaries, and what forecasters answer on them.

The benchmark lies outside this repository and is loaded by its path; the served path is
loaded by its name, as the benchmark does it, for training code imports no service.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench" / "forecast"
SERVED = "backend.jobs.scoring"
PLAIN = ("naive", "snaive7", "mean7", "climatology", "ewclim14")
REFERENCE = "ewclim14"  # the plain baseline that every difference is taken to first
BATCH = 512

Predictor = Callable[[Sequence[Any]], np.ndarray]


class Bench(NamedTuple):
    """The benchmark's modules, and the folder of diaries beside it."""

    windows: Any
    predictors: Any
    score: Any
    data: Path


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
    low, high = (np.array([getattr(w, end) for w in windows]) for end in ("lo", "hi"))
    inside = np.clip(quantiles, low[:, None, None], high[:, None, None])
    return np.sort(inside, axis=-1)


def plain(found: Bench, windows: Sequence[Any]) -> dict[str, np.ndarray]:
    """What the benchmark's plain predictors answer, at all eleven levels."""
    answers = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing, in histories of a few days
        for name in PLAIN:
            predictor = found.predictors.fine(getattr(found.predictors, name))
            answers[name] = predicted(predictor, windows, name)
    return answers


def people(windows: Sequence[Any]) -> str:
    """How many windows, patients and data sets: stands under every heading."""
    patients = len({(w.dataset, w.patient) for w in windows})
    sets = len({w.dataset for w in windows})
    return f"{len(windows)} windows, {patients} patients, {sets} data sets"
