"""The population constants of `twin.climatology.prior_quantiles`, from the simulator.

    python -m export_scripts.prior

Prints them; they are written into the twin by hand, and a test compares.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backend.twin.simulation.diaries import simulate_diaries

DAYS = 42  # a typical diary


class Prior(NamedTuple):
    """Shares of the scale's width; `degrees` counts like seen deviations."""

    mean: float
    mean_sd: float
    day_sd: float
    degrees: float


def prior(seed: int, *, count: int) -> Prior:
    """Moments over `count` simulated people.

    Day variances are taken as scaled inverse chi-square with v degrees: their variance
    over their squared mean is 2 / (v - 4), and their posterior mean counts the prior's
    mean like v - 2 seen deviations.
    """
    diaries = simulate_diaries(np.random.default_rng(seed), count=count, days=DAYS)
    means, variances = diaries.complete.mean(1), diaries.complete.var(1)
    unequal = variances.var() / variances.mean() ** 2
    return Prior(
        mean=float(means.mean()),
        mean_sd=float(means.std()),
        day_sd=float(np.sqrt(variances.mean())),
        degrees=float(2 + 2 / unequal),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the constants."""
    parser = argparse.ArgumentParser(description="population prior")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=20_000)
    options = parser.parse_args(arguments)
    for name, value in prior(options.seed, count=options.people)._asdict().items():
        print(f"{name:8s} {value:.3f}")


if __name__ == "__main__":
    main()
