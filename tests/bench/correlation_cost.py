"""What a patient's correlations cost, against the best classical method's cost.

    python -m tests.bench.correlation_cost

CPU seconds, not seconds of the clock: 16 pairs, 90 days with 4 reports a day, whitening
and the embedded network included, as the served path does it. The classical method is
the shared benchmark's, on the same patients, in the same run, turn by turn. Then the
same for longer and shorter histories. Writes the page's part "Cost of a correlation";
exit status 1 where it costs a tenth of the classical method or more.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from export_scripts.evaluate_correlation import PREDICTOR
from export_scripts.evaluate_correlation_bench import BENCH, Bench, bench, predictor
from export_scripts.markdown import table
from export_scripts.page import commit, machine, rewrite

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
HEADING = "# Cost of a correlation"
COMMAND = "python -m tests.bench.correlation_cost"
SEED = 20_261_127
PATIENTS, ROUNDS = 3, 9
REPORTS_A_DAY = 4
DAYS = 90
LENGTHS = (30, 60, 90, 180)
LENGTH_COLUMNS = ["days", "ms of CPU", "times the days", "times the cost"]
MOST = 0.1  # of the classical method's CPU
STEEPEST = 1.0  # growth of the cost over growth of the history: linear, or less
Work = Callable[[], object]


class Cost(NamedTuple):
    """CPU seconds per patient."""

    ours: float
    classical: float
    by_days: dict[int, float]

    @property
    def share(self) -> float:
        """Of the classical method's."""
        return self.ours / self.classical

    @property
    def growth(self) -> float:
        """Growth of the cost from the shortest to the longest, over the history's."""
        short, long = min(self.by_days), max(self.by_days)
        return (self.by_days[long] / self.by_days[short]) / (long / short)

    @property
    def steeper(self) -> float:
        """A day's cost beyond `DAYS` over a day's cost before; 1 where it is linear."""
        short, long = min(self.by_days), max(self.by_days)
        late = (self.by_days[long] - self.by_days[DAYS]) / (long - DAYS)
        early = (self.by_days[DAYS] - self.by_days[short]) / (DAYS - short)
        return late / early


def patients(found: Bench, days: int, count: int = PATIENTS) -> list[Any]:
    """Simulated patients with a history of so many days, none of the frozen ones."""
    return [
        found.simulator.simulate(
            np.random.default_rng([SEED, days, index]), days, REPORTS_A_DAY
        )[0]
        for index in range(count)
    ]


def turns(works: Sequence[Work], rounds: int = ROUNDS) -> list[float]:
    """Least CPU seconds of each work; rounds go forth and back, the first warms up.

    What else the machine does, which shares its caches, can only add.
    """
    taken: list[list[float]] = [[] for _ in works]
    order = list(enumerate(works))
    for number in range(rounds + 1):
        for index, work in order[:: 1 if number % 2 else -1]:
            began = time.process_time()
            work()
            if number:
                taken[index].append(time.process_time() - began)
    return [min(one) for one in taken]


def cost(found: Bench, ask: Callable[[Any], object], *, rounds: int = ROUNDS) -> Cost:
    """Ours and the classical method's on the same patients, then ours by length."""

    def each(predict: Callable[[Any], object], people: Sequence[Any]) -> Work:
        return lambda: [predict(one) for one in people]

    people = {days: patients(found, days) for days in sorted({DAYS, *LENGTHS})}
    ours, classical, *lengths = turns(
        [
            each(ask, people[DAYS]),
            each(found.classical.forward, people[DAYS]),
            *(each(ask, people[days]) for days in LENGTHS),
        ],
        rounds,
    )
    by_days = {
        days: taken / PATIENTS for days, taken in zip(LENGTHS, lengths, strict=True)
    }
    return Cost(ours / PATIENTS, classical / PATIENTS, by_days)


def part(made: Cost, name: str = PREDICTOR) -> str:
    """The page's part as text."""
    lines = [
        HEADING,
        "",
        f"Written by `make bench` (`{COMMAND}`). CPU milliseconds",
        f"per patient of 16 pairs and {REPORTS_A_DAY} reports a day, by",
        f"`{name}`; the least of {ROUNDS} rounds of {PATIENTS}",
        "patients, taken alternately in one run, one thread.",
        "",
        f"- code: {commit(ROOT)}",
        f"- machine: {machine()}",
        "",
        *table(
            [f"{DAYS} days", "ms of CPU"],
            [
                ["ours", f"{1000 * made.ours:.1f}"],
                ["`classical:forward`", f"{1000 * made.classical:.1f}"],
                ["ratio", f"{made.share:.3f} (goal: below {MOST:g})"],
            ],
        ),
        "By length of the history:",
        "",
        *table(LENGTH_COLUMNS, _by_length(made.by_days)),
        f"The cost grows {made.growth:.2f} times as fast as the history (goal: at",
        f"most {STEEPEST:g}, linear). A day more costs {made.steeper:.2f} times as",
        f"much from {DAYS} to {LENGTHS[-1]} days as from {LENGTHS[0]} to {DAYS}: the C",
        "library hands the arrays of a long history back and asks for them again.",
        "With `MALLOC_MMAP_THRESHOLD_` and `MALLOC_TRIM_THRESHOLD_` of 256 MiB it was",
        "1.04 times.",
    ]
    return "\n".join(lines) + "\n"


def _by_length(by_days: Mapping[int, float]) -> list[list[str]]:
    """A row of `LENGTH_COLUMNS` for each length."""
    base = by_days[LENGTHS[0]]
    return [
        [
            str(days),
            f"{1000 * seconds:.1f}",
            f"{days / LENGTHS[0]:.1f}",
            f"{seconds / base:.2f}",
        ]
        for days, seconds in by_days.items()
    ]


def main() -> None:
    """Measure, write the part, and fail where the promise is broken."""
    if not (BENCH / "bench.py").exists():
        print("no benchmark in ../shared/bench/correlation: nothing was measured")
        return
    made = cost(bench(), predictor(PREDICTOR))
    text = part(made)
    rewrite(PAGE, text)
    print(text)
    if made.share >= MOST:
        sys.exit(f"a patient costs {made.share:.3f} of the classical method's CPU")
    if made.growth > STEEPEST:
        sys.exit(f"the cost grows {made.growth:.2f} times as fast as the history")


if __name__ == "__main__":
    main()
