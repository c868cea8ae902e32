"""How much narrower a fortnight's mean is than its days, for `twin.climatology`.

    python -m export_scripts.fortnight_share

Prints the constant; it is written into the twin by hand, and a test compares.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from backend.twin.climatology import HALF_LIFE_DAYS
from backend.twin.simulation.diaries import Diaries, simulate_diaries
from backend.twin.trajectory import HORIZON

DAYS = 42  # a typical diary
LEAST_SD = 0.02  # of the scale's width: who moves less has no fortnight to compare


def fortnight_share(diaries: Diaries) -> float:
    """How far fortnights' means stray from the weighted past, over how far days do.

    Root mean squares over the last fortnight of every series, in units of its own sd.
    The ratio of errors, not the share with which 80 % of means lie in their interval:
    most people stay and few move far, and with the ratio probabilities and quantile
    loss are better, on simulated people and on real ones.
    """
    days = diaries.complete.shape[-1]
    past = diaries.reported.reshape(-1, days)[:, :-HORIZON]
    ahead = diaries.complete.reshape(-1, days)[:, -HORIZON:]
    seen = ~np.isnan(past)
    weights = seen * 0.5 ** (np.arange(past.shape[1])[::-1] / HALF_LIFE_DAYS)
    centre = (weights * np.where(seen, past, 0.0)).sum(1) / weights.sum(1)
    sd = np.nanstd(past, axis=1)
    errors = ((ahead - centre[:, None]) / np.maximum(sd, LEAST_SD)[:, None])[
        sd >= LEAST_SD
    ]
    return float(np.sqrt((errors.mean(1) ** 2).mean() / (errors**2).mean()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the constant."""
    parser = argparse.ArgumentParser(description="width of a fortnight's mean")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=20_000)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    diaries = simulate_diaries(rng, people=options.people, days=DAYS)
    print(f"{fortnight_share(diaries):.3f}")


if __name__ == "__main__":
    main()
