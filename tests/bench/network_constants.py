"""What the constants of `backend/twin/correlation/network.py` are worth.

    python -m tests.bench.network_constants BENCHMARK_FOLDER [--patients 300]

For each world and cell of the benchmark's generator, with seeds that are not the
benchmark's own: what the gate lets through, what is published at `RULE` and at stricter
and weaker p(link), the coefficient's interval by the network and by the engine, and the
lag's. To be run for every new version of the network; see docs/methods/correlation.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backend.jobs.correlation_scoring import window
from backend.jobs.scoring import shipped_network
from backend.twin.correlation.engine import links
from backend.twin.correlation.examination import examine
from backend.twin.correlation.link import Link
from backend.twin.correlation.network import RULE, judged

SEED = 20_261_126
CELLS = ((30, 1), (30, 4), (90, 1), (90, 4))  # days, reports a day
STEPS = (-0.05, 0.0, 0.05)  # about `RULE.least_p`
RULES = tuple(replace(RULE, least_p=RULE.least_p + step) for step in STEPS)


class Pair(NamedTuple):
    """One examined pair: its truth, and what is said of it."""

    weight: float  # NaN without a link
    lag: float
    engine: Link
    network: Link  # at `RULE`
    direct: tuple[bool, ...]  # at each of `RULES`


def pairs(simulator: Any, people: int, cell: tuple[int, int], world: str) -> list[Pair]:
    """Of fresh patients."""
    found: list[Pair] = []
    for i in range(people):
        rng = np.random.default_rng([SEED, i, *cell, world == "coupled"])
        patient, truth = simulator.simulate(rng, *cell, world == "coupled")
        found += _pairs(simulator, patient, truth)
    return found


def _pairs(simulator: Any, patient: Any, truth: Any) -> Iterator[Pair]:
    seen = examine(window(patient))
    answer = shipped_network().answer(seen)
    judgements = [judged(seen, answer, rule=rule) for rule in RULES]
    for engine, *said in zip(links(seen), *judgements, strict=True):
        at = (
            simulator.BIOMETRICS.index(engine.biometric),
            simulator.SYMPTOMS.index(engine.symptom),
        )
        if engine.examined:
            direct = tuple(bool(one.direct) for one in said)
            middle = said[STEPS.index(0.0)]
            yield Pair(truth.weight[at], truth.lag[at], engine, middle, direct)


def interval(weights: np.ndarray, told: Sequence[Link]) -> str:
    """Score (Gneiting & Raftery 2007) and coverage of coefficients' 90 % intervals."""
    low, high = np.array([one.ci for one in told], float).T
    outside = np.maximum(low - weights, 0) + np.maximum(weights - high, 0)
    return f"{(high - low + 20 * outside).mean():.3f} ({(outside == 0).mean():.3f})"


def lags(hits: Sequence[Pair]) -> str:
    """Coverage of the lags' 90 % intervals and mean error, sleep's lags left out."""
    ends = np.array([one.network.lag_interval for one in hits], float)
    true = np.array([one.lag for one in hits])
    inside = (ends[:, 0] <= true) & (true <= ends[:, 1])
    off = [
        abs((one.network.lag_hours or 0.0) - one.lag)
        for one in hits
        if one.network.biometric != "sleep_minutes"
    ]
    return f"{inside.mean():.3f}, off by {np.mean(off):.1f} h"


def in_words(found: Sequence[Pair]) -> str:
    """One cell's figures."""
    linked = [one for one in found if np.isfinite(one.weight)]
    others = [one for one in found if not np.isfinite(one.weight)]
    gate = np.mean([(one.engine.p_value or 0.0) <= RULE.level for one in others])
    weights = np.array([one.weight for one in linked])
    tpr, fpr = (
        np.mean([one.direct for one in some], axis=0) for some in (linked, others)
    )
    rates = ", ".join(
        f"{rule.least_p:.2f}: {t:.3f} / {f:.3f}"
        for rule, t, f in zip(RULES, tpr, fpr, strict=True)
    )
    return (
        f"gate {gate:.3f}; tpr / fpr at p(link) {rates}; "
        f"coefficient, engine {interval(weights, [one.engine for one in linked])}, "
        f"network {interval(weights, [one.network for one in linked])}; "
        f"lag {lags([one for one in linked if one.direct[STEPS.index(0.0)]])}"
    )


def main() -> None:
    """Print a line for each cell of both worlds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=Path, help="folder with its simulator.py")
    parser.add_argument("--patients", type=int, default=300)
    options = parser.parse_args()
    sys.path.append(str(options.benchmark))
    simulator = import_module("simulator")
    for world in ("coupled", "clean"):
        for cell in CELLS:
            found = pairs(simulator, options.patients, cell, world)
            print(f"{world} {cell[0]}x{cell[1]}: {in_words(found)}", flush=True)


if __name__ == "__main__":
    main()
