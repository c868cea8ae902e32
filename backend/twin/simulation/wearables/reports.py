"""When patients report and what they tick."""

from __future__ import annotations

import numpy as np

from backend.twin.simulation.wearables.clock import SUNDAY, Clock
from backend.twin.simulation.wearables.family import (
    MAX_LAG,
    Family,
    between,
    chance,
)

LEVELS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 11, 21, 101])
LEVEL_SHARES = np.array([4, 5, 9, 17, 6, 13, 3, 9, 20, 4, 10]) / 100


def report_times(rng: np.random.Generator, family: Family, clock: Clock) -> np.ndarray:
    """[patient, report] local hours since the history's begin, ascending; NaN: none.

    No two of a patient lie in the same hour.
    """
    low, high = family.reports_a_day
    people = len(clock.start)
    a_day = rng.integers(low, high + 1, (people, 1, 1))
    slot = np.arange(high)
    hour = _hours(rng, family, a_day, (people, clock.days, high))
    made = (slot < a_day) & ~_missed(rng, family, clock, high)
    day = MAX_LAG + 24 * np.arange(clock.days)
    exact = chance(rng, family.to_the_minute, (people, 1, 1))
    time = np.where(made, day[:, None] + np.where(exact, hour, np.rint(hour)), np.nan)
    return _in_order(time.reshape(people, -1), clock.hours)


def _hours(
    rng: np.random.Generator,
    family: Family,
    a_day: np.ndarray,
    shape: tuple[int, int, int],
) -> np.ndarray:
    """[patient, day, slot]: hours of the day, to the minute."""
    people = (shape[0], 1, 1)
    first, last = between(rng, (7, 11), people), between(rng, (19, 22), people)
    place = np.where(a_day == 1, 1, np.arange(shape[2]) / np.maximum(a_day - 1, 1))
    regular = first + (last - first) * place
    regular = regular + between(rng, (0, 1), people) * rng.standard_normal(shape)
    anywhere = first + (last - first) * rng.random(shape)
    irregular = chance(rng, family.irregular, people)
    hour = np.where(irregular, anywhere, regular).clip(0, 23.4)
    minutes: np.ndarray = np.rint(60 * hour) / 60
    return minutes


def _missed(
    rng: np.random.Generator, family: Family, clock: Clock, slots: int
) -> np.ndarray:
    """[patient, day, slot]: single reports, whole days, a weekday, a long gap."""
    people, days = len(clock.start), clock.days
    share = between(rng, family.missed, (people, 1))
    whole = 1 - (1 - share) ** rng.random((people, 1))
    single = 1 - (1 - share) / (1 - whole)
    day = np.arange(days)
    off = rng.random((people, days)) < whole
    weekday = (clock.start.astype(int)[:, None] + MAX_LAG // 24 + day - SUNDAY) % 7
    never = chance(rng, family.weekday_off, (people, 1))
    off |= never & (weekday == rng.integers(0, 7, (people, 1)))
    begins = rng.integers(0, days, (people, 1))
    lasts = rng.integers(3, 15, (people, 1))
    gap = chance(rng, family.long_gap, (people, 1))
    off |= gap & (day >= begins) & (day < begins + lasts)
    missed: np.ndarray = rng.random((people, days, slots)) < single[..., None]
    return missed | off[..., None]


def _in_order(time: np.ndarray, hours: int) -> np.ndarray:
    """Ascending, one an hour, NaN behind; as many columns as anyone needs."""
    time = np.sort(time, axis=1)
    time[np.rint(time) >= hours] = np.nan
    again = np.diff(np.rint(time), axis=1, prepend=-1) == 0
    time[again] = np.nan
    time = np.sort(time, axis=1)
    return time[:, : int(np.isfinite(time).sum(1).max(initial=1))]


def answers(
    rng: np.random.Generator, family: Family, symptoms: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """[patient, symptom, report] what is ticked; NaN: nothing.

    `symptoms` [patient, symptom, local hour] is read at the nearest hour.
    """
    hour = np.where(np.isfinite(times), np.rint(times), 0).astype(np.int64)
    felt = np.take_along_axis(symptoms, hour[:, None], axis=2)
    given = _on_scale(rng, family, _repeated(rng, family, felt))
    leaves_out = chance(rng, family.item_left_out, (len(felt), 1, 1))
    rate = between(rng, (0, 0.15), (len(felt), 1, 1))
    left_out = leaves_out & (rng.random(felt.shape) < rate)
    none = np.isnan(times)[:, None] | left_out
    return np.where(none, np.float32(np.nan), given)


def _repeated(rng: np.random.Generator, family: Family, felt: np.ndarray) -> np.ndarray:
    """Some people tick the answers of the report before again."""
    people, _, reports = felt.shape
    rate = between(rng, (0, 0.35), (people, 1))
    rate = rate * chance(rng, family.repeats, (people, 1))
    again = rng.random((people, reports)) < rate
    source = np.where(again, 0, np.arange(reports))
    source = np.maximum.accumulate(source, axis=1)[:, None]
    return np.take_along_axis(felt, source, axis=2)


def _on_scale(rng: np.random.Generator, family: Family, felt: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 (or 1), often crowded at an end or on few levels."""
    shape = (*felt.shape[:2], 1)
    plain = chance(rng, family.plain_scale, (len(felt), 1, 1))
    levels = rng.choice(LEVELS, shape, p=LEVEL_SHARES)
    top = np.where(plain, 10, levels - 1)
    middle = np.where(plain, 0.5, between(rng, (0.05, 0.9), shape))
    spread = np.where(plain, 0.18, between(rng, (0.1, 0.3), shape))
    lowest = (rng.random(shape) < 0.3) & ~plain
    step = np.where((top == 100) & chance(rng, 0.3, shape), 10, 1)
    ticked = step * np.rint(top * (middle + spread * felt) / step)
    given: np.ndarray = (ticked.clip(0, top) + lowest).astype(np.float32)
    return given
