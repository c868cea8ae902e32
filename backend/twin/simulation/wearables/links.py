"""Links: which biometric moves which symptom, how much, how late and through what.

A link adds `weight` times the standardised past of a biometric to a symptom whose
noise leaves room for it, so that the symptom has variance 1. The past is the mean of 3
hours around `lag` hours ago; a spread link has a wider mean, a threshold link only what
lies above a threshold of the 3 hours' mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backend.twin.simulation.wearables.clock import LEAD
from backend.twin.simulation.wearables.family import (
    MAX_LAG,
    Family,
    between,
    chance,
    signs,
)
from backend.twin.simulation.wearables.memory import standardised

EXPLAINED = 0.8  # all links of a symptom explain less than this share of its variance
REDRAWS = 12
NARROW = 3  # hours


class Links(NamedTuple):
    """One row per link, in order of patient, symptom, biometric."""

    patient: np.ndarray
    symptom: np.ndarray
    biometric: np.ndarray
    weight: np.ndarray
    lag: np.ndarray  # hours from the biometric to the symptom
    width: np.ndarray  # hours, odd
    threshold: np.ndarray  # NaN: linear
    change: np.ndarray  # share of the window after which `after` holds
    before: np.ndarray  # how much of the link there is until then
    after: np.ndarray


class Driven(NamedTuple):
    """What links make of symptoms, and how strong each is as a 3 hours' mean."""

    symptoms: np.ndarray  # [patient, symptom, hour]
    weight: np.ndarray  # [link]


def draw_links(
    rng: np.random.Generator,
    family: Family,
    free: np.ndarray,
    daily: np.ndarray,
    *,
    symptoms: int,
) -> tuple[Links, np.ndarray]:
    """Links of a batch and the prior [patient] they were drawn with.

    `free` and `daily` [patient, biometric]: who may have links, and whose values stand
    for a day.
    """
    people, biometrics = free.shape
    shape = (people, symptoms, biometrics)
    prior = between(rng, family.link_prior, (people, 1, 1))
    weight = _weights(rng, family, prior * free[:, None], shape)
    rows = np.nonzero(weight)
    count = (len(rows[0]),)
    threshold = np.where(
        chance(rng, family.threshold_links, count), between(rng, (0, 1), count), np.nan
    )
    spread = chance(rng, family.spread_links, count) & np.isnan(threshold)
    weak = between(rng, (0, 0.6), count)
    regime = chance(rng, family.regime_links, count)
    first = chance(rng, 0.5, count)
    links = Links(
        patient=rows[0],
        symptom=rows[1],
        biometric=rows[2],
        weight=weight[rows],
        lag=_lags(rng, family, daily[rows[0], rows[2]]),
        width=np.where(spread, 2 * rng.integers(3, 12, count) + 1, NARROW),
        threshold=threshold,
        change=between(rng, (0.3, 0.7), count),
        before=np.where(regime & first, weak, 1).astype(np.float32),
        after=np.where(regime & ~first, weak, 1).astype(np.float32),
    )
    return links, prior[:, 0, 0]


def noise_share(links: Links, shape: tuple[int, int]) -> np.ndarray:
    """[patient, symptom]: the share of a symptom's variance that no link explains."""
    explained = np.zeros(shape, np.float32)
    np.add.at(explained, (links.patient, links.symptom), links.weight**2)
    share: np.ndarray = 1 - explained
    return share


def drive(links: Links, cores: np.ndarray, *, symptoms: int) -> Driven:
    """What the links add to symptoms, from `cores` [patient, biometric, hour]."""
    people, _, hours = cores.shape
    driven = np.zeros((people * symptoms, hours), np.float32)
    if not len(links.weight):
        return Driven(driven.reshape(people, symptoms, hours), links.weight)
    narrow = smooth(cores)[links.patient, links.biometric]
    past = _past(links, cores, narrow)
    same = np.einsum("lt,lt->l", past, narrow) / hours
    gain, mean_gain = _gain(links, hours)
    when = (np.arange(hours) - links.lag[:, None]) % hours
    past = np.take_along_axis(past, when, axis=1)
    past *= links.weight[:, None] * gain
    row = links.patient * symptoms + links.symptom
    first = np.flatnonzero(np.diff(row, prepend=-1))
    driven[row[first]] = np.add.reduceat(past, first, axis=0)
    weight = links.weight * same * mean_gain
    return Driven(driven.reshape(people, symptoms, hours), weight)


def smooth(series: np.ndarray) -> np.ndarray:
    """The standardised mean of the hour before, the hour and the hour after."""
    around = series + np.roll(series, 1, axis=-1) + np.roll(series, -1, axis=-1)
    return standardised(around)


def _past(links: Links, cores: np.ndarray, narrow: np.ndarray) -> np.ndarray:
    """[link, hour], standardised: what each link takes of its biometric, unshifted."""
    past = narrow.copy()
    wide = np.flatnonzero(links.width > NARROW)
    if len(wide):
        series = cores[links.patient[wide], links.biometric[wide]]
        past[wide] = standardised(_means(series, links.width[wide, None]))
    bent = np.flatnonzero(np.isfinite(links.threshold))
    above = narrow[bent] - links.threshold[bent, None].astype(np.float32)
    past[bent] = standardised(above.clip(0))
    return past


def _means(series: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Centred means of `width` [row, 1] hours; shorter at the ends."""
    hours = series.shape[1]
    total = np.zeros((len(series), hours + 1))
    np.cumsum(series, axis=1, out=total[:, 1:])
    until = np.minimum(np.arange(hours) + width // 2 + 1, hours)
    since = np.maximum(np.arange(hours) - width // 2, 0)
    sums = np.take_along_axis(total, until, 1) - np.take_along_axis(total, since, 1)
    means: np.ndarray = (sums / (until - since)).astype(np.float32)
    return means


def _gain(links: Links, hours: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of each link there is: [link, hour], and its mean over the reports."""
    begins = LEAD + MAX_LAG
    change = begins + links.change * (hours - begins)
    later = np.arange(hours, dtype=np.float32) >= change[:, None]
    gain = np.where(later, links.after[:, None], links.before[:, None])
    return gain, gain[:, begins:].mean(1)


def _weights(
    rng: np.random.Generator,
    family: Family,
    prior: np.ndarray,
    shape: tuple[int, int, int],
) -> np.ndarray:
    """[patient, symptom, biometric], 0 where no link is.

    All weights of a symptom are drawn again while they explain too much; if they still
    do after `REDRAWS`, links are taken away in a random order.
    """
    weight = np.zeros(shape, np.float32)
    over = np.ones(shape[:2], bool)
    for _ in range(REDRAWS):
        size = between(rng, family.weight, shape) * signs(rng, shape)
        drawn = np.where(rng.random(shape) < prior, size, np.float32(0))
        weight[over] = drawn[over]
        over = (weight**2).sum(-1) >= EXPLAINED
    order = rng.random(shape).argsort(-1)
    shuffled = np.take_along_axis(weight, order, -1)
    kept = np.where((shuffled**2).cumsum(-1) < EXPLAINED, shuffled, 0)
    np.put_along_axis(weight, order, kept, -1)
    return weight


def _lags(rng: np.random.Generator, family: Family, daily: np.ndarray) -> np.ndarray:
    """Hours, 0 to `MAX_LAG`: any; early more often; whole nights of daily values."""
    count = daily.shape
    lag = rng.integers(0, MAX_LAG + 1, count)
    early = rng.integers(0, 13, count)
    lag = np.where(chance(rng, family.early_lags, count), early, lag)
    nights = 24 * rng.integers(0, MAX_LAG // 24 + 1, count)
    whole = daily & chance(rng, family.whole_nights, count)
    return np.where(whole, nights, lag)
