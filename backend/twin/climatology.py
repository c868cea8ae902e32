"""What a person's own recent days say: the fallback that every model must beat.

Two answers that need no model: exponentially weighted climatology where there is a
history, and the few values seen, moved towards a simulated population, where there is
none. Neither follows a trend.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from backend.twin.errors import InsufficientData
from backend.twin.scales import Scale
from backend.twin.trajectory import LEVELS

HALF_LIFE_DAYS = 14.0

# Population constants in units of the scale's width, from twin.simulation; printed by
# `python -m export_scripts.prior`, and a test holds them against the simulator.
PRIOR_MEAN = 0.47  # mean over people of a person's own mean
PRIOR_MEAN_SD = 0.27  # spread of people's own means
PRIOR_DAY_SD = 0.165  # typical spread of one person's days (root mean square)
PRIOR_DAY_DEGREES = 3.5  # the spread counts as much as this many seen deviations
# How far fourteen-day means stray from a person's weighted past, over how far days do;
# from the same script. On real diaries of open licence: .53, .37 to .62 by data set.
FORTNIGHT_SHARE = 0.61


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


def prior_quantiles(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Quantiles of one coming day from a handful of values, in score units.

    Normal-normal empirical Bayes: the person's mean is the population's, moved towards
    the mean of the values as far as their number and spread allow; the spread of days
    is a scaled-inverse-chi-square mean; the answer is the normal predictive
    distribution, clipped to the scale (Gelman et al., Bayesian Data Analysis, 3rd ed.,
    sections 2.5 and 2.6). All values weigh the same, whatever their age: on real PHQ-9
    scores that was better than weighting recent ones more. NaN is absent.
    Raises InsufficientData without any value.
    """
    seen = (values[~np.isnan(values)] - scale.low) / scale.width
    if len(seen) == 0:
        raise InsufficientData(("values",))
    scatter = float(((seen - seen.mean()) ** 2).sum())
    day_variance = (PRIOR_DAY_DEGREES * PRIOR_DAY_SD**2 + scatter) / (
        PRIOR_DAY_DEGREES + len(seen) - 1
    )
    precision = 1 / PRIOR_MEAN_SD**2 + len(seen) / day_variance
    mean = (PRIOR_MEAN / PRIOR_MEAN_SD**2 + seen.sum() / day_variance) / precision
    spread = np.sqrt(day_variance + 1 / precision)
    shares = np.clip(mean + spread * norm.ppf(LEVELS), 0.0, 1.0)
    answer: np.ndarray = scale.low + scale.width * shares
    return answer
