"""A few simulated patients with diaries and questionnaires, the same every day.

Each patient is simulated once over decades from a fixed first day; a call cuts out the
days asked for. So a value belongs to its date, and tomorrow only adds a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord, SafetyAnswer, Series
from backend.twin.scales import Scale, scale
from backend.twin.simulation.course import simulate_course

FIRST_DAY = date(2024, 1, 1)
DAYS = 9_131  # to the end of 2048
CHAPTER_DAYS = 182
QUESTIONNAIRE_DAYS = 14
RARE_DAYS = 28  # how often the patient with few entries writes one
RARE_ENTRIES = 4
MEDICINE_DAYS = 548  # how often one begins an antidepressant: no renewal of the last
MEDICINE = ("sertraline", "36437")  # ingredient, RxNorm code
SEED = 20_240_101
BORN = date(1984, 4, 2)  # adults, of whom every instrument may be asked


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """What one simulated patient rates; means and spreads are shares of the scale."""

    number: int
    ratings: tuple[tuple[str, float, float], ...]  # scale key, mean, spread of days
    phq9_mean: float = 0.0  # score units; 0: no questionnaire
    self_harm: bool = False
    absent: float = 0.1  # share of days without ratings
    rare: bool = False
    begins_medicine: bool = False


PATIENTS = (
    DemoPatient(
        number=1,
        ratings=(("mood-0-10", 0.45, 0.15), ("anxiety-0-10", 0.5, 0.14)),
        phq9_mean=13.0,
    ),
    DemoPatient(
        number=2,
        ratings=(("sleep-quality-0-10", 0.55, 0.17), ("energy-0-10", 0.5, 0.15)),
        phq9_mean=8.0,
        absent=0.3,
        begins_medicine=True,
    ),
    DemoPatient(
        number=3,
        ratings=(("mood-0-10", 0.3, 0.13), ("stress-0-10", 0.65, 0.15)),
        phq9_mean=19.0,
        self_harm=True,
    ),
    DemoPatient(number=4, ratings=(("mood-0-10", 0.5, 0.15),), rare=True),
    DemoPatient(
        number=5,
        ratings=(("irritability-0-10", 0.25, 0.12), ("anxiety-0-10", 0.35, 0.13)),
        absent=0.05,
    ),
)


def demo_records(today: date, days: int = 120) -> dict[str, PatientRecord]:
    """The simulated patients' records of the `days` days that end with `today`.

    Keys are "patient-1" and so on; the sources of the entries are empty. Patient 3 has
    answered the self-harm item above zero within the last 14 days; patient 4 has four
    entries in all; patient 2 begins an antidepressant once in a while. Raises
    ValueError when `today` lies outside the simulated decades.
    """
    end = (today - FIRST_DAY).days
    if not days <= end + 1 <= DAYS:
        raise ValueError(f"demo days run from {FIRST_DAY} for {DAYS} days")
    since = today - timedelta(days=days - 1)
    return {
        f"patient-{patient.number}": _slice(_lifelong(patient), since, today, patient)
        for patient in PATIENTS
    }


def _slice(
    record: PatientRecord, since: date, until: date, patient: DemoPatient
) -> PatientRecord:
    """The part of a record between two days, both included."""
    series = []
    for whole in record.series:
        entries = tuple(e for e in whole.entries if since <= e.day <= until)
        series.append(
            Series(whole.scale, entries[-RARE_ENTRIES:] if patient.rare else entries)
        )
    safety = tuple(answer for answer in record.safety if since <= answer.day <= until)
    return PatientRecord(
        tuple(series),
        safety,
        medications=tuple(_begun(patient, since, until)),
        person=Person(BORN, BORN),
    )


def _begun(patient: DemoPatient, since: date, until: date) -> Iterator[MedicationEvent]:
    """The orders of the patient's medicine between two days, both included."""
    ingredient, code = MEDICINE
    for number in range(MEDICINE_DAYS - 100, DAYS, MEDICINE_DAYS):
        day = _date(number)
        if patient.begins_medicine and since <= day <= until:
            yield MedicationEvent(
                ingredients=(ingredient,),
                code=code,
                change=MedicationChange.START,
                day=day,
                at="",
                dose=None,
                source="",
                state=CourseState.ACTIVE,
            )


@cache
def _lifelong(patient: DemoPatient) -> PatientRecord:
    """All of a patient's simulated days; the seed depends on the patient alone."""
    rng = np.random.default_rng([SEED, patient.number])
    distress = _course(rng)  # what all of a patient's instruments share
    series = tuple(
        _ratings(rng, scale(key), level=level, spread=spread, distress=distress)
        for key, level, spread in patient.ratings
    )
    series = tuple(_kept(rng, whole, patient) for whole in series)
    if patient.phq9_mean == 0:
        return PatientRecord(series=series)
    answers = _questionnaires(rng, patient, distress)
    entries = tuple(Entry(_date(day), score, "") for day, score in answers.items())
    phq9 = scale("phq9")
    safety = tuple(
        SafetyAnswer(phq9, _date(day), _self_harm(score, patient), "")
        for day, score in answers.items()
    )
    return PatientRecord(series=(*series, Series(phq9, entries)), safety=safety)


def _ratings(
    rng: np.random.Generator,
    on: Scale,
    *,
    level: float,
    spread: float,
    distress: np.ndarray,
) -> Series:
    """A whole number on a scale for every day."""
    towards = 1.0 if on.higher_is_worse else -1.0
    course = (towards * distress + _course(rng)) / np.sqrt(2)
    scores = _whole(on.low + on.width * (level + spread * course), on)
    entries = tuple(Entry(_date(day), float(x), "") for day, x in enumerate(scores))
    return Series(on, entries)


def _kept(rng: np.random.Generator, whole: Series, patient: DemoPatient) -> Series:
    """The days that the patient filled in."""
    kept = rng.random(DAYS) >= patient.absent
    if patient.rare:
        kept = np.arange(DAYS) % RARE_DAYS == 0
    return Series(
        whole.scale, tuple(whole.entries[day] for day in np.flatnonzero(kept))
    )


def _questionnaires(
    rng: np.random.Generator, patient: DemoPatient, distress: np.ndarray
) -> dict[int, float]:
    """PHQ-9 totals by day, every two weeks, about the two weeks before."""
    lately = np.convolve(distress, np.ones(QUESTIONNAIRE_DAYS) / QUESTIONNAIRE_DAYS)
    totals = patient.phq9_mean + 3.5 * lately[:DAYS] + rng.normal(0, 1.5, DAYS)
    totals = _whole(totals, scale("phq9"))
    return {
        day: float(max(totals[day], 1.0 + patient.self_harm))
        for day in range(patient.number, DAYS, QUESTIONNAIRE_DAYS)
    }


def _course(rng: np.random.Generator) -> np.ndarray:
    """How the person is, day by day; every half-year is a chapter of its own."""
    chapters = simulate_course(rng, count=-(-DAYS // CHAPTER_DAYS), days=CHAPTER_DAYS)
    course = chapters.reshape(-1)[:DAYS]
    standard: np.ndarray = (course - course.mean()) / course.std()
    return standard


def _whole(scores: np.ndarray, on: Scale) -> np.ndarray:
    """Rounded and inside the scale; never minus zero."""
    inside: np.ndarray = np.clip(np.round(scores), on.low, on.high) + 0.0
    return inside


def _self_harm(score: float, patient: DemoPatient) -> float:
    """The answer 0..3 to the self-harm item: zero but for the patient chosen for it."""
    return 1.0 + float(score >= 22) if patient.self_harm else 0.0


def _date(day: int) -> date:
    return FIRST_DAY + timedelta(days=day)
