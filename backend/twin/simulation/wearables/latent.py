"""What may be linked: the parts of biometrics and symptoms without daily cycles.

All have variance 1 before cycle, weekend and drift. A biometric's part is a fast and a
slow memory; a daily measure's stands from the waking of one day to the next. A
symptom's is what its links make of biometrics plus noise with a memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backend.twin.simulation.wearables.clock import Clock
from backend.twin.simulation.wearables.family import (
    Family,
    Range,
    between,
    between_logs,
    chance,
    signs,
)
from backend.twin.simulation.wearables.links import (
    Driven,
    Links,
    drive,
    noise_share,
    smooth,
)
from backend.twin.simulation.wearables.memory import (
    loadings,
    remember,
    standardised,
)

SYMPTOM_COUPLING = 0.95  # largest loading
REVERSE_WEIGHT = (0.2, 0.6)
REVERSE_LAG = (1, 48)  # hours


class Reverse(NamedTuple):
    """Biometrics that follow a symptom, one row each, in order of patient."""

    patient: np.ndarray
    biometric: np.ndarray
    symptom: np.ndarray
    weight: np.ndarray
    lag: np.ndarray  # hours from the symptom to the biometric


def biometric_cores(
    rng: np.random.Generator,
    family: Family,
    clock: Clock,
    *,
    daily: np.ndarray,
    begins: np.ndarray,
) -> np.ndarray:
    """[patient, biometric, hour] of variance 1.

    `daily` [patient, biometric]: one value stands for a day, from the hour `begins`.
    """
    people, count = daily.shape
    hours = clock.local.shape[1]
    shape = (people, count)
    coupled = chance(rng, family.coupled, (people,))
    loading = loadings(rng, coupled, count, family.coupling)
    fast, slow = (
        remember(rng, _paces(rng, family, tau, shape), hours, loading)
        for tau in (family.fast_tau, family.slow_tau)
    )
    share = between(rng, family.fast_share, (*shape, 1))
    core = np.sqrt(share) * fast
    core += np.sqrt(1 - share) * slow
    rows = np.nonzero(daily)
    day = clock.since(rows[0], begins[rows]) // 24
    core[rows] = _days(rng, family, day, core[rows])
    return standardised(core)


def _paces(
    rng: np.random.Generator, family: Family, limits: Range, shape: tuple[int, int]
) -> np.ndarray:
    """[patient, biometric] correlation times, of some patients all the same."""
    tau = between_logs(rng, limits, shape)
    return np.where(chance(rng, family.same_pace, (shape[0], 1)), tau[:, :1], tau)


def _days(
    rng: np.random.Generator, family: Family, day: np.ndarray, core: np.ndarray
) -> np.ndarray:
    """[row, hour]: what stands for a day, alone or with some of the hours' own."""
    tau = between_logs(rng, family.daily_tau, (len(day), 1)) / 24
    each = remember(rng, tau, int(day.max(initial=0)) + 1)[:, 0]
    held = np.take_along_axis(each, day, axis=1)
    own = np.where(chance(rng, family.daily_pure, (len(day), 1)), 1, 0.9)
    mixed: np.ndarray = own * held + np.sqrt(1 - own**2) * core
    return mixed.astype(np.float32)


def symptom_latents(
    rng: np.random.Generator,
    family: Family,
    links: Links,
    cores: np.ndarray,
    *,
    symptoms: int,
) -> Driven:
    """[patient, symptom, hour], and each link's weight as the truth counts it."""
    people, _, hours = cores.shape
    shape = (people, symptoms)
    driven = drive(links, cores, symptoms=symptoms)
    coupled = chance(rng, family.symptoms_coupled, (people,))
    loading = loadings(rng, coupled, symptoms, SYMPTOM_COUPLING)
    tau = between_logs(rng, family.symptom_tau, shape)
    lasting = remember(rng, tau, hours, loading)
    white = rng.standard_normal((*shape, hours), dtype=np.float32)
    share = between(rng, family.lasting_share, (*shape, 1))
    room = noise_share(links, shape)[..., None]
    latent = driven.symptoms
    latent += np.sqrt(room * share) * lasting
    latent += np.sqrt(room * (1 - share)) * white
    return driven


def draw_reverse(
    rng: np.random.Generator, family: Family, shape: tuple[int, int, int]
) -> Reverse:
    """Which biometrics follow a symptom; `shape` is patients, biometrics, symptoms."""
    people, biometrics, symptoms = shape
    patient = np.flatnonzero(chance(rng, family.reverse, (people,)))
    count = (len(patient),)
    low, high = REVERSE_LAG
    return Reverse(
        patient,
        biometric=rng.integers(0, biometrics, count),
        symptom=rng.integers(0, symptoms, count),
        weight=between(rng, REVERSE_WEIGHT, count) * signs(rng, count),
        lag=rng.integers(low, high + 1, count),
    )


def follow(
    reverse: Reverse,
    cores: np.ndarray,
    latents: np.ndarray,
    standing: np.ndarray,
) -> None:
    """Let biometrics of `cores` follow symptoms, in place.

    Such a biometric has no links of its own. What stands for a day takes the symptom
    of before it began: `standing` [row of reverse, hour] hours ago, 0 if hourly.
    """
    hours = cores.shape[2]
    past = smooth(latents[reverse.patient, reverse.symptom])
    when = (np.arange(hours) - standing - reverse.lag[:, None]) % hours
    past = np.take_along_axis(past, when, axis=1)
    weight = reverse.weight[:, None]
    own = cores[reverse.patient, reverse.biometric]
    mixed = np.sqrt(1 - weight**2) * own + weight * past
    cores[reverse.patient, reverse.biometric] = mixed
