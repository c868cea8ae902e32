"""Simulated diaries: people who rate one or several symptoms a day.

A person has a course that all symptoms share (`course`), each symptom one of its own,
and perhaps a treatment (`treatment`); how they answer is in `answers`. All series live
on the scale 0..1. Constants were set by hand until moments of openly licensed diaries
(tier A) were met; nobody in those was trained on (`python -m export_scripts.moments`
prints both; docs/methods/forecast.md says how near they are).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.simulation.answers import absences, answers
from backend.twin.simulation.course import simulate_course
from backend.twin.simulation.treatment import simulate_treatment

ONE_ITEM_ABSENT = 0.02  # share of answered days on which one symptom is left out


@dataclass(frozen=True, slots=True)
class Diaries:
    """Simulated ratings on 0..1: all days, and what was reported (NaN = absent)."""

    complete: np.ndarray  # (person, symptom, day)
    reported: np.ndarray  # (person, symptom, day)
    changes: np.ndarray  # (person, day) of treatment: +1 more, -1 less, else 0


def simulate_diaries(
    rng: np.random.Generator, *, people: int, symptoms: int = 1, days: int
) -> Diaries:
    """Diaries of `people`, `symptoms` each; the first day is the first of the diary."""
    count = people * symptoms
    own = simulate_course(rng, count=count, days=days)
    together = simulate_course(rng, count=people, days=days)
    treatment = simulate_treatment(rng, count=people, days=days)
    shared = rng.beta(3.0, 1.2, (people, 1)) * (symptoms > 1)
    loading = np.repeat(np.sqrt(shared), symptoms, axis=0)
    loading = loading * rng.uniform(0.6, 1.0, (count, 1))
    # one in four symptoms runs against the others: energy falls as tension rises
    sign = np.where(rng.random((count, 1)) < 0.75, 1.0, -1.0)
    common = np.repeat(together, symptoms, axis=0)
    latent = sign * loading * common + np.sqrt(1 - loading**2) * own
    latent += sign * np.repeat(treatment.effect, symptoms, axis=0)
    complete = answers(rng, latent, symptoms=symptoms)
    absent = np.repeat(absences(rng, complete, symptoms=symptoms), symptoms, axis=0)
    absent |= rng.random(absent.shape) < ONE_ITEM_ABSENT * (symptoms > 1)
    shape = (people, symptoms, days)
    return Diaries(
        complete=complete.reshape(shape),
        reported=np.where(absent, np.nan, complete).reshape(shape),
        changes=treatment.changes,
    )
