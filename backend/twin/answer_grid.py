"""The steps between the answers that a person can give, where the diary shows them.

A quantile of a variable that takes steps is itself one of its values, so the inner
quantiles of a forecast are put on the nearest step, as far as the 80 % interval
reaches; where it ends before, they stay at its end. The ends of the two intervals are
not moved: on steps they would hold more days than they say.
"""

from __future__ import annotations

import numpy as np

MOST_STEPS = 100  # a finer grid changes nothing that anybody could see
NEAR = 1e-3  # of a step: how far off a value may lie (scores are stored as decimals)
INNER = slice(2, 9)  # positions in LEVELS: 0.2 to 0.8
# A gap is believed to be a step only from so many days and different answers on:
# someone who has answered 0 and 50 of 100 a few times may well answer 20 tomorrow.
SURE_DAYS = 10
SURE_ANSWERS = 3


def answer_steps(
    values: np.ndarray, *, low: np.ndarray, width: np.ndarray
) -> np.ndarray:
    """The step of each row of [window, day], score units; 0 where there is none.

    A step is the smallest gap between two answers seen (the lowest of the scale is one
    too), if the scale is a whole number of such steps, at most `MOST_STEPS`, and every
    answer lies on one. NaN is absent.
    """
    share = (values - low[:, None]) / width[:, None]
    ends = np.broadcast_to([0.0, 1.0], (len(share), 2))
    ordered = np.sort(np.hstack([share, ends]), axis=1)  # NaN last
    gaps = np.diff(ordered, axis=1)
    least = np.where(gaps > NEAR / MOST_STEPS, gaps, np.inf).min(1)
    steps = np.round(1 / least)
    place = share * steps[:, None]
    off = np.nanmax(np.abs(place - np.round(place)), axis=1)
    whole = np.abs(1 / least - steps) <= NEAR * steps
    good = whole & (steps <= MOST_STEPS) & (off <= NEAR * steps.clip(10))
    return np.where(good, width / steps, 0.0)


def sure_step(
    values: np.ndarray, *, low: float, guessed: float, stated: float | None
) -> float:
    """The step of one person's answers [day] that is sure enough to round to.

    `stated` is the scale's own, where its table knows it and all answers lie on it;
    else `guessed`, the answer of `answer_steps`, if the answers show it. 0: none.
    """
    seen = values[np.isfinite(values)]
    if stated:
        places = (seen - low) / stated
        if (np.abs(places - np.round(places)) <= NEAR).all():
            return stated
    shown = len(seen) >= SURE_DAYS and len(np.unique(seen)) >= SURE_ANSWERS
    return guessed if shown else 0.0


def on_steps(
    quantiles: np.ndarray, *, low: np.ndarray | float, step: np.ndarray | float
) -> np.ndarray:
    """[.., level] with the inner levels put on the nearest step above `low`.

    All in one unit; `low` and `step` broadcast. Where `step` is 0 nothing moves.
    """
    inner = quantiles[..., INNER]
    grid = np.where(np.asarray(step) > 0, step, 1.0)
    near = np.where(
        np.asarray(step) > 0, low + grid * np.round((inner - low) / grid), inner
    )
    answer = quantiles.copy()
    # never beyond the intervals' ends: those are calibrated where they stand
    answer[..., INNER] = np.clip(near, quantiles[..., [1]], quantiles[..., [9]])
    return answer
