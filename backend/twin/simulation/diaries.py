"""Simulated daily ratings, many series at once.

A series is a person's level, plus memory on three time scales, plus what happens to
people (steps, episodes, a treatment that works late, the novelty of a new diary), put
through how people answer (floor, favourite answers, repeated answers, missing days).
Every amount is drawn per series, in units of the person's own day-to-day spread; all
series live on the scale 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MEMORY_DAYS = (1.2, 7.0, 45.0)  # centres of the three autoregressive time scales
LEVEL_COUNTS = np.array([3, 4, 5, 6, 7, 8, 11, 16, 22, 28, 43, 61, 101, 201, 401])
LEVEL_WEIGHTS = np.array([1, 3, 4, 3, 6, 4, 12, 5, 6, 5, 9, 6, 22, 10, 10])


@dataclass(frozen=True, slots=True)
class Diaries:
    """Simulated ratings on 0..1: all days, and what was reported (NaN = absent)."""

    complete: np.ndarray  # (series, day)
    reported: np.ndarray  # (series, day)


def simulate_diaries(rng: np.random.Generator, *, count: int, days: int) -> Diaries:
    """`count` series of `days` days each; the first day is the first of the diary."""
    latent = simulate_course(rng, count=count, days=days)
    complete = _answers(rng, latent)
    return Diaries(complete=complete, reported=_leave_out(rng, complete))


def simulate_course(rng: np.random.Generator, *, count: int, days: int) -> np.ndarray:
    """How the person is, [series, day], in units of their own spread, around 0."""
    course: np.ndarray = (
        _memory(rng, count, days)
        + _steps(rng, count, days)
        + _episodes(rng, count, days)
        + _treatment(rng, count, days)
        + _novelty(rng, count, days)
        + _week(rng, count, days)
    )
    return course


def _some(rng: np.random.Generator, count: int, share: float) -> np.ndarray:
    """1.0 for about `share` of the series, else 0.0; as a column."""
    chosen: np.ndarray = (rng.random((count, 1)) < share).astype(float)
    return chosen


def _memory(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """White noise plus three autoregressions; most of the variance is white."""
    shares = rng.dirichlet((5.0, 0.9, 0.9, 1.7), size=count)  # (series, 4)
    tails = rng.choice([5.0, 8.0, 15.0, 40.0], size=(count, 1))  # Student's degrees
    white = rng.standard_t(tails, size=(count, days)) / np.sqrt(tails / (tails - 2))
    course = np.sqrt(shares[:, :1]) * white
    for column, centre in enumerate(MEMORY_DAYS, start=1):
        memory = centre * np.exp(0.5 * rng.standard_normal((count, 1)))
        kept = np.exp(-1 / memory)
        noise = rng.standard_normal((count, days))
        state = np.empty((count, days))
        state[:, :1] = noise[:, :1]
        for day in range(1, days):
            before = state[:, day - 1 : day]
            new = np.sqrt(1 - kept**2) * noise[:, day : day + 1]
            state[:, day : day + 1] = kept * before + new
        course += np.sqrt(shares[:, column : column + 1]) * state
    restless: np.ndarray = course * _unrest(rng, count, days)
    return restless


def _unrest(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Quiet and restless times: the size of movements itself wanders."""
    wander = rng.normal(0, 0.05, (count, days)).cumsum(1)
    size: np.ndarray = np.exp((_some(rng, count, 0.7) * wander).clip(-1.2, 1.2))
    return size


def _steps(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Lasting changes of level, up to three."""
    time = np.arange(days)
    course = np.zeros((count, days))
    for share in (0.4, 0.2, 0.1):
        size = _some(rng, count, share) * rng.normal(0, 1.3, (count, 1))
        course += size * (time >= rng.integers(1, days, (count, 1)))
    return course


def _episodes(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Bad (seldom good) days in a row, which pass: begun about once in ten weeks."""
    some = _some(rng, count, 0.5)
    begins = some * (rng.random((count, days)) < 0.015)
    sign = np.where(rng.random((count, 1)) < 0.75, 1.0, -1.0)
    sizes = begins * sign * rng.gamma(3.0, 0.5, (count, days))
    kept = np.exp(-1 / rng.gamma(2.0, 2.0, (count, 1)).clip(0.3))
    course = sizes.copy()
    for day in range(1, days):
        course[:, day] += kept[:, 0] * course[:, day - 1]
    return course


def _treatment(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """A treatment begun on some day: first a little worse, then better within weeks."""
    time = np.arange(days) - rng.integers(-30, days, (count, 1))  # since its first day
    delay = rng.uniform(4, 21, (count, 1))
    pace = rng.uniform(7, 30, (count, 1))
    effect = rng.gamma(2.0, 0.5, (count, 1))
    better = -effect * (1 - np.exp(-(time - delay).clip(0) / pace))
    worse = rng.uniform(0, 0.6, (count, 1)) * np.exp(-time.clip(0) / 5.0)
    sign = np.where(
        rng.random((count, 1)) < 0.8, 1.0, -1.0
    )  # mood rises, symptoms fall
    change = sign * (better + worse) * (time >= 0)
    treated: np.ndarray = _some(rng, count, 0.2) * change
    return treated


def _novelty(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """New diaries start high, for about a week, and drift a little for long."""
    size = _some(rng, count, 0.5) * rng.uniform(0, 0.7, (count, 1))
    drift = rng.normal(0, 0.35, (count, 1)) * np.log1p(np.arange(days) / 7.0)
    course: np.ndarray = size * np.exp(-np.arange(days) / 4.0) - 0.4 * drift
    return course


def _week(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """A weekly cycle; in most people next to nothing."""
    pattern = rng.normal(0, 1, (count, 7)) * rng.gamma(1.0, 0.1, (count, 1))
    return pattern[:, np.arange(days) % 7]


def _answers(rng: np.random.Generator, course: np.ndarray) -> np.ndarray:
    """From how someone is to what they tick: level, spread, floor, rounding, habit."""
    count, days = course.shape
    level = np.where(
        rng.random((count, 1)) < 0.45,
        rng.beta(1.1, 4.0, (count, 1)),  # symptoms crowd at the floor
        rng.beta(3.0, 3.0, (count, 1)),  # moods stand in the middle
    )
    spread = 0.105 * np.exp(0.5 * rng.standard_normal((count, 1)))
    steep = _some(rng, count, 0.5) * rng.uniform(0, 1.2, (count, 1))
    skewed = np.where(
        steep > 0.05, np.expm1(steep * course.clip(-6, 6)) / steep.clip(0.05), course
    )
    local = 0.4 + 1.2 * level**0.5  # people near the floor move less
    share = level + spread * local * skewed
    share = np.where(_nothing(rng, count, days), 0.0, share)
    flipped = rng.random((count, 1)) < 0.35  # well-being crowds at the top
    share = np.where(flipped, 1 - share, share)
    return _repeat(rng, _round(rng, share.clip(0, 1)))


def _nothing(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Days on which some people tick the lowest answer whatever else."""
    rate = _some(rng, count, 0.2) * rng.beta(1.2, 4.0, (count, 1))
    answer: np.ndarray = rng.random((count, days)) < rate
    return answer


def _round(rng: np.random.Generator, share: np.ndarray) -> np.ndarray:
    """To the scale's own levels, in some people to coarser favourites."""
    weights = LEVEL_WEIGHTS / LEVEL_WEIGHTS.sum()
    gaps = rng.choice(LEVEL_COUNTS, size=(len(share), 1), p=weights) - 1
    coarse = (gaps >= 20) & (rng.random((len(share), 1)) < 0.25)
    gaps = np.where(coarse, np.maximum(gaps // 5, 2), gaps)
    answer: np.ndarray = np.round(share * gaps) / gaps
    return answer


def _repeat(rng: np.random.Generator, answers: np.ndarray) -> np.ndarray:
    """Some people tick the day before's answer again."""
    count, days = answers.shape
    rate = _some(rng, count, 0.2) * rng.uniform(0, 0.35, (count, 1))
    again = rng.random((count, days)) < rate
    again[:, 0] = False
    source = np.maximum.accumulate(np.where(again, 0, np.arange(days)), axis=1)
    return np.take_along_axis(answers, source, axis=1)


def _leave_out(rng: np.random.Generator, complete: np.ndarray) -> np.ndarray:
    """Absent days: in runs, on certain weekdays, rarely when bad, more as time goes."""
    count, days = complete.shape
    rate = (rng.random((count, 1)) < 0.8) * rng.beta(1.1, 4.0, (count, 1))
    stay = rng.uniform(0, 0.6, (count, 1))  # an absent day is often followed by one
    tired = 1 + _some(rng, count, 0.4) * np.arange(days) / days
    weekday = np.exp(0.3 * rng.standard_normal((count, 7)))[:, np.arange(days) % 7]
    bad = 1 + _some(rng, count, 0.3) * rng.normal(0, 1.5, (count, 1)) * (
        complete - complete.mean(1, keepdims=True)
    )
    chance = rate * (1 - stay) * tired * weekday * bad.clip(0.2, 3)
    draws = rng.random((count, days))
    absent = draws < chance
    for day in range(1, days):
        absent[:, day] |= absent[:, day - 1] & (
            draws[:, day] < stay[:, 0] + chance[:, day]
        )
    absent[:, 0] = False
    return np.where(absent, np.nan, complete)
