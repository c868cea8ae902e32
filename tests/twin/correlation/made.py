"""Windows made for the correlation engine's tests, links known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)

START = np.datetime64("2026-01-05T00:00:00", "s")
HOUR = np.timedelta64(3600, "s")
HISTORY = 72  # hours before the first report


@dataclass(frozen=True)
class World:
    """One biometric, which leads one symptom by `lag` hours with weight `r`."""

    days: int = 40
    per_day: int = 4
    r: float = 0.7
    lag: int = 20
    seed: int = 1


def course(rng: np.random.Generator, hours: int, tau: float) -> np.ndarray:
    """Ornstein-Uhlenbeck of unit variance, hourly."""
    fall = np.exp(-1 / tau)
    noise = rng.standard_normal(hours + 500) * np.sqrt(1 - fall**2)
    return np.asarray(lfilter([1], [1, -fall], noise)[500:])


def clock(hours: int) -> np.ndarray:
    return START + np.arange(hours) * HOUR


def window(world: World = World()) -> CorrelationWindow:
    """The world as a window: "pulse" and "worry", worry also with its daily course."""
    rng = np.random.default_rng(world.seed)
    hours = HISTORY + 24 * world.days
    signal, own = course(rng, hours + 48, 8.0), course(rng, hours, 36.0)
    at = reports(rng, world)
    driven = signal[at + 24 - world.lag]
    worry = world.r * driven + np.sqrt(1 - world.r**2) * own[at]
    worry = worry + 0.5 * np.cos(2 * np.pi * at / 24)
    shown = signal[24:][:hours] + 0.3 * rng.standard_normal(hours)
    pulse = 60 + 8 * (shown + np.cos(2 * np.pi * np.arange(hours) / 24))
    worn = rng.random(hours) > 0.1
    return CorrelationWindow(
        (BiometricStream("pulse", clock(hours)[worn], pulse[worn], unit="/min"),),
        (SymptomStream("worry", clock(hours)[at], np.round(5 + 1.8 * worry), "high"),),
        START,
        START + HISTORY * HOUR,
        START + hours * HOUR,
    )


def reports(rng: np.random.Generator, world: World) -> np.ndarray:
    """Hours of the reports, a tenth of them missed."""
    days = HISTORY + 24 * np.arange(world.days)[:, None]
    all_ = (days + np.linspace(9, 21, world.per_day).astype(int)).ravel()
    return np.asarray(all_[rng.random(len(all_)) > 0.1])


def noise_stream(name: str, seed: int, like: BiometricStream) -> BiometricStream:
    """A biometric of its own, at the same hours."""
    rng = np.random.default_rng(seed)
    return BiometricStream(name, like.times, course(rng, len(like.times), 8.0))


def with_biometrics(
    made: CorrelationWindow, *streams: BiometricStream
) -> CorrelationWindow:
    return replace(made, biometrics=streams)


def with_symptoms(
    made: CorrelationWindow, *streams: SymptomStream
) -> CorrelationWindow:
    return replace(made, symptoms=streams)
