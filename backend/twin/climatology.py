"""What a person's own recent days say: the fallback that every model must beat.

Exponentially weighted climatology follows no trend: every coming day gets the same
answer. Where there are too few days for it, `irregular` answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.twin.errors import InsufficientData
from backend.twin.trajectory import LEVELS

HALF_LIFE_DAYS = 14.0
# How far fourteen-day means stray from a person's weighted past, over how far days do,
# in simulated people; printed by `python -m export_scripts.fortnight_share`, and a test
# compares. On real diaries of open licence: .53, .37 to .62 by data set.
FORTNIGHT_SHARE = 0.55


def ew_quantiles(
    values: np.ndarray,
    ages: np.ndarray,
    *,
    levels: Sequence[float] = LEVELS,
    half_life: float = HALF_LIFE_DAYS,
) -> np.ndarray:
    """Exponentially weighted empirical quantiles of `values`, one per level.

    `ages` are days (the last day of the history is 1; only differences matter); a day
    `half_life` days older weighs half. Each value stands at the middle of its weight,
    straight lines between, flat outside. NaN is absent. Raises InsufficientData when
    nothing is present.
    """
    seen = ~np.isnan(values)
    if not seen.any():
        raise InsufficientData(("values",))
    rows = values[seen][None]  # (1, day)
    weights = 0.5 ** ((ages[seen] - ages[seen].min()) / half_life)[None]
    return weighted_quantiles(rows, weights, levels=levels)[0]  # type: ignore[no-any-return]


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, *, levels: Sequence[float] = LEVELS
) -> np.ndarray:
    """The same for many rows at once: [row, day] twice -> [row, level]; NaN is absent.

    Every row needs one value at least. Values that are equal keep their order in time,
    so the answer does not depend on the machine's way of sorting.
    """
    order = np.argsort(values, axis=1, kind="stable")  # NaN sorts last
    values = np.take_along_axis(values, order, axis=1)
    weights = np.take_along_axis(weights, order, axis=1)
    seen = ~np.isnan(values)
    weights = np.where(seen, weights, 0.0)
    middle = (np.cumsum(weights, axis=1) - weights / 2) / weights.sum(1, keepdims=True)
    middle = np.where(seen, middle, np.inf)
    wanted = np.asarray(levels)
    last = seen.sum(1) - 1  # position of the highest value
    right = (middle[:, :, None] <= wanted).sum(1)  # (row, level)
    left = np.clip(right - 1, 0, last[:, None])
    right = np.minimum(right, last[:, None])
    v0, v1 = (np.take_along_axis(values, at, axis=1) for at in (left, right))
    p0, p1 = (np.take_along_axis(middle, at, axis=1) for at in (left, right))
    share = np.where(p1 > p0, (wanted - p0) / np.where(p1 > p0, p1 - p0, 1.0), 0.0)
    answer: np.ndarray = v0 + np.clip(share, 0.0, 1.0) * (v1 - v0)
    return answer


def fortnight_quantiles(
    days: np.ndarray, *, share: float = FORTNIGHT_SHARE
) -> np.ndarray:
    """Quantiles (level,) of the mean of some days, from those of each day (day, level).

    Each day's mean is that of its quantile function, straight between `LEVELS` and flat
    outside; their average is the centre. Around it stands the average of the days'
    quantiles, `share` as wide, so that within 0 to 1 nothing leaves the days' range.
    """
    ends = np.concatenate([[0.0], LEVELS, [1.0]])
    stretches = np.diff((ends[1:] + ends[:-1]) / 2)  # of probability, one a level
    stretches[[0, -1]] += LEVELS[0] / 2  # flat outside
    levels = days.mean(0)
    centre = levels @ stretches
    answer: np.ndarray = centre + share * (levels - centre)
    return answer
