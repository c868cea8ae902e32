"""How people are, day by day: several kinds of people, in units of their own spread.

No single generator is like everybody. A person is drawn as one of three kinds (memory
on several time scales, two states that take turns, a level that drifts), and then life
happens to them: lasting steps, passing episodes, the novelty of a new diary, a week.
A mixture of generators forecasts real series better than the best of them alone
(Moroshan et al. 2025, arXiv 2510.25502; arXiv 2606.09912).
"""

from __future__ import annotations

import numpy as np

KINDS = (0.78, 0.11, 0.11)  # shares of people: memory, two states, drift
MEMORY_DAYS = (1.2, 7.0, 45.0)  # centres of the three autoregressive time scales


def simulate_course(rng: np.random.Generator, *, count: int, days: int) -> np.ndarray:
    """`count` courses of `days` days around 0: [series, day], in own units of spread.

    The first day is the first of the diary. Treatments are not in it.
    """
    kind = rng.choice(len(KINDS), size=count, p=KINDS)
    course = np.empty((count, days))
    for number, make in enumerate((_memory, _states, _drift)):
        rows = kind == number
        course[rows] = make(rng, int(rows.sum()), days)
    course *= _unrest(rng, count, days)
    for happen in (_steps, _episodes, _novelty, _week):
        course += happen(rng, count, days)
    return course


def some(rng: np.random.Generator, count: int, share: float) -> np.ndarray:
    """1.0 for about `share` of the series, else 0.0; as a column."""
    chosen: np.ndarray = (rng.random((count, 1)) < share).astype(float)
    return chosen


def autoregression(
    rng: np.random.Generator, *, kept: np.ndarray, days: int
) -> np.ndarray:
    """Stationary memory of variance 1; `kept` [series, 1] is what a day keeps."""
    noise = rng.standard_normal((len(kept), days))
    scale = np.sqrt(1 - kept[:, 0] ** 2)
    state = noise  # filled from left to right
    for day in range(1, days):
        state[:, day] = kept[:, 0] * state[:, day - 1] + scale * noise[:, day]
    return state


def _white(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Days that have nothing to do with each other: Student's, variance 1."""
    tails = rng.choice([3.5, 6.0, 12.0, 40.0], size=(count, 1))  # degrees of freedom
    white: np.ndarray = rng.standard_t(tails, size=(count, days))
    white /= np.sqrt(tails / (tails - 2))
    return white


def _memory(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """White noise plus three autoregressions; most of the variance is white."""
    shares = np.sqrt(rng.dirichlet((5.0, 0.9, 0.9, 1.5), size=count))  # (series, 4)
    course: np.ndarray = shares[:, :1] * _white(rng, count, days)
    for column, centre in enumerate(MEMORY_DAYS, start=1):
        memory = centre * np.exp(0.5 * rng.standard_normal((count, 1)))
        part = autoregression(rng, kept=np.exp(-1 / memory), days=days)
        course += shares[:, column : column + 1] * part
    return course


def _states(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Two states that take turns (well and ill), each with its level and spread."""
    stay = 1 - 1 / rng.lognormal(np.log([20.0, 8.0]), 0.8, (count, 2)).clip(1.5)
    levels = np.stack([np.zeros(count), rng.normal(1.6, 0.8, count)], axis=1)
    spreads = rng.lognormal(np.log([0.7, 0.9]), 0.3, (count, 2))
    draws = rng.random((count, days))
    state = (draws[:, 0] < 0.3).astype(int)
    rows = np.arange(count)
    ill = np.empty((count, days), dtype=int)
    for day in range(days):
        state = np.where(draws[:, day] < stay[rows, state], state, 1 - state)
        ill[:, day] = state
    level = np.take_along_axis(levels, ill, axis=1)
    spread = np.take_along_axis(spreads, ill, axis=1)
    course: np.ndarray = level + spread * _white(rng, count, days)
    return course


def _drift(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """A level that wanders without coming back, under white noise."""
    pace = rng.lognormal(np.log(0.1), 0.6, (count, 1))  # own units a day
    wander = np.cumsum(pace * rng.standard_normal((count, days)), axis=1)
    course: np.ndarray = np.clip(wander, -4, 4) + 0.8 * _white(rng, count, days)
    return course


def _unrest(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Quiet and restless times: the size of movements itself wanders."""
    wander = rng.normal(0, 0.05, (count, days)).cumsum(1)
    size: np.ndarray = np.exp((some(rng, count, 0.7) * wander).clip(-1.2, 1.2))
    return size


def _steps(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Lasting changes of level, up to three."""
    time = np.arange(days)
    course = np.zeros((count, days))
    for share in (0.3, 0.15, 0.07):
        size = some(rng, count, share) * rng.normal(0, 1.2, (count, 1))
        course += size * (time >= rng.integers(1, days, (count, 1)))
    return course


def _episodes(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Bad (seldom good) days in a row, which pass: begun about once in ten weeks."""
    begins = some(rng, count, 0.5) * (rng.random((count, days)) < 0.015)
    sign = np.where(rng.random((count, 1)) < 0.75, 1.0, -1.0)
    course = begins * sign * rng.gamma(3.0, 0.5, (count, days))
    kept = np.exp(-1 / rng.gamma(2.0, 2.0, count).clip(0.3))
    for day in range(1, days):
        course[:, day] += kept * course[:, day - 1]
    return course


def _novelty(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """New diaries start high, for about a week, and drift a little for long."""
    size = some(rng, count, 0.5) * rng.uniform(0, 0.7, (count, 1))
    drift = rng.normal(0, 0.35, (count, 1)) * np.log1p(np.arange(days) / 7.0)
    course: np.ndarray = size * np.exp(-np.arange(days) / 4.0) - 0.4 * drift
    return course


def _week(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """A weekly cycle; in most people next to nothing."""
    pattern = rng.normal(0, 1, (count, 7)) * rng.gamma(1.0, 0.1, (count, 1))
    return pattern[:, np.arange(days) % 7]
