"""What a biometric did between and beneath its measurements.

A de-cycled biometric is taken as the sum of a quick and a slow Ornstein-Uhlenbeck
process and of measurement noise. Their time constants and variances are read off its
autocovariance over worn hours; then the expectation of the process given all worn
hours follows from one banded solve, because the precision of an Ornstein-Uhlenbeck
process on a regular grid is tridiagonal (Rue & Held 2005, section 1.2). Regressing on
an expectation instead of on what was measured leaves the coefficient free of
attenuation by that noise (regression calibration; Carroll et al. 2006, chapter 4), and
fills hours not worn with what is known about them, which is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solveh_banded

REACH = 24  # hours of autocovariance that the fit sees
TIMES = (1.5, 3.0, 5.0, 8.0, 14.0, 24.0, 48.0, 96.0)  # hours, candidates
MEAN_HOURS = 3  # a link is from the mean of so many hours, the lag in its middle
LEAST_NOISE = 0.02  # share of the variance that is measurement noise at least
_MOST = 1.2  # of the variance, explained by a fit that is not nonsense
LEAST_PAIRS = 24  # pairs of values, to believe an autocovariance


@dataclass(frozen=True)
class Memory:
    """Variances (of a series of variance one) and time constants in steps.

    `noise` is the measurement's share; `parts` are (variance, steps) of each process.
    """

    noise: float
    parts: tuple[tuple[float, float], ...]

    def correlation(self, lags: np.ndarray) -> np.ndarray:
        """Autocorrelation, so many steps apart, without measurement noise."""
        total = sum(share for share, _ in self.parts)
        made = sum(share * np.exp(-lags / steps) for share, steps in self.parts)
        return np.asarray(made / total)

    def mean_variance(self, width: int) -> float:
        """Variance of the process's mean over `width` consecutive steps."""
        step = np.arange(1, width)
        variance = 0.0
        for share, steps in self.parts:
            falls = np.exp(-step / steps)
            variance += share * (width + 2 * ((width - step) * falls).sum())
        return variance / width**2


def autocovariance(
    rows: np.ndarray, reach: int, *, least: int = LEAST_PAIRS
) -> np.ndarray:
    """[series, lag 0..reach] over pairs of known values; rows have mean zero."""
    count = rows.shape[1]
    length = next_fast_len(count + reach + 1, real=True)
    known = np.isfinite(rows)
    spectra = rfft(np.stack([np.where(known, rows, 0.0), known * 1.0]), length, axis=2)
    sums = irfft(np.abs(spectra) ** 2, length, axis=2)[:, :, : reach + 1]
    pairs = np.rint(sums[1])
    made = sums[0] / np.maximum(pairs, 1.0)
    return np.where(pairs >= least, made, 0.0)


def memory(covariance: np.ndarray) -> Memory:
    """The pair of processes that fits an autocovariance [lag] best, least squares."""
    own = covariance[1:] / covariance[0]
    steps, designs, inverses = _candidates(len(own))
    shares = inverses @ own  # [candidate, 2]
    totals = shares.sum(1)
    shares *= np.minimum(1.0, (1 - LEAST_NOISE) / np.maximum(totals, 1e-9))[:, None]
    losses = ((own - (designs @ shares[:, :, None])[:, :, 0]) ** 2).sum(1)
    possible = (shares >= 0).all(1) & (totals > 0) & (totals < _MOST)
    if not possible.any():
        return Memory(LEAST_NOISE, ((1 - LEAST_NOISE, TIMES[0]),))
    best = int(np.where(possible, losses, np.inf).argmin())
    found = zip(shares[best].tolist(), steps[best], strict=True)
    parts = tuple((share, time) for share, time in found if share > 0)
    return Memory(1 - sum(share for share, _ in parts), parts)


def expected(row: np.ndarray, known_as: Memory) -> np.ndarray:
    """Expectation of the process at every hour, given the known values of `row`."""
    width, count = len(known_as.parts), len(row)
    known = np.isfinite(row)
    banded = np.zeros((width + 1, count * width))
    worth = known / known_as.noise
    for part, (share, steps) in enumerate(known_as.parts):
        fall = np.exp(-1 / steps)
        scale = 1 / (share * (1 - fall**2))
        diagonal = np.full(count, scale * (1 + fall**2))
        diagonal[[0, -1]] = scale
        banded[0, part::width] = diagonal + worth
        banded[width, part : (count - 1) * width : width] = -fall * scale
    if width == 2:
        banded[1, 0::2] = worth
    target = np.repeat(np.where(known, row, 0.0) * worth, width)
    solved = solveh_banded(banded, target, lower=True, check_finite=False)
    return np.asarray(solved.reshape(count, width).sum(1))


def centred_mean(row: np.ndarray, width: int) -> np.ndarray:
    """Mean over `width` (odd) neighbouring hours, ends repeated."""
    padded = np.pad(row, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, "valid")


@cache
def _candidates(reach: int) -> tuple[list[tuple[float, float]], np.ndarray, np.ndarray]:
    """Every single and pair of time constants, designs and their pseudo-inverses.

    A single one is a pair whose second column is nothing.
    """
    lags = np.arange(1, reach + 1)
    pairs = [(a, b) for i, a in enumerate(TIMES) for b in TIMES[i:]]
    designs = np.exp(-lags[None, :, None] / np.array(pairs)[:, None, :])
    for design, (first, second) in zip(designs, pairs, strict=True):
        design[:, 1] *= first != second
    return pairs, designs, np.linalg.pinv(designs)
