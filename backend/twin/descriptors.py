"""What describes a window of days: columns of numbers, one function per theme.

`z` holds [window, day] values in z units with 0 where a day is absent, `seen` the same
shape of truth values; the last column is the last observed day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TREATMENT_DAYS = 14.0  # a change of treatment has faded to a third after these


def halved(days: int, half_life: float) -> np.ndarray:
    """Weights of a window's days; the last day weighs 1."""
    weights: np.ndarray = 0.5 ** (np.arange(days)[::-1] / half_life)
    return weights


class Place(NamedTuple):
    """Where windows lie on their scales, all [window] in score units."""

    low: np.ndarray
    width: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    step: np.ndarray


def placement(values: np.ndarray, seen: np.ndarray, *, at: Place) -> list[np.ndarray]:
    """Where the person stands on the scale: ends in z, floor, number of levels."""
    low, width, mean, sd = at.low, at.width, at.mean, at.sd
    share = (values - low[:, None]) / width[:, None]
    floor, ceiling = share <= 1e-6, share >= 1 - 1e-6  # NaN is neither
    ordered = np.sort(share, axis=1)  # NaN last
    levels = 1 + (np.diff(ordered, axis=1) > 1e-6).sum(1)
    return [
        (low - mean) / sd,
        (low + width - mean) / sd,
        at.step / sd,
        (mean - low) / width,
        np.log(sd / width),
        floor.sum(1) / seen.sum(1),
        ceiling.sum(1) / seen.sum(1),
        floor[:, -14:].sum(1) / seen[:, -14:].sum(1).clip(1),
        np.log(levels),
    ]


def presence(seen: np.ndarray) -> list[np.ndarray]:
    """How much there is: number of days, span, adherence in all and lately."""
    span = seen.shape[1] - seen.argmax(1)
    count = seen.sum(1)
    return [
        np.log(count),
        np.log(span),
        count / span,
        seen[:, -14:].sum(1) / np.minimum(span, 14),
    ]


def recent(z: np.ndarray, seen: np.ndarray) -> list[np.ndarray]:
    """Last values, means of the last days (shrunk by one 0) and weighted means."""

    def mean_of(days: int) -> np.ndarray:
        total: np.ndarray = z[:, -days:].sum(1) / (seen[:, -days:].sum(1) + 1)
        return total

    def weighted(numbers: np.ndarray, half_life: float) -> np.ndarray:
        weights = seen * halved(z.shape[1], half_life)
        answer: np.ndarray = (numbers * weights).sum(1) / weights.sum(1).clip(1e-9)
        return answer

    ew14 = weighted(z, 14.0)
    lately = z[:, -14:] - mean_of(14)[:, None] * seen[:, -14:]
    return [
        z[:, -1],
        *(mean_of(days) for days in (3, 7, 14, 28)),
        weighted(z, 2.0),
        weighted(z, 5.0),
        ew14,
        weighted(z, 42.0),
        np.sqrt(np.maximum(weighted(z**2, 14.0) - ew14**2, 0.0)),
        np.sqrt((lately**2).sum(1) / seen[:, -14:].sum(1).clip(1)),
    ]


def rhythm(z: np.ndarray, seen: np.ndarray) -> list[np.ndarray]:
    """Memory and form: autocorrelations, size of steps, slope, first week, skewness."""

    def lagged(lag: int, product: Callable[..., np.ndarray]) -> np.ndarray:
        both = seen[:, lag:] & seen[:, :-lag]
        values = np.where(both, product(z[:, lag:], z[:, :-lag]), 0.0)
        answer: np.ndarray = values.sum(1) / (both.sum(1) + 3)
        return answer

    count = seen.sum(1)
    days = np.arange(z.shape[1])
    time = (days - ((seen * days).sum(1) / count)[:, None]) * seen
    slope = (time * z).sum(1) / (time**2).sum(1).clip(1.0) * np.ptp(time, axis=1)
    first = seen.argmax(1)[:, None]
    week = (days < first + 7) & seen
    return [
        *(lagged(lag, np.multiply) for lag in (1, 2, 7)),
        lagged(1, lambda later, earlier: np.abs(later - earlier)),
        slope,
        (z * week).sum(1) / (week.sum(1) + 1),
        (z**3).sum(1) / count,
    ]


def treated(changes: np.ndarray) -> list[np.ndarray]:
    """How fresh the last change of treatment is, up and down: 1 today, 0 none."""
    faded = np.exp(-np.arange(changes.shape[1])[::-1] / TREATMENT_DAYS)
    return [((changes * sign > 0) * faded).max(1) for sign in (1, -1)]
