"""Simulated treatments as the response net sees them: drawn anew, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.pharmacogenomics.response_inputs import (
    OPTIONS,
    drug_array,
    patient_array,
)
from backend.twin.simulation.treatments import (
    Facts,
    Treatments,
    chances,
    hidden,
    simulate_treatments,
)

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Rows:
    """`inputs` by array; `outcome` and `chance` [row, 1 + side effects], float32."""

    inputs: Arrays
    option: np.ndarray
    outcome: np.ndarray
    chance: np.ndarray

    def __len__(self) -> int:
        return len(self.option)


def drawn(rng: np.random.Generator, count: int, *, complete: bool = False) -> Rows:
    """New records, as a chart may have them or with nothing missing."""
    made = simulate_treatments(rng, count=count)
    return rows_of(made, made.facts if complete else hidden(rng, made.facts))


def drawn_without(
    rng: np.random.Generator, count: int, *, left_out: np.ndarray
) -> Rows:
    """As `drawn`, but nobody is given a medicine at these places in `OPTIONS`."""
    made = simulate_treatments(rng, count=count)
    others = np.setdiff1d(np.arange(len(OPTIONS)), left_out)
    option = rng.choice(others, size=count)
    chance = chances(made.facts, option)
    outcome = (rng.random(chance.shape) < chance).astype(np.float64)
    swapped = Treatments(made.facts, option, chance, outcome)
    return rows_of(swapped, hidden(rng, made.facts))


def rows_of(made: Treatments, facts: Facts) -> Rows:
    """The net's rows, where `facts` are those that are known."""
    return Rows(
        {"patient": patient_array(facts), "drug": drug_array(made.option)},
        made.option,
        made.outcome.astype(np.float32),
        made.chance.astype(np.float32),
    )


def rates(seed: int, count: int) -> np.ndarray:
    """Share with each outcome by medicine, [medicine, 1 + side effects]."""
    made = simulate_treatments(np.random.default_rng([seed, 7]), count=count)
    return np.stack(
        [made.outcome[made.option == i].mean(0) for i in range(len(OPTIONS))]
    )
