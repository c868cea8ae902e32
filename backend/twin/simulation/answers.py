"""How people answer: level, spread, floor, favourite and repeated answers, gaps.

Levels of a scale, habits and gaps belong to the person and are shared by all of their
symptoms; level and spread belong to the symptom.
"""

from __future__ import annotations

import numpy as np

from backend.twin.simulation.course import some

LEVEL_COUNTS = np.array([3, 4, 5, 6, 7, 8, 11, 16, 22, 28, 43, 61, 101, 201, 401])
LEVEL_WEIGHTS = np.array([1, 4, 4, 3, 7, 4, 12, 5, 6, 5, 9, 6, 22, 12, 60])


def answers(
    rng: np.random.Generator, course: np.ndarray, *, symptoms: int
) -> np.ndarray:
    """[person * symptom, day] from how someone is to what they tick, 0..1.

    Rows of one person follow each other.
    """
    count, days = course.shape
    share = _placed(rng, course)
    share = np.where(_nothing(rng, count, days), 0.0, share)
    flipped = rng.random((count, 1)) < 0.35  # well-being crowds at the top
    share = np.where(flipped, 1 - share, share)
    return _repeat(rng, _round(rng, share.clip(0, 1), symptoms), symptoms)


def absences(
    rng: np.random.Generator, complete: np.ndarray, *, symptoms: int
) -> np.ndarray:
    """[person, day] true where nothing was reported.

    In runs, on certain weekdays, rarely when bad, more as time goes by. The first day
    is never absent: it begins the diary.
    """
    people, days = len(complete) // symptoms, complete.shape[1]
    first = complete[::symptoms]  # one symptom decides about bad days
    rate = (rng.random((people, 1)) < 0.8) * rng.beta(1.1, 4.0, (people, 1))
    stay = rng.uniform(0, 0.6, (people, 1))  # an absent day is often followed by one
    tired = 1 + some(rng, people, 0.4) * np.arange(days) / days
    weekday = np.exp(0.3 * rng.standard_normal((people, 7)))[:, np.arange(days) % 7]
    leaning = some(rng, people, 0.3) * rng.normal(0, 1.5, (people, 1))
    bad = 1 + leaning * (first - first.mean(1, keepdims=True))
    chance = rate * (1 - stay) * tired * weekday * bad.clip(0.2, 3)
    draws = rng.random((people, days))
    absent: np.ndarray = draws < chance
    for day in range(1, days):
        again = draws[:, day] < stay[:, 0] + chance[:, day]
        absent[:, day] |= absent[:, day - 1] & again
    absent[:, 0] = False
    return absent


def _placed(rng: np.random.Generator, course: np.ndarray) -> np.ndarray:
    """On the scale: own level, own spread (smaller at the floor), own skewness."""
    count = len(course)
    level = np.where(
        rng.random((count, 1)) < 0.5,
        rng.beta(0.8, 4.6, (count, 1)),  # symptoms crowd at the floor
        rng.beta(3.0, 3.0, (count, 1)),  # moods stand in the middle
    )
    spread = 0.075 * np.exp(0.55 * rng.standard_normal((count, 1)))
    steep = some(rng, count, 0.5) * rng.uniform(0, 1.2, (count, 1))
    bent = np.expm1(steep * course.clip(-6, 6)) / steep.clip(0.05)
    skewed = np.where(steep > 0.05, bent, course)
    local = 0.4 + 1.2 * level**0.5
    placed: np.ndarray = level + spread * local * skewed
    return placed


def _nothing(rng: np.random.Generator, count: int, days: int) -> np.ndarray:
    """Days on which some people tick the lowest answer whatever else."""
    rate = some(rng, count, 0.4) * rng.beta(1.1, 1.6, (count, 1))
    answer: np.ndarray = rng.random((count, days)) < rate
    return answer


def _of_person(drawn: np.ndarray, symptoms: int) -> np.ndarray:
    """One row per person -> one per symptom of each."""
    return np.repeat(drawn, symptoms, axis=0)


def _round(rng: np.random.Generator, share: np.ndarray, symptoms: int) -> np.ndarray:
    """To the scale's own levels, in some people to coarser favourites."""
    people = len(share) // symptoms
    weights = LEVEL_WEIGHTS / LEVEL_WEIGHTS.sum()
    gaps = rng.choice(LEVEL_COUNTS, size=(people, 1), p=weights) - 1
    coarse = (gaps >= 20) & (rng.random((people, 1)) < 0.25)
    gaps = _of_person(np.where(coarse, np.maximum(gaps // 5, 2), gaps), symptoms)
    answer: np.ndarray = np.round(share * gaps) / gaps
    return answer


def _repeat(rng: np.random.Generator, given: np.ndarray, symptoms: int) -> np.ndarray:
    """Some people tick the day before's answer again."""
    people, days = len(given) // symptoms, given.shape[1]
    rate = _of_person(
        some(rng, people, 0.2) * rng.uniform(0, 0.45, (people, 1)), symptoms
    )
    again = rng.random(given.shape) < rate
    again[:, 0] = False
    source = np.maximum.accumulate(np.where(again, 0, np.arange(days)), axis=1)
    return np.take_along_axis(given, source, axis=1)
