"""Forecasts from scores at irregular days: questionnaires, and diaries just begun.

A score is taken as the person's own level, plus a state that drifts away from it and
back (Ornstein-Uhlenbeck), plus noise of the single day; so elapsed time counts exactly
and nothing is resampled. All three are normal after the arcsine square root of the
score's share of the scale, which makes the spread the same at the scale's ends as in
its middle (Bartlett 1936, doi:10.2307/2983678). People differ in how uneven they are:
the variances of state and noise are multiplied by a factor that is lognormal over
people, integrated on five Gauss-Hermite nodes, each weighted by how likely the person's
own scores are under it. Given the factor all is one Gaussian process (Rasmussen &
Williams 2006, equations 2.25 to 2.30), so the answer is a mixture of five normals.
The level is spread over the scale as a uniform one would be, around its middle: no
instrument's population is assumed, and neither direction is the worse.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from backend.twin.climatology import weighted_quantiles
from backend.twin.errors import InsufficientData
from backend.twin.scales import Scale
from backend.twin.trajectory import HORIZON, LEVELS

MIDDLE = np.pi / 4  # the middle of the scale after the transformation
LEVEL_SD = np.pi / 2 / np.sqrt(12)  # of people's own levels; a uniform one's
# Added to both ends, as a share of the width, before the square root: a score at the
# floor may have been a little more (Anscombe 1948, doi:10.1093/biomet/35.3-4.246).
OFFSET = 0.02
HALVINGS = 26  # of a quantile's interval: finds it to 1e-7
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_SHARES = _WEIGHTS / _WEIGHTS.sum()
_POINTS = ndtri((np.arange(100) + 0.5) / 100)  # equally likely, of a normal


@dataclass(frozen=True, slots=True)
class Constants:
    """What is assumed of people, fitted by `python -m export_scripts.sparse_prior`.

    Spreads are radians of the arcsine square root, in which the scale is pi / 2 wide.
    """

    state_sd: float  # of a typical person's slow state around the own level
    state_days: float  # after which the state keeps 1 / e of itself
    noise_sd: float  # of a typical person's single day
    uneven: float  # sd over people of the log of both variances


@dataclass(frozen=True, slots=True)
class IrregularForecast:
    """Score units, ordered, inside the scale; one column per level of `LEVELS`.

    `days` has one row per day asked for; `fortnight` [11] is of the mean of the
    `HORIZON` days after the last entry.
    """

    days: np.ndarray
    fortnight: np.ndarray


class Mixture(NamedTuple):
    """Normals after the transformation, one per node of unevenness."""

    weight: np.ndarray  # (row, node), sums to one over nodes
    mean: np.ndarray  # (row, node, day)
    covariance: np.ndarray  # (row, node, day, day)


def irregular_quantiles(
    values: np.ndarray,
    ages: np.ndarray,
    scale: Scale,
    *,
    at: np.ndarray | None = None,
    constants: Constants | None = None,
) -> IrregularForecast:
    """What scores on irregular days say of coming days and of the coming fortnight.

    `values` [entry] are score units, NaN = absent; `ages` [entry] are days before the
    last entry (0 = the last one); several may share a day. `at` are the days ahead,
    1 to `HORIZON` unless given. The constants are those of the scale's cadence unless
    given. Raises InsufficientData without any value.
    """
    seen = ~np.isnan(values)
    if not seen.any():
        raise InsufficientData(("values",))
    chosen = table()[scale.cadence] if constants is None else constants
    shares = np.clip((values[seen] - scale.low) / scale.width, 0.0, 1.0)[None]
    ahead = np.arange(1.0, HORIZON + 1)
    days = ahead if at is None else np.asarray(at, dtype=float)
    past = ages[seen].astype(float)[None]
    one = mixture(shares, past, days[None], constants=chosen)
    two = mixture(shares, past, ahead[None], constants=chosen)
    return IrregularForecast(
        days=scale.low + scale.width * day_quantiles(one)[0],
        fortnight=scale.low + scale.width * mean_quantiles(two)[0],
    )


def mixture(
    shares: np.ndarray, ages: np.ndarray, at: np.ndarray, *, constants: Constants
) -> Mixture:
    """The predictive distribution of many rows at once: [row, entry] twice, [row, day].

    `shares` of the scale's width, `ages` and `at` in days before and after the last
    entry. Every row has the same number of entries, one at least.
    """
    entries = shares.shape[1]
    moved = transformed(shares) - MIDDLE
    when = np.concatenate([-ages, at], axis=1)
    apart = np.abs(when[:, :, None] - when[:, None, :])
    slow = constants.state_sd**2 * np.exp(-apart / constants.state_days)
    quick = constants.noise_sd**2 * np.eye(when.shape[1])
    factor = np.exp(constants.uneven * _NODES)[None, :, None, None]
    whole = LEVEL_SD**2 + factor * (slow + quick)[:, None]
    past, ahead = slice(None, entries), slice(entries, None)
    known, across = whole[..., past, past], whole[..., past, ahead]
    target = np.broadcast_to(moved[:, None, :, None], (*known.shape[:3], 1))
    solved = np.linalg.solve(known, np.concatenate([target, across], axis=-1))
    fits = np.linalg.slogdet(known)[1] + (target * solved[..., :1]).sum((-2, -1))
    likely = _SHARES * np.exp((fits.min(axis=1, keepdims=True) - fits) / 2)
    turned = np.swapaxes(across, -1, -2)
    return Mixture(
        weight=likely / likely.sum(axis=1, keepdims=True),
        mean=MIDDLE + (turned @ solved[..., :1])[..., 0],
        covariance=whole[..., ahead, ahead] - turned @ solved[..., 1:],
    )


def day_quantiles(found: Mixture) -> np.ndarray:
    """Shares of the scale's width: [row, day, level], ordered, 0 to 1; by halving."""
    sd = np.sqrt(np.diagonal(found.covariance, axis1=-2, axis2=-1))[..., None]
    weight, mean = found.weight[..., None, None], found.mean[..., None]
    levels = np.asarray(LEVELS)
    low = np.zeros((mean.shape[0], mean.shape[2], len(levels)))
    high = np.full_like(low, np.pi / 2)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = (weight * ndtr((middle[:, None] - mean) / sd)).sum(1) < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return shares_of((low + high) / 2)


def mean_quantiles(found: Mixture) -> np.ndarray:
    """Of the mean of all days of the mixture, shares: [row, level], ordered, 0 to 1.

    Before transforming back, each node's mean is normal, and the single days scatter
    around it. Since the transformation bends, so does their mean score: it is taken as
    the expectation over that scatter, at equally likely points of the mean.
    """
    variance = found.covariance.mean((-2, -1))  # (row, node)
    total = np.diagonal(found.covariance, axis1=-2, axis2=-1).mean(-1)
    scatter = np.sqrt(np.maximum(total - variance, 0.0) + found.mean.var(-1))
    centre = found.mean.mean(-1)[..., None] + np.sqrt(variance)[..., None] * _POINTS
    days = centre[..., None] + scatter[..., None, None] * _NODES
    scores = shares_of(days) @ _SHARES  # (row, node, point)
    weight = np.broadcast_to(found.weight[..., None], scores.shape)
    rows = (len(scores), -1)
    return weighted_quantiles(scores.reshape(rows), weight.reshape(rows))


def transformed(shares: np.ndarray) -> np.ndarray:
    """The arcsine square root of shares 0 to 1."""
    answer: np.ndarray = np.arcsin(np.sqrt((shares + OFFSET) / (1 + 2 * OFFSET)))
    return answer


def shares_of(moved: np.ndarray) -> np.ndarray:
    """Back to shares; what lies outside the scale is put on its nearer end."""
    inside = np.sin(np.clip(moved, 0.0, np.pi / 2)) ** 2
    answer: np.ndarray = np.clip(inside * (1 + 2 * OFFSET) - OFFSET, 0.0, 1.0)
    return answer


@cache
def table() -> Mapping[str, Constants]:
    """The constants of `tables/irregular.toml`, by the cadence of a scale."""
    text = files("backend.twin.tables").joinpath("irregular.toml").read_bytes()
    blocks = tomllib.loads(text.decode())
    return MappingProxyType({name: Constants(**b) for name, b in blocks.items()})
