"""Batches of simulated patients: wearables, reports, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backend.twin.simulation.wearables.background import background
from backend.twin.simulation.wearables.clock import Clock, draw_clock
from backend.twin.simulation.wearables.family import Family, chance
from backend.twin.simulation.wearables.kinds import OF_NIGHT, draw_kinds, in_units
from backend.twin.simulation.wearables.latent import (
    Reverse,
    biometric_cores,
    draw_reverse,
    follow,
    symptom_latents,
)
from backend.twin.simulation.wearables.links import Links, draw_links
from backend.twin.simulation.wearables.reports import answers, report_times
from backend.twin.simulation.wearables.wear import measured, sensor_noise, worn


@dataclass(frozen=True, slots=True)
class Truth:
    """Which pairs are linked: arrays [patient, biometric, symptom], NaN: not linked.

    `weight` of the biometric's non-circadian part (its 3 hours' mean, variance 1,
    without sensor noise) `lag` hours before, in the symptom of variance 1 before
    cycle, weekend and drift. A spread or threshold link's is what a 3 hours' mean at
    its middle has of it; of one that begins, ends or weakens, the mean over the
    reports' window. `width` hours of the mean that acts. `reverse_weight` and
    `reverse_lag` (hours, below 0): the biometric follows the symptom. `prior`
    [patient]: the share of pairs that were to be linked.
    """

    weight: np.ndarray
    lag: np.ndarray
    width: np.ndarray
    reverse_weight: np.ndarray
    reverse_lag: np.ndarray
    prior: np.ndarray


@dataclass(frozen=True, slots=True)
class WearableBatch:
    """Patients of one shape, as arrays.

    `start` [patient] datetime64[s]: first local hour of the wearable; reports may lie
    from 72 hours later until the end. `values` [patient, biometric, local hour] in the
    kind's unit, NaN: nothing measured. `kinds` [patient, biometric] index into
    `kinds.KINDS`. `daily` [patient, biometric]: a value stands for a night or day, so
    that a lag has no hour; `nightly`: one value a night is all there is.
    `times` [patient, report] hours since `start`, ascending, NaN: no report. `answers`
    [patient, symptom, report]. `worse_when` [patient, symptom]: 1 high, -1 low, 0 not
    known; values are as ticked, and the truth is about them.
    """

    start: np.ndarray
    values: np.ndarray
    kinds: np.ndarray
    daily: np.ndarray
    nightly: np.ndarray
    times: np.ndarray
    answers: np.ndarray
    worse_when: np.ndarray
    truth: Truth


class _Design(NamedTuple):
    """Arrays [patient, biometric]; `begins` is the hour from which a value stands."""

    kinds: np.ndarray
    daily: np.ndarray
    once: np.ndarray
    begins: np.ndarray


class _Latent(NamedTuple):
    """Before anybody looks: [patient, series, physical hour]."""

    biometrics: np.ndarray
    symptoms: np.ndarray
    truth: Truth


def draw_shape(rng: np.random.Generator, family: Family) -> tuple[int, int, int]:
    """Days, biometrics and symptoms of a batch."""
    ranges = (family.days, family.biometrics, family.symptoms)
    days, biometrics, symptoms = (int(rng.integers(a, b + 1)) for a, b in ranges)
    return days, biometrics, symptoms


def simulate_wearables(
    rng: np.random.Generator,
    family: Family,
    *,
    people: int,
    shape: tuple[int, int, int],
) -> WearableBatch:
    """`people` patients of one `shape`: days, biometrics, symptoms."""
    days, biometrics, symptoms = shape
    clock = draw_clock(rng, family, people=people, days=days)
    design = _design(rng, family, clock, biometrics)
    latent = _latent(rng, family, clock, design, symptoms=symptoms)
    moved = background(rng, family, clock, (biometrics, symptoms))
    shown = latent.biometrics + moved[:, :biometrics]
    shown += sensor_noise(rng, family, latent.biometrics.shape)
    felt = clock.seen(latent.symptoms + moved[:, biometrics:])
    values = _measured(rng, family, clock, design=design, shown=clock.seen(shown))
    times = report_times(rng, family, clock)
    return WearableBatch(
        start=clock.start.astype("datetime64[s]"),
        values=in_units(rng, family, values, design.kinds),
        kinds=design.kinds,
        daily=design.daily,
        nightly=design.once & OF_NIGHT[design.kinds],
        times=times,
        answers=answers(rng, family, felt, times),
        worse_when=rng.choice([1, -1, 0], (people, symptoms), p=[0.6, 0.3, 0.1]),
        truth=latent.truth,
    )


def _design(
    rng: np.random.Generator, family: Family, clock: Clock, biometrics: int
) -> _Design:
    shape = (len(clock.start), biometrics)
    daily = chance(rng, family.daily, shape)
    kinds = draw_kinds(rng, daily)
    return _Design(
        kinds=kinds,
        daily=daily,
        once=daily & chance(rng, family.once_a_day, shape),
        begins=np.where(OF_NIGHT[kinds], clock.wakes[:, None], 0),
    )


def _latent(
    rng: np.random.Generator,
    family: Family,
    clock: Clock,
    design: _Design,
    *,
    symptoms: int,
) -> _Latent:
    daily, begins = design.daily, design.begins
    shape = (*daily.shape, symptoms)
    reverse = draw_reverse(rng, family, shape)
    who = (reverse.patient, reverse.biometric)
    free = np.ones(daily.shape, bool)
    free[who] = False
    cores = biometric_cores(rng, family, clock, daily=daily, begins=begins)
    links, prior = draw_links(rng, family, free, daily, symptoms=symptoms)
    driven = symptom_latents(rng, family, links, cores, symptoms=symptoms)
    standing = daily[who][:, None] * (clock.since(who[0], begins[who]) % 24)
    follow(reverse, cores, driven.symptoms, standing)
    truth = _truth(shape, links._replace(weight=driven.weight), reverse, prior)
    return _Latent(cores, driven.symptoms, truth)


def _truth(
    shape: tuple[int, int, int], links: Links, reverse: Reverse, prior: np.ndarray
) -> Truth:
    weight, lag, width, reverse_weight, reverse_lag = np.full(
        (5, *shape), np.nan, np.float32
    )
    linked = (links.patient, links.biometric, links.symptom)
    weight[linked], lag[linked], width[linked] = links.weight, links.lag, links.width
    followed = (reverse.patient, reverse.biometric, reverse.symptom)
    reverse_weight[followed], reverse_lag[followed] = reverse.weight, -reverse.lag
    return Truth(weight, lag, width, reverse_weight, reverse_lag, prior)


def _measured(
    rng: np.random.Generator,
    family: Family,
    clock: Clock,
    *,
    design: _Design,
    shown: np.ndarray,
) -> np.ndarray:
    """What is left of `shown` [patient, biometric, local hour], in place.

    What comes once a day stands alone at the hour where its day begins, a night's value
    in half of them at the midnight before; it is there if the wearable was worn in the
    hour before the day began.
    """
    on = worn(rng, family, clock)
    there = measured(rng, family, shown, on)
    patient, biometric = np.nonzero(design.once)
    begins = design.begins[patient, biometric][:, None]
    stamp = begins * chance(rng, 0.5, (len(patient), 1))
    hour = np.arange(clock.hours)
    source = np.minimum(hour - stamp + begins, clock.hours - 1)
    value = np.take_along_axis(shown[patient, biometric], source, 1)
    worn_then = np.take_along_axis(on[patient], (source - 1).clip(0), 1)
    shown[patient, biometric] = value
    there[patient, biometric] = (hour % 24 == stamp) & worn_then
    shown[~there] = np.nan
    return shown
