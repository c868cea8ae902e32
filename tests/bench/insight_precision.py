"""What insights are worth on simulated patients whose links are known.

    python -m tests.bench.insight_precision [PATIENTS] [--engine] [--benchmark FOLDER]

Precision of each grade in the wide family, then false insights of patients who have no
link at all; of the benchmark's generator too where its folder is given, with seeds that
are not the benchmark's own. By the network that the repository ships, or with
`--engine` by the engine alone. Figures, and what they mean, are in
docs/methods/correlation.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from backend.jobs.correlation_scoring import window as signals_of
from backend.jobs.scoring import shipped_network
from backend.twin.correlation.engine import find_links
from backend.twin.correlation.examination import examine
from backend.twin.correlation.insights import Insight, insights
from backend.twin.correlation.link import Link
from backend.twin.correlation.network import judged
from backend.twin.correlation.streams import CorrelationWindow
from backend.twin.measures import measures
from backend.twin.simulation.wearables.batch import draw_shape, simulate_wearables
from backend.twin.simulation.wearables.family import WIDE, Family
from backend.twin.simulation.wearables.windows import window_of

SEED = 20_261_123
BATCH = 8
LARGE = 0.5  # of coefficients that must not be missed
NAMES = tuple(measures())  # twelve biometrics at most, so each gets words
CELLS = ((30, 1), (30, 4), (90, 1), (90, 4))  # days, reports a day
Shape = tuple[int, int, int]
ONE_A_DAY: Shape = (30, 4, 4)
Judge = Callable[[CorrelationWindow], Sequence[Link]]
Patient = tuple[CorrelationWindow, np.ndarray]  # and its weights, NaN without a link


def by_network(window: CorrelationWindow) -> Sequence[Link]:
    """Links as they are served."""
    found = examine(window)
    return judged(found, shipped_network().answer(found))


def wide(family: Family, people: int, shape: Shape | None = None) -> Iterator[Patient]:
    """Patients of our own family; a link may be either way round."""
    rng = np.random.default_rng(SEED)
    for _ in range(0, people, BATCH):
        drawn = shape or draw_shape(rng, family)
        batch = simulate_wearables(rng, family, people=BATCH, shape=drawn)
        truth = batch.truth
        either = np.where(np.isfinite(truth.weight), truth.weight, truth.reverse_weight)
        for patient in range(BATCH):
            yield named(window_of(batch, patient)), either[patient]


def benchmark(
    simulator: Any, people: int, cell: tuple[int, int], *, linked: float, coupled: bool
) -> Iterator[Patient]:
    """Patients of the benchmark's generator, other than its own."""
    for i in range(people):
        rng = np.random.default_rng([SEED, i, *cell, coupled, round(100 * linked)])
        patient, truth = simulator.simulate(rng, *cell, coupled, p_link=linked)
        yield named(signals_of(patient)), truth.weight


def named(window: CorrelationWindow) -> CorrelationWindow:
    """The window with signals that have words, and symptoms with a worse end."""
    signals = zip(window.biometrics, NAMES, strict=False)
    return replace(
        window,
        biometrics=tuple(replace(one, name=name) for one, name in signals),
        symptoms=tuple(replace(one, worse_when="high") for one in window.symptoms),
    )


class Tally:
    """What was said of patients, and how much of it is true."""

    def __init__(self, patients: Iterator[Patient], judge: Judge) -> None:
        self.people = self.large = self.large_found = self.associations = 0
        self.said, self.true = Counter[str](), Counter[str]()
        for window, weight in patients:
            self.people += 1
            self._add(window, weight, judge(window))

    def _add(
        self, window: CorrelationWindow, weight: np.ndarray, links: Sequence[Link]
    ) -> None:
        symptoms = [one.name for one in window.symptoms]

        def true(link: Link) -> float:
            at = NAMES.index(link.biometric), symptoms.index(link.symptom)
            return float(weight[at])

        worse = {one.name: one.worse_when for one in window.symptoms}
        for insight in insights(links, worse):
            self._note(insight, np.isfinite(true(insight.link)))
        for link in links:
            if abs(true(link)) >= LARGE:
                self.large += 1
                self.large_found += link.published

    def _note(self, insight: Insight, is_true: bool) -> None:
        if not insight.link.direct:
            self.associations += 1
            return
        self.said[insight.grade] += 1
        self.true[insight.grade] += is_true

    def __str__(self) -> str:
        grades = ", ".join(
            f"{grade} {self.true[grade]} of {self.said[grade]}"
            for grade in ("high", "medium", "low")
        )
        false = (self.said.total() - self.true.total()) / self.people
        large = f"; {self.large_found} of {self.large} links of {LARGE} or more found"
        return (
            f"{self.people} patients: true {grades}; {false:.4f} false a patient, "
            f"{self.associations} associations" + large * bool(self.large)
        )


def of_our_family(people: int, judge: Judge) -> None:
    """Print the figures of the wide family."""
    unlinked = replace(WIDE, link_prior=(0.0, 0.0), reverse=0.0)
    daily = replace(unlinked, reports_a_day=(1, 1))
    print("wide,", Tally(wide(WIDE, people), judge))
    print("wide without links,", Tally(wide(unlinked, people), judge))
    one_a_day = wide(daily, people, ONE_A_DAY)
    print("wide without links, 30 days, 1 report,", Tally(one_a_day, judge))


def of_the_benchmark(folder: Path, people: int, judge: Judge) -> None:
    """Print those of the benchmark's worlds, by days and reports a day."""
    sys.path.append(str(folder))
    simulated = partial(benchmark, import_module("simulator"), people)
    for linked, coupled in ((0.5, True), (0.1, True), (0.0, True), (0.0, False)):
        world = "coupled" if coupled else "clean"
        for cell in CELLS:
            found = Tally(simulated(cell, linked=linked, coupled=coupled), judge)
            print(f"{world}, {linked:g} linked, {cell[0]}x{cell[1]},", found)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patients", type=int, nargs="?", default=1000)
    parser.add_argument("--engine", action="store_true", help="without the network")
    parser.add_argument("--benchmark", type=Path, help="folder with its simulator.py")
    options = parser.parse_args()
    judge: Judge = find_links if options.engine else by_network
    of_our_family(options.patients, judge)
    if options.benchmark:
        of_the_benchmark(options.benchmark, options.patients, judge)


if __name__ == "__main__":
    main()
