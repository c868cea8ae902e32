"""The population constants of `twin.climatology`, from the simulator.

    python -m export_scripts.prior

Prints them; they are written into the twin by hand, and a test compares.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backend.twin.climatology import HALF_LIFE_DAYS
from backend.twin.simulation.diaries import Diaries, simulate_diaries
from backend.twin.trajectory import HORIZON

DAYS = 42  # a typical diary
LEAST_SD = 0.02  # of the scale's width: who moves less has no fortnight to compare


class Prior(NamedTuple):
    """Shares of the scale's width; `degrees` counts like seen deviations.

    `fortnight_share` is how far fourteen-day means stray from the weighted mean of the
    days before, over how far single days do (root mean squares over people).
    """

    mean: float
    mean_sd: float
    day_sd: float
    degrees: float
    fortnight_share: float


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
        fortnight_share=fortnight_share(diaries),
    )


def fortnight_share(diaries: Diaries) -> float:
    """Of each diary's last fortnight; errors in units of the person's own sd.

    The ratio of errors, not the share with which 80 % of means lie in their interval
    (.83): most people stay and few move far, and with the ratio probabilities and
    quantile loss are better, on simulated people and on real ones.
    """
    past, ahead = diaries.reported[:, :-HORIZON], diaries.complete[:, -HORIZON:]
    seen = ~np.isnan(past)
    weights = seen * 0.5 ** (np.arange(past.shape[1])[::-1] / HALF_LIFE_DAYS)
    centre = (weights * np.where(seen, past, 0.0)).sum(1) / weights.sum(1)
    sd = np.nanstd(past, axis=1)
    errors = ((ahead - centre[:, None]) / np.maximum(sd, LEAST_SD)[:, None])[
        sd >= LEAST_SD
    ]
    return float(np.sqrt((errors.mean(1) ** 2).mean() / (errors**2).mean()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the constants."""
    parser = argparse.ArgumentParser(description="population prior")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=20_000)
    options = parser.parse_args(arguments)
    for name, value in prior(options.seed, count=options.people)._asdict().items():
        print(f"{name:15s} {value:.3f}")


if __name__ == "__main__":
    main()
