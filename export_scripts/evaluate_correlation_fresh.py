"""p(link) on fresh patients of the benchmark's simulator: calibration and ranking.

The random states are this module's own, so no patient is one of the frozen ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export_scripts.correlation_scores import auc, calibration_error
from export_scripts.evaluate_correlation_bench import (
    CELLS,
    WORLDS,
    Bench,
    Cell,
    Goal,
    Predictor,
    title,
)
from export_scripts.markdown import share, table

SEED = 20_261_124
PEOPLE = 120  # a cell and world: 1,920 pairs, 7,680 over the four cells
STRONG = 0.5  # |r| of links that should not be missed
DRAWS = 1000
ECE_GOAL = Goal(high=0.02)
STRONG_GOAL = Goal(0.9)
HEAD = (
    "world",
    "cell",
    "pairs",
    "ece",
    "auc",
    "tpr",
    "fpr",
    f"found of weights ≥ {STRONG:g}",
)


def asked(
    found: Bench, ask: Predictor, world: str, cell: Cell, *, people: int = PEOPLE
) -> dict[str, Any]:
    """Per pair, [patient, biometric, symptom]: p(link), detected, and the weight.

    Weights of 0 are pairs without a link.
    """
    p_link, detected, weight = [], [], []
    for index in range(people):
        rng = np.random.default_rng([SEED, *cell, WORLDS.index(world), index])
        patient, truth = found.simulator.simulate(rng, *cell, world == "coupled")
        told = found.bench.matrices(ask(patient))
        p_link.append(np.round(told["p_link"], 6).tolist())
        detected.append(told["detected"].astype(int).tolist())
        weight.append(np.nan_to_num(np.round(truth.weight, 4)).tolist())
    return {"p_link": p_link, "detected": detected, "weight": weight}


Pairs = Mapping[str, Any]


def stacked(parts: Sequence[Pairs]) -> dict[str, np.ndarray]:
    """The pairs of several cells as flat arrays, and which `patient` each is of."""
    arrays = {
        name: np.concatenate([np.asarray(part[name], float) for part in parts])
        for name in ("p_link", "detected", "weight")
    }
    people = len(arrays["weight"])
    pairs = arrays["weight"][0].size
    return {
        **{name: value.ravel() for name, value in arrays.items()},
        "patient": np.repeat(np.arange(people), pairs),
    }


def figures(flat: Mapping[str, np.ndarray]) -> dict[str, float]:
    """ECE, AUC, what was detected of links and of others, and of the strong links."""
    linked = flat["weight"] != 0
    strong = np.abs(flat["weight"]) >= STRONG
    return {
        "pairs": float(len(linked)),
        "ece": calibration_error(flat["p_link"], linked),
        "auc": auc(flat["p_link"], linked),
        "tpr": _mean(flat["detected"][linked]),
        "fpr": _mean(flat["detected"][~linked]),
        "strong": _mean(flat["detected"][strong]),
    }


def ece_interval(flat: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """95 % interval of the ECE, patients drawn anew (Efron & Tibshirani 1993).

    A drawn sample's ECE is larger than the whole one's, for noise adds to every bin's
    distance; so the interval leans upward.
    """
    rng = np.random.default_rng(SEED)
    count = int(flat["patient"].max()) + 1
    p_link = flat["p_link"].reshape(count, -1)
    linked = (flat["weight"] != 0).reshape(count, -1)
    drawn = []
    for _ in range(DRAWS):
        rows = rng.integers(count, size=count)
        drawn.append(calibration_error(p_link[rows].ravel(), linked[rows].ravel()))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def section(cells: Mapping[tuple[str, Cell], Pairs]) -> list[str]:
    """Each cell, all pooled, and what came of each probability that was said."""
    pooled = {
        world: stacked([cells[world, cell] for cell in CELLS]) for world in WORLDS
    }
    both = stacked(list(cells.values()))
    rows = [_row(w, title(c), stacked([part])) for (w, c), part in cells.items()]
    rows += [_row(world, "all four", flat) for world, flat in pooled.items()]
    rows.append(_row("both", "all four", both))
    low, high = ece_interval(both)
    return [
        "## p(link) on fresh patients",
        "",
        "Patients made by the benchmark's simulator with random states of our own.",
        f"Goals: ECE {ECE_GOAL} pooled over the cells; at 90x4, "
        f"{share(STRONG_GOAL.low or 0)} % of links of {STRONG:g} or more published.",
        "",
        *table(HEAD, rows),
        f"ECE over all {len(both['p_link'])} pairs: {figures(both)['ece']:.4f} "
        f"[{low:.4f}, {high:.4f}], 95 % over patients; the interval leans upward, for "
        "noise can only add. " + verdict(cells, pooled),
        "",
        "How often a link was there, by the probability given, all pairs alike:",
        "",
        *table(["p(link)", "pairs", "said, %", "came, %"], reliability(both)),
    ]


def verdict(
    cells: Mapping[tuple[str, Cell], Pairs], pooled: Mapping[str, Mapping[str, Any]]
) -> str:
    """Which goals are missed, in words."""
    missed = [
        f"ECE in the {world} world is {figures(flat)['ece']:.3f}"
        for world, flat in pooled.items()
        if not ECE_GOAL.met(figures(flat)["ece"])
    ]
    for world in WORLDS:
        found = figures(stacked([cells[world, CELLS[-1]]]))["strong"]
        if not STRONG_GOAL.met(found):
            missed.append(f"{share(found)} % of strong links at 90x4, {world}")
    return ("Missed: " + "; ".join(missed) if missed else "The goals are met") + "."


def reliability(flat: Mapping[str, np.ndarray], bins: int = 10) -> list[list[str]]:
    """Rows of ten bins: bounds, pairs, mean probability, share of links."""
    linked = flat["weight"] != 0
    at = np.clip((flat["p_link"] * bins).astype(int), 0, bins - 1)
    return [
        [
            f"{b / bins:.1f} to {(b + 1) / bins:.1f}",
            str(int((at == b).sum())),
            share(float(flat["p_link"][at == b].mean())),
            share(float(linked[at == b].mean())),
        ]
        for b in np.unique(at).tolist()
    ]


def _row(world: str, cell: str, flat: Mapping[str, np.ndarray]) -> list[str]:
    found = figures(flat)
    told = [f"{found[name]:.3f}" for name in ("ece", "auc", "tpr", "fpr", "strong")]
    return [world, cell, f"{found['pairs']:.0f}", *told]


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
