"""The earlier formula for few scores, kept as the baseline that `irregular` must beat.

It knows no time: all scores weigh the same and every coming day gets one answer. The
constants are those that it was served with, in shares of the scale's width: moments of
the people that were simulated then.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from backend.twin.trajectory import LEVELS

MEAN = 0.47  # mean over people of a person's own mean
MEAN_SD = 0.27  # spread of people's own means
DAY_SD = 0.165  # typical spread of one person's days (root mean square)
DEGREES = 3.5  # the spread counts as much as this many seen deviations


def shrunk_quantiles(shares: np.ndarray) -> np.ndarray:
    """Quantiles (level,) of a coming score from one score or more; shares, none absent.

    Normal-normal empirical Bayes: the person's mean is the population's, moved towards
    the mean of the scores as far as their number and spread allow; the spread of days
    is a scaled-inverse-chi-square mean; the answer is the normal predictive
    distribution, clipped to the scale (Gelman et al., Bayesian Data Analysis, 3rd ed.,
    sections 2.5 and 2.6).
    """
    count = len(shares)
    scatter = float(((shares - shares.mean()) ** 2).sum())
    day_variance = (DEGREES * DAY_SD**2 + scatter) / (DEGREES + count - 1)
    precision = 1 / MEAN_SD**2 + count / day_variance
    mean = (MEAN / MEAN_SD**2 + shares.sum() / day_variance) / precision
    spread = np.sqrt(day_variance + 1 / precision)
    answer: np.ndarray = np.clip(mean + spread * norm.ppf(LEVELS), 0.0, 1.0)
    return answer
