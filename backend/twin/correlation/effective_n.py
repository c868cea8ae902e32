"""How many independent reports a record is worth: counts would flatter it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

Correlation = Callable[[np.ndarray], np.ndarray]


def pair_counts(at: np.ndarray) -> np.ndarray:
    """How many pairs of reports lie so many hours apart: [hour], 0 first.

    `at` int64[n] hours; both orders of a pair count, and each report with itself.
    """
    span = int(at[-1] - at[0]) + 1
    length = next_fast_len(2 * span, real=True)
    power = np.abs(rfft(np.bincount(at - at[0]), length)) ** 2
    counts = np.rint(irfft(power, length)[:span])
    counts[1:] *= 2
    return np.asarray(counts)


def effective_reports(
    counts: np.ndarray, symptom: Correlation, biometric: Correlation
) -> float:
    """Independent pairs of values with the same error of their correlation.

    n² over the sum, over all pairs of reports, of the product of both autocorrelations
    at their distance (Clifford, Richardson & Hémon 1989, doi:10.2307/2532039). Both
    take hours apart. A report said twice adds to both sums alike, and so nothing.
    """
    apart = np.arange(len(counts))
    total = counts.sum()  # n squared
    return float(total / (counts @ (symptom(apart) * biometric(apart))))


def scale_error(counts: np.ndarray, symptom: Correlation) -> float:
    """Relative standard error of a symptom's standard deviation over its window."""
    return float(1 / np.sqrt(2 * effective_reports(counts, symptom, symptom)))
