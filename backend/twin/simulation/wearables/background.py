"""What moves series without any link: cycles, weeks, trends, drifts, events.

Biometrics and symptoms of a patient are one list of series here, because much of it
moves both: associations that are not links.
"""

from __future__ import annotations

import numpy as np

from backend.twin.simulation.wearables.clock import LEAD, Clock
from backend.twin.simulation.wearables.family import (
    MAX_LAG,
    Family,
    between,
    between_logs,
    chance,
    signs,
)
from backend.twin.simulation.wearables.memory import remember

QUARTERS = 96  # of an hour, in a day: how finely a daily cycle is tabled
BODY_HOURS = 120.0  # how long the body takes to follow a changed clock
HIDDEN_LAG = 24  # hours at most by which some series follow the hidden cause


def background(
    rng: np.random.Generator, family: Family, clock: Clock, counts: tuple[int, int]
) -> np.ndarray:
    """[patient, series, physical hour] to be added to biometrics and then symptoms."""
    moved = _cycles(rng, family, clock, counts)
    factors = np.stack(_factors(rng, family, clock), axis=1)
    weights = _weights(rng, family, (len(clock.start), sum(counts)))
    moved += weights @ factors
    return moved


def _factors(
    rng: np.random.Generator, family: Family, clock: Clock
) -> tuple[np.ndarray, ...]:
    """Weekend, trend, event, two drifts, a hidden cause, and the same again later."""
    people, hours = clock.local.shape
    tau = between_logs(rng, family.drift_tau, (people, 2))
    drifts = remember(rng, tau, hours)
    hidden = remember(rng, between_logs(rng, family.hidden_tau, (people, 1)), hours)
    later = np.arange(hours) - rng.integers(0, HIDDEN_LAG + 1, (people, 1))
    trend = np.broadcast_to(
        np.linspace(-1, 1, hours, dtype=np.float32), (people, hours)
    )
    return (
        clock.weekend,
        trend,
        _event(rng, clock),
        drifts[:, 0],
        drifts[:, 1],
        hidden[:, 0],
        np.take_along_axis(hidden[:, 0], later % hours, axis=1),
    )


def _event(rng: np.random.Generator, clock: Clock) -> np.ndarray:
    """0 before some moment of the middle, then up to 1 within days."""
    people, hours = clock.local.shape
    middle = between(rng, (0.25, 0.75), (people, 1)) * (hours - LEAD - MAX_LAG)
    since = np.arange(hours) - LEAD - MAX_LAG - middle
    pace = between_logs(rng, (1, 120), (people, 1))
    ramp: np.ndarray = 1 - np.exp(-since.clip(0) / pace)
    return ramp.astype(np.float32)


def _weights(
    rng: np.random.Generator, family: Family, shape: tuple[int, int]
) -> np.ndarray:
    """[patient, series, factor] in the order of `_factors`."""
    people = (shape[0], 1)
    normal = rng.standard_normal((*shape, 3), dtype=np.float32)
    event = chance(rng, family.event, people)
    drift = signs(rng, (*shape, 2)) * between(rng, family.drift_size, (*people, 2))
    some = chance(rng, family.other_drift, people) * chance(rng, 0.5, shape)
    hidden = chance(rng, family.hidden, people) * chance(rng, 0.7, shape)
    hidden = hidden * signs(rng, shape) * between(rng, family.hidden_size, shape)
    follows = chance(rng, 0.5, shape)
    columns = (
        family.weekend * normal[..., 0],
        family.trend * normal[..., 1],
        0.6 * event * normal[..., 2],
        chance(rng, family.drift, people) * drift[..., 0],
        some * drift[..., 1],
        hidden * ~follows,
        hidden * follows,
    )
    weights: np.ndarray = np.stack(columns, axis=-1)
    return weights.astype(np.float32)


def _cycles(
    rng: np.random.Generator, family: Family, clock: Clock, counts: tuple[int, int]
) -> np.ndarray:
    """Daily cycles by the body's clock, not equally large every day."""
    people, hours = clock.local.shape
    body = clock.local - _delay(rng, family, clock)
    quarter = np.rint(body * 4).astype(np.int64) % QUARTERS
    table = _table(rng, family, people, counts)
    cycle: np.ndarray = np.take_along_axis(table, quarter[:, None], axis=2)
    days = np.arange(hours) // 24
    unrest = between(rng, family.cycle_unrest, (people, 1))
    unrest = unrest * rng.standard_normal((people, days[-1] + 1), dtype=np.float32)
    cycle *= np.exp(unrest)[:, None, days]
    return cycle


def _delay(rng: np.random.Generator, family: Family, clock: Clock) -> np.ndarray:
    """[patient, hour]: hours by which the body is behind the clock.

    After a change of the clock it follows over days; on weekends people sleep longer.
    """
    hours = clock.local.shape[1]
    since = np.arange(-LEAD, hours - LEAD)[None] - clock.change[:, None]
    behind = clock.step[:, None] * np.exp(-since.clip(0) / BODY_HOURS)
    late = between(rng, family.weekend_delay, (len(clock.start), 1))
    delay: np.ndarray = np.where(since >= 0, behind, 0) + late * clock.weekend
    return delay


def _table(
    rng: np.random.Generator, family: Family, people: int, counts: tuple[int, int]
) -> np.ndarray:
    """[patient, series, quarter of an hour]: two harmonics of the day."""
    size = np.concatenate(
        [
            between(rng, family.biometric_cycle, (people, counts[0], 1)),
            between(rng, family.symptom_cycle, (people, counts[1], 1)),
        ],
        axis=1,
    )
    phase = between(rng, (0, 2 * np.pi), (2, *size.shape))
    turn = np.arange(QUARTERS, dtype=np.float32) * (2 * np.pi / QUARTERS)
    second = between(rng, (0, 0.5), size.shape)
    table: np.ndarray = np.cos(turn + phase[0]) + second * np.cos(2 * turn + phase[1])
    table *= size
    return table
