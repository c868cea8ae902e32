"""The population constants of `twin.climatology`, from the simulator.

    python -m export_scripts.prior

Prints them; they are written into the twin by hand, and a test compares.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backend.twin.climatology import HALF_LIFE_DAYS, mean_of, weighted_quantiles
from backend.twin.features import SD_FLOOR
from backend.twin.simulation.diaries import Diaries, simulate_diaries
from backend.twin.trajectory import HORIZON, INTERVALS

DAYS = 42  # a typical diary


class Prior(NamedTuple):
    """Shares of the scale's width; `degrees` counts like seen deviations.

    `fortnight_share` is that of `twin.climatology.fortnight_quantiles`.
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
    rng = np.random.default_rng(seed)
    diaries = simulate_diaries(rng, count=count, days=DAYS)
    longer = simulate_diaries(rng, count=count, days=DAYS + HORIZON)
    means, variances = diaries.complete.mean(1), diaries.complete.var(1)
    unequal = variances.var() / variances.mean() ** 2
    return Prior(
        mean=float(means.mean()),
        mean_sd=float(means.std()),
        day_sd=float(np.sqrt(variances.mean())),
        degrees=float(2 + 2 / unequal),
        fortnight_share=fortnight_share(*_last_fortnight(longer)),
    )


def fortnight_share(values: np.ndarray, means: np.ndarray) -> float:
    """The share with which 80 % of `means` lie in the 80 % interval of a fortnight's.

    `values` [person, day] are the days before, NaN = absent, of people who move. Each
    person's own share is the one that puts their mean on the interval's end; the answer
    is the 80 % quantile of these.
    """
    ages = np.arange(values.shape[1])[::-1]
    weights = np.broadcast_to(0.5 ** (ages / HALF_LIFE_DAYS), values.shape)
    quantiles = weighted_quantiles(values, weights)  # (person, level)
    centre, (low, high) = mean_of(quantiles), INTERVALS[0.80]
    ends = np.where(means > centre, quantiles[:, high], quantiles[:, low])
    reach = np.maximum(np.abs(ends - centre), np.finfo(float).tiny)
    return float(np.quantile(np.abs(means - centre) / reach, 0.80, method="higher"))


def _last_fortnight(diaries: Diaries) -> tuple[np.ndarray, np.ndarray]:
    """The days before it, as reported, and its mean, of people who move."""
    past, ahead = diaries.reported[:, :-HORIZON], diaries.complete[:, -HORIZON:]
    moves = np.nanstd(past, axis=1) >= SD_FLOOR
    return past[moves], ahead[moves].mean(1)


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
