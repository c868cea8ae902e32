"""Who is treated: age, illness, comorbidity, genes, medication and earlier trials.

Shares are of a clinic for depression and of people of European descent where they
differ by ancestry; docs/methods/treatment-simulator.md has their sources. Facts are
drawn almost independently: real ones hang together more.
"""

from __future__ import annotations

import numpy as np

from backend.twin.pharmacogenomics.response_inputs import (
    ALLELES,
    CONDITIONS,
    LEVELS,
    OPTIONS,
)

FEMALE = 0.63  # of STAR*D's outpatients, Trivedi et al. 2006
HAS = {  # shares with a condition
    "anxiety": 0.46,
    "ptsd": 0.15,
    "substance_use": 0.2,
    "borderline": 0.1,
    "bipolar": 0.1,
    "insomnia": 0.35,
}
# Shares of phenotypes in the order of `LEVELS`: CPIC's frequency tables (European).
GENES = {
    "CYP2D6": (0.065, 0.385, 0.52, 0.03),
    "CYP2C19": (0.024, 0.262, 0.396, 0.272, 0.046),
    "CYP2B6": (0.075, 0.355, 0.51, 0.055, 0.005),
    "CYP2C9": (0.026, 0.345, 0.629),
    "CYP3A4": (0.004, 0.076, 0.92),
    "CYP3A5": (0.86, 0.13, 0.01),
}
CARRIES = {"hla_b_1502": 0.02, "hla_a_3101": 0.05}
# Shares of people who take a strong, and a moderate, inhibitor (own settings).
INHIBITED = {"CYP2D6": (0.10, 0.08), "CYP2C19": (0.02, 0.04), "CYP3A4": (0.01, 0.03)}
TRIALS = (0.45, 0.25, 0.16, 0.09, 0.05)  # 0 to 4 failed in this episode
HELPED = 0.15  # of people: one medicine helped in an earlier episode


def simulate_people(rng: np.random.Generator, *, count: int) -> dict[str, np.ndarray]:
    """Facts by `response_inputs.FACTS`, each [person], without a gap."""
    failures = rng.choice(len(TRIALS), p=TRIALS, size=count)
    people = {
        "age": rng.normal(44, 15, count).clip(18, 90),
        "female": rng.random(count) < FEMALE,
        "severity": rng.normal(0.6, 0.15, count).clip(0.2, 1.0),
        "episode": rng.normal(2.2, 1.1, count).clip(0, 6),
        "failures": failures,
        **{name: rng.random(count) < HAS[name] for name in CONDITIONS},
        **{gene: _phenotype(rng, gene, count) for gene in LEVELS},
        **{name: rng.random(count) < CARRIES[name] for name in ALLELES},
        **_trials(rng, failures),
    }
    return {name: values.astype(np.float64) for name, values in people.items()}


def _phenotype(rng: np.random.Generator, gene: str, count: int) -> np.ndarray:
    """The level after phenoconversion: poor with a strong inhibitor, else one lower."""
    shares = np.array(GENES[gene])
    level = rng.choice(len(shares), p=shares / shares.sum(), size=count)
    strong, moderate = INHIBITED.get(gene, (0.0, 0.0))
    drawn = rng.random(count)
    lower = np.maximum(level - 1, 0)
    some = drawn < strong + moderate
    return np.where(drawn < strong, 0, np.where(some, lower, level))


def _trials(rng: np.random.Generator, failures: np.ndarray) -> dict[str, np.ndarray]:
    """By medicine 1 helped, -1 failed, 0 not tried; as many failed as in `failures`.

    Which ones is left to chance, the medicines first in the list being tried more.
    """
    count = len(failures)
    liking = rng.gumbel(size=(count, len(OPTIONS))) - np.arange(len(OPTIONS)) / 4
    rank = np.argsort(np.argsort(-liking, axis=1), axis=1)
    outcome = np.where(rank < failures[:, None], -1, 0)
    helped = (rng.random(count) < HELPED)[:, None] & (rank == failures[:, None])
    outcome[helped] = 1
    return {name: outcome[:, i] for i, name in enumerate(OPTIONS)}
