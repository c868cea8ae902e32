"""How large the largest correlation over many lags gets by chance, without permuting.

Under no link the whitened residual points anywhere on a sphere alike. Columns of
neighbouring lags, as directions, draw a curve on that sphere, and the chance that a
random direction comes within a given angle of the curve is bounded by the volume of a
tube around it (Hotelling 1939, doi:10.2307/2371512; as an inequality: Johnstone &
Siegmund 1989, doi:10.1214/aos/1176347009). The bound is exact for n, needs the curve's
length only, and is never above Bonferroni's, which is taken where it is smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri


@dataclass(frozen=True)
class Curve:
    """`length` in radians of the curve that `lags` columns draw on the sphere."""

    length: float
    lags: int


def curve(columns: np.ndarray, norms: np.ndarray) -> Curve:
    """Of columns [report, lag] with squared lengths `norms` [lag], one lag at least.

    Sign does not count: the test is two-sided, so a column and its opposite are one
    point.
    """
    dots = np.einsum("ij,ij->j", columns[:, 1:], columns[:, :-1])
    cosine = np.abs(dots) / np.sqrt(np.maximum(norms[1:] * norms[:-1], 1e-18))
    return Curve(float(np.arccos(np.minimum(cosine, 1.0)).sum()), len(norms))


def chance(largest: float, along: Curve, freedom: float) -> float:
    """P(the largest |r| over the curve is at least this) if nothing is linked.

    `freedom`: dimension of the sphere's space, reports less what was fitted to them.
    """
    squared = min(largest * largest, 1.0 - 1e-12)
    single = float(betainc((freedom - 1) / 2, 0.5, 1 - squared))
    around = along.length / math.pi * math.pow(1 - squared, (freedom - 2) / 2)
    return min(1.0, single + around, along.lags * single)


def needed_z(along: Curve, level: float) -> float:
    """About how many standard errors a coefficient takes to be found 4 times in 5."""
    threshold = np.sqrt(2 * np.log((1 + along.length / np.pi) / level))
    return float(threshold + ndtri(0.8))
