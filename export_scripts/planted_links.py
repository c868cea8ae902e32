"""Symptom reports made from real wearables, so that their links are known.

The semi-real counterpart of a simulator: the biometric windows are real people's, the
reports are driven by them, in the manner of the benchmark: half of the pairs linked
with |r| of .25 to .6 at 0 to 72 hours, noise with memory, a daily course, weekends, a
fifth of the reports missed, whole numbers from 0 to 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from backend.twin.simulation.wearables.memory import remember, standardised
from export_scripts.evaluate_correlation_bench import Bench

SYMPTOMS = ("anxiety", "low_mood", "fatigue", "irritability")
STRENGTH = (0.25, 0.6)
NIGHTLY = {"sleep_minutes", "hrv_rmssd_ms"}  # stand from waking at 7 on
LEAST = 0.6  # of the hours, and of the days, that have a value
HISTORY = 72  # hours
REPORT_HOURS = {1: (20,), 4: (9, 13, 17, 21)}
LIFESNAPS = ("steps_hourly", "hrv_rmssd_ms", "resting_heart_rate_bpm", "sleep_minutes")
PMDATA = ("sleep_minutes", "resting_heart_rate_bpm", "very_active_minutes")
SETS = (  # data, biometrics; a person is taken from the first that fits
    ("lifesnaps", LIFESNAPS),
    ("pmdata", ("steps_hourly", *PMDATA)),
    ("pmdata", (*PMDATA, "sedentary_minutes")),
)
HOUR, DAY = np.timedelta64(3600, "s"), np.timedelta64(86400, "s")

Columns = tuple[np.ndarray, np.ndarray]


class Window(NamedTuple):
    """One person's biometrics between two local moments, `HISTORY` hours included."""

    person: str
    biometrics: Mapping[str, Columns]
    begin: np.datetime64
    hours: int


class Planted(NamedTuple):
    """A patient of the benchmark's form; `weight` [biometric, symptom], 0 unlinked."""

    patient: Any
    weight: np.ndarray
    lag: np.ndarray


def windows(found: Bench, days: int) -> Iterator[Window]:
    """Windows that do not overlap, with enough values of every biometric."""
    seen: set[str] = set()
    for name, kinds in SETS:
        plan = found.placebo.PLANS["lifesnaps"]._replace(
            biometrics=list(kinds), required=list(kinds)
        )
        people = found.placebo.load_biometrics(found.data / f"{name}.csv", plan)
        for person, series in people.items():
            label = f"{name} {person}"
            if label not in seen:
                seen.add(label)
                yield from _of(label, series, days)


def _of(label: str, series: Mapping[str, Columns], days: int) -> Iterator[Window]:
    stamps = np.concatenate([times for times, _ in series.values()])
    begin = stamps.min().astype("datetime64[D]").astype("datetime64[s]")
    hours = HISTORY + 24 * days
    while begin + hours * HOUR <= stamps.max() + DAY:
        cut = {
            kind: (times[inside], values[inside])
            for kind, (times, values) in series.items()
            for inside in [(times >= begin) & (times < begin + hours * HOUR)]
        }
        full = {kind: hours if is_hourly(kind) else hours / 24 for kind in cut}
        if all(len(times) >= LEAST * full[kind] for kind, (times, _) in cut.items()):
            yield Window(label, cut, begin, hours)
            begin = begin + 24 * days * HOUR
        else:
            begin = begin + DAY


def simulated_like(rng: np.random.Generator, window: Window, simulator: Any) -> Window:
    """The window with the benchmark's coupled signals in place of the person's.

    The same kinds at the same moments: what is compared is only whether the signals
    are real. A day's value is the mean of its hours, a night's that of its night.
    """
    days = window.hours // 24 - HISTORY // 24
    made, _ = simulator.simulate(rng, days, wear_missing=0.0)
    shown = {name: values for name, (_, values) in made.biometrics.items()}
    stand_in = dict(zip(window.biometrics, _order(window, shown), strict=True))
    biometrics = {}
    for kind, (times, _) in window.biometrics.items():
        row = shown[stand_in[kind]]
        if not is_hourly(kind):
            hours = row.reshape(-1, 24)
            hours = hours[:, :7] if kind in NIGHTLY else hours
            row = np.repeat(hours.mean(1), 24)
        biometrics[kind] = times, row[((times - window.begin) // HOUR).astype(int)]
    return window._replace(biometrics=biometrics)


def _order(window: Window, shown: Mapping[str, np.ndarray]) -> list[str]:
    """Which simulated signal stands in for each: sleep for sleep, others in order."""
    sleep = [kind for kind in window.biometrics if kind.startswith("sleep")][:1]
    rest = iter([name for name in shown if not name.startswith("sleep")])
    night = next(name for name in shown if name.startswith("sleep"))
    return [night if kind in sleep else next(rest) for kind in window.biometrics]


def is_hourly(kind: str) -> bool:
    """Whether a biometric's name says that it has a value an hour."""
    return kind.endswith("_hourly")


def core(rng: np.random.Generator, kind: str, window: Window) -> np.ndarray:
    """The biometric at every hour, without its daily course, smoothed over 3 hours.

    What was not measured is taken from another day at the same hour: nobody knows it,
    and neither does who looks for the link.
    """
    times, values = window.biometrics[kind]
    at = ((times - window.begin) // HOUR).astype(int)
    known = np.full(window.hours, np.nan)
    known[at] = values
    by_day = known.reshape(-1, 24)
    if not is_hourly(kind):
        held = np.nanmax(np.where(np.isnan(by_day), -np.inf, by_day), axis=1)
        by_day = np.where(np.isfinite(held), held, np.nan)[:, None].repeat(24, 1)
    _fill(rng, by_day)
    row = (by_day - by_day.mean(0)).ravel()
    if kind in NIGHTLY:
        row = np.concatenate([np.repeat(row[0], 7), row[:-7]])
    return standardised(np.convolve(standardised(row), np.ones(3) / 3, "same"))


def _fill(rng: np.random.Generator, by_day: np.ndarray) -> None:
    for hour in by_day.T:
        known = hour[~np.isnan(hour)]
        if len(known):
            hour[np.isnan(hour)] = rng.choice(known, int(np.isnan(hour).sum()))
    by_day[np.isnan(by_day)] = np.nanmean(by_day)  # hours never worn


def plant(
    rng: np.random.Generator,
    window: Window,
    per_day: int,
    make: Callable[..., Any],
    *,
    strength: tuple[float, float] = STRENGTH,
    whole_days: bool = False,
) -> Planted:
    """Symptoms driven by the window's biometrics; `make` builds the patient.

    `whole_days`: lags of daily values are days, the nearest to those drawn in hours.
    """
    names = list(window.biometrics)
    cores = np.stack([core(rng, name, window) for name in names])
    weight = np.zeros((len(names), len(SYMPTOMS)))
    lag = np.full(weight.shape, -1)
    at = _reports(rng, window, per_day)
    clock = window.begin + np.arange(window.hours) * HOUR
    symptoms = {}
    for s, symptom in enumerate(SYMPTOMS):
        weight[:, s] = weights(rng, len(names), strength)
        lags = _lags(rng, names, whole_days=whole_days)
        lag[:, s] = np.where(weight[:, s] != 0, lags, -1)
        driven = sum(
            w * row[at - back]
            for w, row, back in zip(weight[:, s], cores, lags, strict=True)
        )
        left = 1 - (weight[:, s] ** 2).sum()
        own = np.sqrt(left) * _own(rng, window.hours)[at]
        felt = driven + own + _course(rng, clock[at])
        symptoms[symptom] = (clock[at], np.clip(np.round(5 + 1.8 * felt), 0, 10))
    begin, first = window.begin, window.begin + HISTORY * HOUR
    worse = dict.fromkeys(SYMPTOMS, "high_is_worse")
    signals, end = dict(window.biometrics), clock[-1] + HOUR
    patient = make(signals, symptoms, worse, begin, first, end)
    return Planted(patient, weight, lag)


def _lags(
    rng: np.random.Generator, names: Sequence[str], *, whole_days: bool
) -> np.ndarray:
    """One lag a biometric, hours."""
    lags = rng.integers(0, HISTORY + 1, len(names))
    if not whole_days:
        return lags
    daily = np.array([not is_hourly(name) for name in names])
    return np.where(daily, (lags + 12) // 24 * 24, lags)


def weights(
    rng: np.random.Generator, count: int, strength: tuple[float, float]
) -> np.ndarray:
    """Half of them not zero, drawn anew until a fifth of the variance is left."""
    while True:
        linked = rng.random(count) < 0.5
        drawn = linked * rng.uniform(*strength, count) * rng.choice([-1, 1], count)
        if (drawn**2).sum() < 0.8:
            return np.asarray(drawn)


def _own(rng: np.random.Generator, hours: int) -> np.ndarray:
    """What a symptom does by itself: memory of 24 to 72 hours, and none."""
    tau = rng.uniform(24, 72, (1, 1))
    slow = remember(rng, tau, hours)[0, 0]
    return np.asarray(np.sqrt(0.7) * slow + np.sqrt(0.3) * rng.standard_normal(hours))


def _course(rng: np.random.Generator, when: np.ndarray) -> np.ndarray:
    """A daily course and weekends."""
    hour = (when - when.astype("datetime64[D]")) / HOUR
    # Day 0 was a Thursday.
    weekend = (when.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    phase = 2 * np.pi * (hour - rng.uniform(0, 24)) / 24
    return np.asarray(
        rng.uniform(0.2, 0.8) * np.cos(phase) + rng.normal(0, 0.3) * weekend
    )


def _reports(rng: np.random.Generator, window: Window, per_day: int) -> np.ndarray:
    """Hours of the reports: a fifth missed, the others up to an hour off."""
    days = np.arange(HISTORY // 24, window.hours // 24)[:, None] * 24
    due = (days + np.array(REPORT_HOURS[per_day])).ravel()
    made = due + rng.integers(-1, 2, len(due))
    return np.unique(made[rng.random(len(due)) > 0.2])
