"""90 % intervals that know that the lag was chosen, not given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.correlation.selection import Effect

LEVEL = 0.9
Z90 = 1.6449  # of a normal, for the central 90 %
# The coefficient's interval joins those of the likeliest lags that together hold this
# much: by simulation enough to keep 90 % where the lag is unknown too.
_LAGS_SHARE = 0.5
# Of few reports, the fitted whitener and noise make peaks look sharper than they are:
# by simulation the evidence about the lag counts by a quarter less at 22 reports, and
# the difference falls with their square.
_HEAT, _HOTTEST = 11.0, 0.7


@dataclass(frozen=True)
class Estimate:
    """Coefficient and lag, 90 % intervals; lags are indices of the profile."""

    coefficient: float
    ci: tuple[float, float]
    lag: int
    lag_ends: tuple[int, int]


def estimate(
    effect: Effect, norms: np.ndarray, prior: np.ndarray, scale_error: float
) -> Estimate:
    """Of an effect; `norms` [lag] are its columns' squared lengths, `prior` of lags.

    At each lag the interval is that of least squares, without the prior's pull, wider
    by `scale_error`: the relative error of the standard deviations of this window, in
    units of which a coefficient is stated. The lag's interval is that of a peak which
    is the link's with probability p(link), and otherwise says nothing of the lag.
    """
    weight = effect.lag_weight
    order = np.argsort(-weight, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(weight[order]), _LAGS_SHARE)) + 1]
    safe = np.maximum(norms[kept], 1e-9)
    fit = effect.dots[kept] / safe
    reach = Z90 * np.sqrt(effect.spread / safe + (scale_error * fit) ** 2)
    low, high = float((fit - reach).min()), float((fit + reach).max())
    middle = float(weight[kept] @ effect.mean[kept] / weight[kept].sum())
    flat = 1 - min(_HEAT / effect.freedom, _HOTTEST) ** 2
    warm = (weight / prior) ** flat * prior
    unsure = effect.p_link * warm / warm.sum() + (1 - effect.p_link) * prior
    first, last = lag_ends(unsure[None])
    return Estimate(
        coefficient=min(max(middle, low), high),
        ci=(low, high),
        lag=int(median_lag(weight[None])[0]),
        lag_ends=(int(first[0]), int(last[0])),
    )


def lag_ends(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the first and last lag of the 90 % interval: [row, lag] -> [row].

    Of the likeliest interval of each width, that whose probability is nearest to 90 %.
    Nearest, not at least: whole hours would otherwise hold well over 90 %. One hour
    that holds more is the interval all the same.
    """
    count = weight.shape[1]
    below = np.concatenate([np.zeros((len(weight), 1)), weight.cumsum(1)], axis=1)
    first, wide = np.arange(count)[:, None], np.arange(1, count + 1)
    held = below[:, np.minimum(first + wide, count)] - below[:, :-1, None]
    likeliest = held.argmax(1)  # [row, width] its first lag
    width = np.abs(held.max(1) - LEVEL).argmin(1)
    begin = likeliest[np.arange(len(weight)), width]
    return begin, begin + width


def median_lag(weight: np.ndarray) -> np.ndarray:
    """Index of the lag that is as likely too early as too late: [row, lag] -> [row]."""
    middle: np.ndarray = (weight.cumsum(1) < 0.5).sum(1)
    return middle.clip(0, weight.shape[1] - 1)
