"""Which biometrics a symptom goes with directly, each with its lag: single effects.

The sum of single effects (Wang et al. 2020, doi:10.1111/rssb.12388), one per biometric:
each either has no effect, or one at a single unknown lag. Going round the biometrics,
each is weighed against what the others leave unexplained, so that of two that move
together the one that carries the link keeps it, and the other's is an association.
That is forward partial selection without its hard choices: nothing is picked before
the others had their say, and a lag is a distribution.

A coefficient's prior is a moment prior (Johnson & Rossell 2010,
doi:10.1111/j.1467-9868.2009.00730.x): what is not worth naming is no link, so long
records without a visible effect speak against one, and not only not for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLAB = 0.28  # of the moment prior of a coefficient, which peaks at 1.4 times this
BEHIND_WEIGHT = 0.1  # prior share of a link in which the symptom comes first
SPENT = 1.0  # reports used up by the whitener, and by each effect: size and lag
_SWEEPS = 12
_SETTLED = 0.01  # change of any probability at which going round stops


@dataclass(frozen=True, eq=False)
class Problem:
    """Whitened: `target` [report]; `columns` [biometric][report, lag]; `freedom`.

    `norms` [biometric, lag] squared lengths of the columns; `prior` [lag] sums to one;
    `prior_link` is the probability of a link before the data.
    """

    target: np.ndarray
    columns: tuple[np.ndarray, ...]
    norms: np.ndarray
    freedom: float
    prior: np.ndarray
    prior_link: float = 0.5


@dataclass(frozen=True, eq=False)
class Effect:
    """One biometric's effect on one symptom, given the other biometrics.

    `p_link`: posterior probability. If there is a link: `lag_weight` [lag] sums to one;
    `mean` [lag] of the coefficient at each lag. `dots` [lag]: columns times `rest`, the
    whitened symptom less the other biometrics' effects, of squared length `power`.
    `spread`: variance of the whitened noise; `freedom` left to test this effect.
    """

    p_link: float
    lag_weight: np.ndarray
    mean: np.ndarray
    dots: np.ndarray
    power: float
    spread: float
    freedom: float


def lag_prior(lags: np.ndarray) -> np.ndarray:
    """Flat over lags from zero on, and flat over negative ones, which are rarer."""
    behind = lags < 0
    share = np.where(behind, BEHIND_WEIGHT, 1 - BEHIND_WEIGHT * behind.any())
    counts = np.where(behind, behind.sum(), (~behind).sum())
    return np.asarray(share / counts)


def single_effects(problem: Problem) -> list[Effect]:
    """The effect of each biometric given the others', strongest first at the start."""
    count = len(problem.columns)
    fitted = np.zeros((count, len(problem.target)))
    found: dict[int, Effect] = {}
    chances = np.zeros(count)
    order = np.argsort([-_strength(problem, b) for b in range(count)])
    for _ in range(_SWEEPS):
        before = chances.copy()
        left = problem.target - fitted.sum(0)
        free = problem.freedom - SPENT * (1 + chances.sum())
        spread = float(left @ left) / free + 1e-12
        for b in order.tolist():
            rest = problem.target - fitted.sum(0) + fitted[b]
            made = _effect(problem, b, rest, (spread, free + SPENT * chances[b]))
            found[b] = made
            chances[b] = made.p_link
            fitted[b] = problem.columns[b] @ (made.p_link * made.lag_weight * made.mean)
        if np.abs(chances - before).max() < _SETTLED:
            break
    return [found[b] for b in range(count)]


def _strength(problem: Problem, b: int) -> float:
    dots = problem.columns[b].T @ problem.target
    return float((dots**2 / np.maximum(problem.norms[b], 1e-9)).max())


def _effect(
    problem: Problem, b: int, rest: np.ndarray, given: tuple[float, float]
) -> Effect:
    """Bayes factors of every lag against no effect; the noise variance integrated out.

    `given`: variance of the noise and the freedom left for this effect.
    """
    spread, freedom = given
    norms, power = problem.norms[b], float(rest @ rest) + 1e-12
    dots = problem.columns[b].T @ rest
    gain = norms * SLAB**2 / spread
    explained = gain / (1 + gain) * dots**2 / np.maximum(norms * power, 1e-12)
    factor = -0.5 * np.log1p(gain)
    factor -= 0.5 * freedom * np.log1p(-np.minimum(explained, 1 - 1e-9))
    variance = 1 / (norms / spread + 1 / SLAB**2)
    mean = dots / spread * variance
    factor += np.log((mean**2 + variance) / SLAB**2)  # what the moment prior adds
    weighed = factor + np.log(problem.prior)
    top = weighed.max()
    total = float(top + np.log(np.exp(weighed - top).sum()))
    odds = total + np.log(problem.prior_link) - np.log1p(-problem.prior_link)
    return Effect(
        p_link=float(1 / (1 + np.exp(-odds))),
        lag_weight=np.exp(weighed - total),
        mean=mean * (mean**2 + 3 * variance) / (mean**2 + variance),
        dots=dots,
        power=power,
        spread=spread,
        freedom=freedom,
    )


def alone(problem: Problem, b: int) -> Effect:
    """The effect of one biometric as if there were no other: for an association."""
    freedom = problem.freedom - SPENT
    spread = float(problem.target @ problem.target) / freedom + 1e-12
    return _effect(problem, b, problem.target, (spread, freedom))
