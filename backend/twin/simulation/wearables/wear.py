"""What the wearable adds and misses: noise; off the wrist, charging, single hours."""

from __future__ import annotations

import numpy as np

from backend.twin.simulation.wearables.clock import Clock
from backend.twin.simulation.wearables.family import Family, between, chance

BURST_HOURS = np.array([1, 2, 4, 10, 30, 72])
BURST_SHARES = np.array([0.2, 0.4, 0.22, 0.12, 0.05, 0.01])
SPIKE = 10  # times the noise
NIGHT = (23, 7)  # hours of the local clock


def worn(rng: np.random.Generator, family: Family, clock: Clock) -> np.ndarray:
    """[patient, local hour] true where the wearable is on the wrist."""
    people = len(clock.start)
    off = _bursts(rng, family, people, clock.hours)
    off |= _charging(rng, family, people, clock.hours)
    hour = np.arange(clock.hours) % 24
    taken_off = chance(rng, family.nights_off, (people, 1))
    usual = between(rng, (0.5, 1), (people, 1))
    night = (np.arange(clock.hours) + 24 - NIGHT[0]) // 24
    off_tonight = taken_off & (rng.random((people, night[-1] + 1)) < usual)
    off |= off_tonight[:, night] & _at_night(hour)
    return ~off


def measured(
    rng: np.random.Generator, family: Family, shown: np.ndarray, on: np.ndarray
) -> np.ndarray:
    """[patient, biometric, local hour] true where a channel has a value.

    Some channels lose single hours, more of them where their value is high (movement
    spoils a measurement); some measure at night only.
    """
    shape = (*shown.shape[:2], 1)
    loses = chance(rng, family.channel_gaps, shape)
    share = loses * between(rng, (0.02, 0.4), shape)
    leaning = between(rng, (-0.3, 0.6), shape)
    lost = rng.random(shown.shape, dtype=np.float32) < share * (1 + leaning * shown)
    only = chance(rng, family.night_only, shape)
    hour = np.arange(shown.shape[2]) % 24
    values: np.ndarray = on[:, None] & ~lost & ~(only & ~_at_night(hour))
    return values


def sensor_noise(
    rng: np.random.Generator, family: Family, shape: tuple[int, int, int]
) -> np.ndarray:
    """[patient, biometric, hour]; of some channels with up to 3 % of spikes."""
    size = between(rng, family.sensor_noise, (*shape[:2], 1))
    often = between(rng, (0, 0.03), (*shape[:2], 1))
    often = often * chance(rng, family.spikes, (*shape[:2], 1))
    spike = rng.random(shape, dtype=np.float32) < often
    noise: np.ndarray = size * rng.standard_normal(shape, dtype=np.float32)
    noise[spike] *= SPIKE
    return noise


def _at_night(hour: np.ndarray) -> np.ndarray:
    at_night: np.ndarray = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    return at_night


def _bursts(
    rng: np.random.Generator, family: Family, people: int, hours: int
) -> np.ndarray:
    """[patient, hour] true in bursts that begin at any hour and may overlap.

    Where bursts of mean length m begin at a rate of q an hour, a share of exp(-q m) of
    the hours lies outside all of them; the rate is what the drawn share needs.
    """
    share = family.bursts * rng.random(people) ** 2
    mean = float(BURST_SHARES @ BURST_HOURS)
    longest = int(BURST_HOURS[-1])
    span = hours + longest
    count = rng.poisson(-np.log1p(-share) / mean * span)
    patient = np.repeat(np.arange(people), count)
    begins = rng.integers(0, span, len(patient))
    ends = begins + rng.choice(BURST_HOURS, len(patient), p=BURST_SHARES)
    edges = np.zeros((people, span + longest + 1), np.int32)
    np.add.at(edges, (patient, begins), 1)
    np.add.at(edges, (patient, ends), -1)
    inside: np.ndarray = edges.cumsum(1)[:, longest : longest + hours] > 0
    return inside


def _charging(
    rng: np.random.Generator, family: Family, people: int, hours: int
) -> np.ndarray:
    """[patient, hour] true for an hour or two of some days, at one time of day."""
    own = rng.integers(0, 24, (people, 1))
    lasts = rng.integers(1, 3, (people, 1))
    often = between(rng, (0.2, 1), (people, 1))
    often = often * chance(rng, family.charging, (people, 1))
    since = np.arange(hours) - own + 24
    does = rng.random((people, hours // 24 + 2)) < often
    charges: np.ndarray = np.take_along_axis(does, since // 24, axis=1)
    return charges & (since % 24 < lasts)
