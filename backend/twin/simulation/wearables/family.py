"""What differs between simulated patients: every range that is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Range = tuple[float, float]
Whole = tuple[int, int]  # both ends are included
MAX_LAG = 72  # hours; links lie at lags from 0 to this


@dataclass(frozen=True, slots=True)
class Family:
    """Ranges of the constants of a patient; `docs/methods/correlation-simulator.md`.

    A range is drawn from per patient or finer; a plain number is a share (of patients
    where nothing else is said). Sizes are in standard deviations of the part of a
    series that may be linked. Taus are correlation times in hours.
    """

    # the shape of a batch
    days: Whole = (21, 120)
    biometrics: Whole = (1, 12)
    symptoms: Whole = (1, 6)
    # links
    link_prior: Range = (0.05, 0.5)
    weight: Range = (0.1, 0.7)
    early_lags: float = 0.25  # of links: lag up to 12 h
    whole_nights: float = 0.5  # of links of daily values: lag of 0 to 3 days
    spread_links: float = 0.25  # of links: the mean of 7 to 23 h
    threshold_links: float = 0.1  # of links: only above a threshold
    regime_links: float = 0.12  # of links: begin, end or weaken in the middle
    reverse: float = 0.15  # one biometric follows one symptom
    # biometrics
    fast_tau: Range = (1.5, 12)
    slow_tau: Range = (12, 96)
    fast_share: Range = (0.2, 0.9)
    daily: float = 0.3  # of biometrics: one value stands for a night or day
    daily_tau: Range = (18, 120)
    daily_pure: float = 0.5  # of daily values: nothing of the hours in them
    once_a_day: float = 0.6  # of daily values: one value, else it stands all day
    coupled: float = 0.7  # biometrics share innovations
    coupling: float = 0.85  # largest loading
    same_pace: float = 0.4  # biometrics share their taus, so couplings show in full
    sensor_noise: Range = (0.1, 0.6)
    spikes: float = 0.25  # of channels: some hours with ten times the noise
    named_units: float = 0.7  # units and shapes of the real measures
    # symptoms
    symptom_tau: Range = (12, 120)
    lasting_share: Range = (0.3, 0.9)  # of the noise's variance; the rest is white
    symptoms_coupled: float = 0.3
    # what moves many series without a link
    biometric_cycle: Range = (0.2, 2.0)
    symptom_cycle: Range = (0.0, 1.2)
    cycle_unrest: Range = (0.0, 0.4)
    weekend: float = 0.35  # size
    weekend_delay: Range = (0.0, 2.0)  # hours
    clock_change: float = 0.25
    trend: float = 0.6  # size from the middle of the window to either end
    drift: float = 0.6  # a slow one that all series share
    drift_tau: Range = (72, 480)
    drift_size: Range = (0.1, 0.5)
    other_drift: float = 0.4  # a second one, of half of the series
    hidden: float = 0.12  # a faster cause of biometrics and symptoms that nobody sees
    hidden_tau: Range = (6, 48)
    hidden_size: Range = (0.2, 0.5)
    event: float = 0.15  # a lasting step of all series, such as a medicine's
    # what the wearable misses
    bursts: float = 0.5  # largest share of hours off the wrist, squared uniform
    charging: float = 0.5
    nights_off: float = 0.12
    channel_gaps: float = 0.4  # of channels
    night_only: float = 0.08  # of channels
    # reports
    reports_a_day: Whole = (1, 6)
    irregular: float = 0.3
    to_the_minute: float = 0.5
    missed: Range = (0.0, 0.5)
    long_gap: float = 0.15
    weekday_off: float = 0.1
    item_left_out: float = 0.1
    # answers
    plain_scale: float = 0.2  # 0 to 10, in the middle, as in most diaries
    repeats: float = 0.15


WIDE = Family()
PLAIN = Family(  # no wider than the published benchmark's coupled world
    days=(30, 90),
    biometrics=(4, 4),
    symptoms=(4, 4),
    link_prior=(0.5, 0.5),
    weight=(0.25, 0.6),
    early_lags=0,
    whole_nights=0,
    spread_links=0,
    threshold_links=0,
    regime_links=0,
    reverse=0,
    fast_tau=(3, 8),
    slow_tau=(18, 60),
    fast_share=(0.55, 0.55),
    daily=0.25,
    daily_tau=(36, 36),
    daily_pure=0,
    once_a_day=0,
    coupled=1,
    coupling=0.75,
    same_pace=1,
    sensor_noise=(0.3, 0.3),
    spikes=0,
    named_units=0,
    symptom_tau=(24, 72),
    lasting_share=(0.7, 0.7),
    symptoms_coupled=0,
    biometric_cycle=(0.7, 1.6),
    symptom_cycle=(0.2, 0.8),
    cycle_unrest=(0, 0),
    weekend=0.3,
    weekend_delay=(0, 0),
    clock_change=0,
    trend=0,
    drift=1,
    drift_tau=(240, 240),
    drift_size=(0.35, 0.35),
    other_drift=0,
    hidden=0,
    event=0,
    bursts=0.45,
    charging=0,
    nights_off=0,
    channel_gaps=0,
    night_only=0,
    reports_a_day=(1, 4),
    irregular=0,
    to_the_minute=0,
    missed=(0.2, 0.2),
    long_gap=0,
    weekday_off=0,
    item_left_out=0,
    plain_scale=1,
    repeats=0,
)


def between(
    rng: np.random.Generator, limits: Range, shape: tuple[int, ...]
) -> np.ndarray:
    """Uniform numbers of 32 bits in a range."""
    low, high = limits
    drawn: np.ndarray = low + (high - low) * rng.random(shape, dtype=np.float32)
    return drawn


def between_logs(
    rng: np.random.Generator, limits: Range, shape: tuple[int, ...]
) -> np.ndarray:
    """Numbers in a range whose logarithms are uniform: for times."""
    low, high = np.log(limits)
    drawn: np.ndarray = np.exp(between(rng, (low, high), shape))
    return drawn


def chance(
    rng: np.random.Generator, share: float, shape: tuple[int, ...]
) -> np.ndarray:
    """True for about `share` of the cells."""
    drawn: np.ndarray = rng.random(shape, dtype=np.float32) < share
    return drawn


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """-1 or 1, alike often."""
    drawn: np.ndarray = np.where(chance(rng, 0.5, shape), np.float32(1), np.float32(-1))
    return drawn
