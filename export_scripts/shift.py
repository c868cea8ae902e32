"""The mean of the coming fortnight: what was said of it, and what came.

A shift is a mean of the observed days to come that lies more than half a standard
deviation of the history shown above (or below) the history's mean, whichever way the
scale runs. Baselines give no distribution of a mean; each gets the better of two or
three readings of its days, chosen by the figure itself, so they are rather flattered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.twin.early_warning import SHIFT, probability_above, probability_below
from backend.twin.trajectory import LEVELS, MEDIAN, Forecast
from export_scripts import bootstrap, roc
from export_scripts.bootstrap import Drawn

Weighings = dict[str, tuple[np.ndarray, np.ndarray]]
SIDES = {"up": 1, "down": -1}


@dataclass(frozen=True, slots=True)
class Fortnights:
    """What came, per window, in score units; `keys` are those of the bootstrap."""

    truth: np.ndarray  # mean of the observed days of the fourteen
    mean: np.ndarray  # of the history shown
    sd: np.ndarray
    keys: Any
    weights: Weighings

    def event(self, side: str) -> np.ndarray:
        """Whether the mean shifted to that side."""
        sign = SIDES[side]
        beyond: np.ndarray = sign * (self.truth - self.threshold(side)) > 0
        return beyond

    def threshold(self, side: str) -> np.ndarray:
        """What the mean has to pass, score units."""
        threshold: np.ndarray = self.mean + SIDES[side] * SHIFT * self.sd
        return threshold

    def errors(self, point: np.ndarray) -> Drawn:
        """Absolute errors of the mean in sd, ready for intervals (metric `mae14`)."""
        frame = self.keys.assign(mae14=np.abs(point - self.truth) / self.sd)
        return bootstrap.drawn(frame, ("mae14",))


@dataclass(frozen=True, slots=True)
class Said:
    """What one forecaster said: readings of the mean, and rankings of each side."""

    points: Sequence[np.ndarray]
    rankings: Mapping[str, Sequence[np.ndarray]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One forecaster's best readings, with their draws."""

    errors: Drawn
    areas: Mapping[str, np.ndarray]  # per side: macro, as it is and per draw
    pooled: Mapping[str, float]  # per side: every window alike


def fortnights(windows: Sequence[Any], keys: Any) -> Fortnights:
    """The truth of windows; `keys` is a frame with a row for each."""
    keys = keys[bootstrap.KEYS].reset_index(drop=True)
    return Fortnights(
        truth=np.array([np.nanmean(w.target) for w in windows]),
        mean=np.array([np.nanmean(w.series.values) for w in windows]),
        sd=np.array([np.nanstd(w.series.values) for w in windows]),
        keys=keys,
        weights=roc.weighings(keys),
    )


def served_said(made: Sequence[Forecast], came: Fortnights) -> Said:
    """Ours: the median of the fortnight's distribution, and its probabilities."""
    above = zip(made, came.threshold("up"), strict=True)
    below = zip(made, came.threshold("down"), strict=True)
    up = [probability_above(one.fortnight, LEVELS, at) for one, at in above]
    down = [probability_below(one.fortnight, LEVELS, at) for one, at in below]
    point = np.array([one.fortnight[MEDIAN] for one in made])
    return Said([point], {"up": [np.array(up)], "down": [np.array(down)]})


def said(quantiles: np.ndarray, levels: np.ndarray, came: Fortnights) -> Said:
    """A baseline's readings: mean of medians, mean of means, mean share of days."""
    edges = np.concatenate([[0], (levels[1:] + levels[:-1]) / 2, [1]])
    points = [
        quantiles[..., len(levels) // 2].mean(1),
        (quantiles @ np.diff(edges)).mean(1),
    ]
    rankings = {}
    for side, sign in SIDES.items():
        below = days_below(quantiles, levels, came.threshold(side))
        centred = [sign * (point - came.mean) / came.sd for point in points]
        rankings[side] = [*centred, -sign * below]
    return Said(points, rankings)


def days_below(
    quantiles: np.ndarray, levels: np.ndarray, threshold: np.ndarray
) -> np.ndarray:
    """Mean over the days of P(day < threshold) [window]; flat outside the quantiles."""
    at = threshold[:, None]
    right = (quantiles <= at[..., None]).sum(-1)
    last = len(levels) - 1
    left, right = np.clip(right - 1, 0, last), np.clip(right, 0, last)
    low, high = (
        np.take_along_axis(quantiles, place[..., None], -1)[..., 0]
        for place in (left, right)
    )
    part = np.where(high > low, (at - low) / np.where(high > low, high - low, 1), 0)
    shares = levels[left] + np.clip(part, 0, 1) * (levels[right] - levels[left])
    mean: np.ndarray = shares.mean(1)
    return mean


def judged(what: Said, came: Fortnights) -> Judged:
    """The best reading of each figure, and its draws."""
    errors = [came.errors(point) for point in what.points]
    areas, pooled = {}, {}
    for side, rankings in what.rankings.items():
        event = came.event(side)
        best = max(rankings, key=lambda one: _macro(one, event, came.weights))
        areas[side] = roc.macro_auc(best, event, came.weights)
        pooled[side] = max(_pooled(rankings, event))
    return Judged(
        errors=min(errors, key=lambda one: bootstrap.pooled(one, "mae14").point),
        areas=areas,
        pooled=pooled,
    )


def _macro(ranking: np.ndarray, event: np.ndarray, weights: Weighings) -> float:
    return float(roc.macro_auc(ranking, event, weights, draws=0)[0])


def _pooled(rankings: Sequence[np.ndarray], event: np.ndarray) -> Iterator[float]:
    for ranking in rankings:
        yield float(roc.auc(ranking, event, np.ones((1, len(event))))[0])
