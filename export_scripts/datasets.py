"""Simulated windows and what happened next: what models learn and are scored on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.twin import simulation
from backend.twin.features import (
    CONTEXT,
    MIN_ENTRIES,
    WindowArrays,
    schema_hash,
    window_arrays,
)
from backend.twin.simulation.diaries import Diaries, simulate_diaries
from backend.twin.trajectory import HORIZON, LEVELS

LONGEST = 160  # days of diary before the forecast: some reach beyond the context
TARGET_LIMIT = 10.0  # z units; a rare outlier must not steer a whole batch
CHUNK = 2048  # windows made at a time: keeps memory small


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows as the models see them, and the fourteen days after each."""

    arrays: WindowArrays
    target: np.ndarray  # (window, HORIZON + 1) z units; the last is the days' mean
    width: np.ndarray  # (window,) the scale's width, z units


def simulated_windows(rng: np.random.Generator, count: int) -> Windows:
    """`count` windows of new simulated people, each with MIN_ENTRIES days or more."""
    parts: list[Windows] = []
    missing = count
    while missing > 0:
        people = min(CHUNK, count)
        diaries = simulate_diaries(rng, people=people, days=LONGEST + HORIZON)
        part = _cut(rng, diaries)
        parts.append(take(part, slice(0, missing)))
        missing -= len(parts[-1].target)
    return joined(parts)


def origin() -> str:
    """A digest of all that makes the windows: simulator, cutting, features.

    A checkpoint of other people must not be taken for one of these.
    """
    sources = sorted(Path(simulation.__file__).parent.glob("*.py"))
    digest = hashlib.sha256(schema_hash().encode())
    for source in (*sources, Path(__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def joined(parts: list[Windows]) -> Windows:
    """Several lots of windows as one."""
    columns = zip(*(part.arrays for part in parts), strict=True)
    return Windows(
        arrays=WindowArrays(*(np.concatenate(column) for column in columns)),
        target=np.concatenate([part.target for part in parts]),
        width=np.concatenate([part.width for part in parts]),
    )


def take(windows: Windows, rows: slice | np.ndarray) -> Windows:
    """The windows at `rows`."""
    arrays = WindowArrays(*(array[rows] for array in windows.arrays))
    return Windows(arrays, windows.target[rows], windows.width[rows])


def quantile_loss(quantiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Twice the pinball loss at each day: [.., day, level], [.., day] -> [.., day].

    Each level weighs as much as the stretch of probability nearest to it, so the sum
    approximates the continuous ranked probability score (Gneiting & Raftery 2007).
    """
    levels = np.asarray(LEVELS)
    gap = target[..., None] - quantiles
    loss = np.maximum(levels * gap, (levels - 1) * gap) * level_weights()
    answer: np.ndarray = 2 * loss.sum(-1)
    return answer


def level_weights() -> np.ndarray:
    """The stretch of probability that each level stands for; they sum to one."""
    levels = np.asarray(LEVELS)
    middles = (levels[1:] + levels[:-1]) / 2
    return np.diff(np.concatenate([[0.0], middles, [1.0]]))


def _cut(rng: np.random.Generator, diaries: Diaries) -> Windows:
    """One window of every diary that has enough entries before its end."""
    reported, complete = diaries.reported[:, 0], diaries.complete[:, 0]
    last = _last_days(rng, ~np.isnan(reported))
    at = last[:, None] + np.arange(1 - CONTEXT, 1)
    values = _shown(reported, at, absent=np.nan)
    enough = (~np.isnan(values)).sum(1) >= MIN_ENTRIES
    arrays = window_arrays(
        values[enough],
        low=np.zeros(enough.sum()),
        high=np.ones(enough.sum()),
        changes=_shown(diaries.changes, at, absent=0.0)[enough],
    )
    ahead = last[:, None] + np.arange(1, HORIZON + 1)
    future = np.take_along_axis(complete, ahead, axis=1)[enough]
    days = (future - arrays.mean[:, None]) / arrays.sd[:, None]
    days = np.clip(days, -TARGET_LIMIT, TARGET_LIMIT)
    target = np.column_stack([days, days.mean(1)]).astype(np.float32)
    return Windows(arrays, target, 1 / arrays.sd)


def _last_days(rng: np.random.Generator, answered: np.ndarray) -> np.ndarray:
    """The last day of each diary that has an entry: [person].

    Diaries of studies last weeks to months: lognormal, median six weeks.
    """
    length = 42 * np.exp(0.7 * rng.standard_normal(len(answered)))
    length = np.clip(length, MIN_ENTRIES, LONGEST).astype(int)
    days = np.arange(answered.shape[1])
    last: np.ndarray = np.where(answered & (days < length[:, None]), days, 0).max(1)
    return last


def _shown(columns: np.ndarray, at: np.ndarray, *, absent: float) -> np.ndarray:
    """The days `at` [person, CONTEXT] of [person, day]; before the first none."""
    shown: np.ndarray = np.take_along_axis(columns, at.clip(0), axis=1)
    return np.where(at >= 0, shown, absent)
