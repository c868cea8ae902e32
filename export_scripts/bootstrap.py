"""Intervals over patients: whoever takes part is drawn anew, the data sets stay.

The average is the benchmark's: window -> patient and symptom -> patient -> data set ->
all data sets alike. Two forecasters on the same windows get the same draws, so that
their difference is taken within each draw (paired bootstrap; Efron & Tibshirani 1993).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

DRAWS = 1000
KEYS = ["dataset", "patient", "symptom"]
METRICS = ("wql", "crps", "mae", "is80", "is95", "cov80", "cov95")


class Interval(NamedTuple):
    """A figure and its 95 % interval over patients."""

    point: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.point:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Means per data set and metric, as they are and in every draw of patients."""

    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    point: np.ndarray  # (data set, metric)
    draws: np.ndarray  # (draw, data set, metric)
    patients: tuple[int, ...]  # per data set

    def of(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """One metric: as it is [data set], and drawn [draw, data set]."""
        column = self.metrics.index(metric)
        return self.point[:, column], self.draws[:, :, column]


def drawn(scores: Any, metrics: Sequence[str] = METRICS) -> Drawn:
    """Resample the patients of `scores`, a frame with `KEYS`, one row per window."""
    table = scores.groupby(KEYS)[list(metrics)].mean().groupby(KEYS[:2]).mean()
    names = tuple(table.index.unique(0))
    rows = [table.loc[name].to_numpy() for name in names]
    means = [
        counts(name, len(row)) @ row / len(row)
        for name, row in zip(names, rows, strict=True)
    ]
    return Drawn(
        datasets=names,
        metrics=tuple(metrics),
        point=np.stack([row.mean(0) for row in rows]),
        draws=np.stack(means, axis=1),
        patients=tuple(len(row) for row in rows),
    )


def counts(dataset: str, patients: int) -> np.ndarray:
    """How often each patient is drawn: [draw, patient], the same at every call."""
    rng = np.random.default_rng(zlib.crc32(dataset.encode()))
    return rng.multinomial(patients, np.full(patients, 1 / patients), size=DRAWS)


def interval(point: float, draws: np.ndarray) -> Interval:
    """The middle 95 % of the draws around a point."""
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Interval(float(point), float(low), float(high))


def pooled(found: Drawn, metric: str) -> Interval:
    """The mean over data sets, each weighing the same."""
    point, draws = found.of(metric)
    return interval(point.mean(), draws.mean(1))


def each(found: Drawn, metric: str) -> dict[str, Interval]:
    """The mean of every data set."""
    point, draws = found.of(metric)
    return {
        name: interval(point[i], draws[:, i]) for i, name in enumerate(found.datasets)
    }


def lower(ours: Drawn, theirs: Drawn, metric: str) -> Interval:
    """Per cent by which ours is lower than theirs, all data sets alike."""
    (a, draws_a), (b, draws_b) = ours.of(metric), theirs.of(metric)
    return interval(
        100 * (1 - a.mean() / b.mean()), 100 * (1 - draws_a.mean(1) / draws_b.mean(1))
    )


def each_lower(ours: Drawn, theirs: Drawn, metric: str) -> dict[str, Interval]:
    """The same per data set."""
    (a, draws_a), (b, draws_b) = ours.of(metric), theirs.of(metric)
    return {
        name: interval(
            100 * (1 - a[i] / b[i]), 100 * (1 - draws_a[:, i] / draws_b[:, i])
        )
        for i, name in enumerate(ours.datasets)
    }
