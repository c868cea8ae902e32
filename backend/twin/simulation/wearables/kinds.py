"""What biometrics are called and in which numbers they come.

Levels and spreads are ours, typical of adults at rest in daily life, and lie within
each measure's plausible range (`tables/measures.toml`), to which values are clipped:
the reader refuses what lies beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.measures import measures
from backend.twin.simulation.wearables.family import (
    Family,
    between_logs,
    chance,
    signs,
)

NO_LIMIT = np.inf


@dataclass(frozen=True, slots=True)
class Kind:
    """A measure: value = level + spread x, or with `log` level exp(spread x) - less.

    x is what the simulator makes, around 0, its linked part with variance 1. Values
    are rounded to `step` and clipped to low..high. `real`: the measure is one of
    `tables/measures.toml`. `night`: a daily value is that of the night, not of the day.
    """

    name: str
    level: float = 0.0
    spread: float = 1.0
    step: float = 0.0
    log: bool = False
    less: float = 0.0
    real: bool = True
    night: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """The plausible range, in the measure's unit."""
        if not self.real:
            return -NO_LIMIT, NO_LIMIT
        return measures()[self.name].low, measures()[self.name].high

    @property
    def unit(self) -> str:
        """UCUM; of an invented measure "1"."""
        return measures()[self.name].unit if self.real else "1"


HOURLY = (
    Kind("heart-rate", 72, 9, 1),
    Kind("hrv-rmssd", 35, 0.35, 0.1, log=True),
    Kind("hrv-sdnn", 50, 0.3, 0.1, log=True),
    Kind("steps", 250, 0.9, 1, log=True, less=120),
    Kind("respiratory-rate", 15, 1.2, 0.1),
    Kind("spo2", 96.5, 1.1, 1),
    Kind("skin-temperature", 33.5, 0.7, 0.1),
    *(Kind(f"signal-{letter}", real=False) for letter in "abcde"),
)
DAILY = (
    Kind("sleep-duration", 420, 55, 1, night=True),
    Kind("sleep-deep", 75, 20, 1, night=True),
    Kind("sleep-light", 240, 40, 1, night=True),
    Kind("sleep-rem", 95, 22, 1, night=True),
    Kind("resting-heart-rate", 62, 4, 1),
    Kind("steps-daily", 6500, 0.45, 1, log=True),
    Kind("active-minutes", 45, 0.8, 1, log=True, less=15),
    *(Kind(f"night-{letter}", real=False, night=True) for letter in "abc"),
    *(Kind(f"day-{letter}", real=False) for letter in "ab"),
)
KINDS = HOURLY + DAILY
OF_NIGHT = np.array([kind.night for kind in KINDS])


def draw_kinds(rng: np.random.Generator, daily: np.ndarray) -> np.ndarray:
    """[patient, biometric] index into `KINDS`, each kind once a patient at most."""
    people, count = daily.shape
    hourly = rng.random((people, len(HOURLY))).argsort(1)[:, :count]
    days = rng.random((people, len(DAILY))).argsort(1)[:, :count]
    return np.where(daily, len(HOURLY) + days, hourly)


def in_units(
    rng: np.random.Generator, family: Family, shown: np.ndarray, kinds: np.ndarray
) -> np.ndarray:
    """[patient, biometric, hour] as the wearable writes it, in place.

    Without named units, and for invented measures: any affine scale, not rounded.
    """
    named = chance(rng, family.named_units, (len(kinds), 1))
    real = np.array([kind.real for kind in KINDS])[kinds] & named
    scale = between_logs(rng, (1e-2, 1e3), kinds.shape)
    offset = (
        scale * signs(rng, kinds.shape) * between_logs(rng, (1e-2, 30), kinds.shape)
    )
    for number, kind in enumerate(KINDS):
        rows = np.nonzero(real & (kinds == number))
        shown[rows] = _written(kind, shown[rows])
    free = ~real
    shown[free] = offset[free, None] + scale[free, None] * shown[free]
    return shown


def _written(kind: Kind, shown: np.ndarray) -> np.ndarray:
    if kind.log:
        value = kind.level * np.exp(kind.spread * shown.clip(-8, 8)) - kind.less
    else:
        value = kind.level + kind.spread * shown
    low, high = kind.limits
    written: np.ndarray = (np.rint(value / kind.step) * kind.step).clip(low, high)
    return written
