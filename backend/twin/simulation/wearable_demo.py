"""Two simulated people with a wearable: one of them has a link, the other has none.

Both rate their anxiety four times a day. They are simulated in chapters of five years
from a fixed first day; a call cuts out the days asked for. So a value belongs to its
hour, and tomorrow only adds a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TypeVar

import numpy as np

from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)
from backend.twin.person import Person
from backend.twin.record import PatientRecord
from backend.twin.scales import scale
from backend.twin.simulation.wearables.as_record import as_record
from backend.twin.simulation.wearables.background import background
from backend.twin.simulation.wearables.batch import Truth, WearableBatch
from backend.twin.simulation.wearables.clock import LEAD, NEVER, Clock
from backend.twin.simulation.wearables.family import MAX_LAG, PLAIN
from backend.twin.simulation.wearables.kinds import KINDS, in_units
from backend.twin.simulation.wearables.latent import biometric_cores, symptom_latents
from backend.twin.simulation.wearables.links import NARROW, Links
from backend.twin.simulation.wearables.reports import answers, report_times
from backend.twin.simulation.wearables.wear import measured, sensor_noise, worn
from backend.twin.simulation.wearables.windows import window_of

Reported = TypeVar("Reported", BiometricStream, SymptomStream)

FIRST_DAY = date(2023, 9, 1)
CHAPTER_DAYS = 1826
CHAPTERS = 5
DAYS = 94  # 90 with reports, three of the wearable before them; today is not over
SEED = 20_230_901
EAST_MINUTES = 60  # of UTC, all year: the clock of Lagos and Tunis
BORN = date(1991, 7, 9)
LABELS = ("patient-6", "patient-7")  # after those who have diaries alone
LINKED_ROW = 0

SIGNALS = ("heart-rate", "hrv-rmssd", "steps", "sleep-duration")
NIGHTLY = np.array([False, False, False, True])
SYMPTOM = "anxiety"
LINKED_SIGNAL = SIGNALS.index("hrv-rmssd")
WEIGHT = -0.55  # standard deviations of the symptom for one of the signal
LAG_HOURS = 6

FAMILY = replace(
    PLAIN,
    coupling=0.4,
    sensor_noise=(0.2, 0.2),
    named_units=1,
    reports_a_day=(4, 4),
    missed=(0.1, 0.1),
)


def wearable_records(today: date, days: int = DAYS) -> dict[str, PatientRecord]:
    """The records of both, of the `days` days before `today`, which is not over yet.

    Keys are `LABELS`; the sources of the entries are empty. Raises ValueError when they
    lie outside of the simulated decades.
    """
    since = today - timedelta(days=days)
    numbers = range(_chapter(since), _chapter(today) + 1)
    if numbers[0] < 0 or numbers[-1] >= CHAPTERS:
        raise ValueError(
            f"demo days run from {FIRST_DAY} for {CHAPTERS * CHAPTER_DAYS} days"
        )
    scales = {SYMPTOM: scale("anxiety-0-10")}
    records = {}
    for row, label in enumerate(LABELS):
        chapters = [window_of(_lived(number), row) for number in numbers]
        window = _cut(chapters, np.datetime64(since, "s"), np.datetime64(today, "s"))
        record = as_record(window, scales, east_minutes=EAST_MINUTES)
        records[label] = replace(record, person=Person(BORN, BORN))
    return records


def two_people(
    rng: np.random.Generator, start: np.datetime64, *, days: int
) -> WearableBatch:
    """The one with the link and the one without, `days` days from midnight of `start`.

    Both are made alike but for the link; reports begin after 72 hours.
    """
    people = len(LABELS)
    clock = _clock(start, days)
    nightly = np.tile(NIGHTLY, (people, 1))
    kinds = np.tile([_kind(name) for name in SIGNALS], (people, 1))
    begins = np.where(nightly, clock.wakes[:, None], 0)
    cores = biometric_cores(rng, FAMILY, clock, daily=nightly, begins=begins)
    driven = symptom_latents(rng, FAMILY, _link(), cores, symptoms=1)
    moved = background(rng, FAMILY, clock, (len(SIGNALS), 1))
    shown = clock.seen(cores + moved[:, :-1] + sensor_noise(rng, FAMILY, cores.shape))
    there = measured(rng, FAMILY, shown, worn(rng, FAMILY, clock))
    wakes = np.arange(clock.hours) % 24 == begins[..., None]
    shown[~(there & (wakes | ~nightly[..., None]))] = np.nan
    times = report_times(rng, FAMILY, clock)
    return WearableBatch(
        start=clock.start.astype("datetime64[s]"),
        values=in_units(rng, FAMILY, shown, kinds),
        kinds=kinds,
        daily=nightly,
        nightly=nightly,
        times=times,
        answers=answers(
            rng, FAMILY, clock.seen(driven.symptoms + moved[:, -1:]), times
        ),
        worse_when=np.ones((people, 1), int),
        truth=_truth(driven.weight),
    )


def _clock(start: np.datetime64, days: int) -> Clock:
    """One that never changes; the history of 72 hours is of the `days`."""
    people = len(LABELS)
    hours = np.arange(-LEAD, 24 * days + 1)
    return Clock(
        days=days - MAX_LAG // 24,
        start=np.repeat(start.astype("datetime64[D]"), people),
        local=np.tile(hours, (people, 1)),
        change=np.full(people, NEVER),
        step=np.zeros(people, int),
        wakes=np.full(people, 7),
    )


def _link() -> Links:
    one = np.ones(1, np.float32)
    return Links(
        patient=np.array([LINKED_ROW]),
        symptom=np.array([0]),
        biometric=np.array([LINKED_SIGNAL]),
        weight=WEIGHT * one,
        lag=np.array([LAG_HOURS]),
        width=np.array([NARROW]),
        threshold=np.array([np.nan]),
        change=0.5 * one,
        before=one,
        after=one,
    )


def _truth(weight: np.ndarray) -> Truth:
    weights, lag, width, *reverse = np.full(
        (5, len(LABELS), len(SIGNALS), 1), np.nan, np.float32
    )
    at = (LINKED_ROW, LINKED_SIGNAL, 0)
    weights[at], lag[at], width[at] = weight[0], LAG_HOURS, NARROW
    prior = np.array([1 / len(SIGNALS), 0])
    return Truth(weights, lag, width, reverse[0], reverse[1], prior)


def _kind(name: str) -> int:
    return next(number for number, kind in enumerate(KINDS) if kind.name == name)


def _chapter(day: date) -> int:
    return (day - FIRST_DAY).days // CHAPTER_DAYS


@cache
def _lived(chapter: int) -> WearableBatch:
    """Both people's five years; the seed depends on nothing else."""
    start = FIRST_DAY + timedelta(days=chapter * CHAPTER_DAYS)
    rng = np.random.default_rng([SEED, chapter])
    return two_people(rng, np.datetime64(start), days=CHAPTER_DAYS)


def _cut(
    chapters: Sequence[CorrelationWindow], since: np.datetime64, until: np.datetime64
) -> CorrelationWindow:
    """What chapters that follow one another hold from `since` until `until`."""
    first = chapters[0]
    return replace(
        first,
        biometrics=tuple(
            _within([one.biometrics[row] for one in chapters], since, until)
            for row in range(len(first.biometrics))
        ),
        symptoms=tuple(
            _within([one.symptoms[row] for one in chapters], since, until)
            for row in range(len(first.symptoms))
        ),
        history_from=since,
        reports_from=since,
        until=until,
    )


def _within(
    parts: Sequence[Reported], since: np.datetime64, until: np.datetime64
) -> Reported:
    times = np.concatenate([one.times for one in parts])
    values = np.concatenate([one.values for one in parts])
    inside = (times >= since) & (times < until)
    return replace(parts[0], times=times[inside], values=values[inside])
