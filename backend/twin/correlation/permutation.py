"""The largest correlation over lags under no link, by permutation: the second opinion.

Slower than `tube.chance` by two orders of magnitude, and free of its assumption that
whitened noise is normal. Whole runs of whitened reports move together, so that what the
whitener left of their dependence stays; with runs of one report it is the plain
permutation of whitened residuals.
"""

from __future__ import annotations

import numpy as np


def permuted_chance(
    target: np.ndarray,
    columns: np.ndarray,
    *,
    draws: int,
    rng: np.random.Generator,
    run: int = 1,
) -> float:
    """Share of permutations whose largest |r| is at least that of the data.

    `target` [report] whitened; `columns` [report, lag] whitened; `run`: how many
    consecutive reports move together. The data count as one of the permutations, so the
    answer is never zero and the test never too easy.
    """
    unit = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-9)
    largest = np.abs(target @ unit).max()
    orders = np.array([_runs_moved(len(target), run, rng) for _ in range(draws)])
    null = np.abs(target[orders] @ unit).max(1)
    return float((1 + (null >= largest - 1e-12).sum()) / (draws + 1))


def _runs_moved(count: int, run: int, rng: np.random.Generator) -> np.ndarray:
    """0..count-1 cut into runs from a random start, the runs in random order."""
    circle = np.roll(np.arange(count), int(rng.integers(count)))
    cuts = np.split(circle, np.arange(run, count, run))
    return np.concatenate([cuts[i] for i in rng.permutation(len(cuts))])
