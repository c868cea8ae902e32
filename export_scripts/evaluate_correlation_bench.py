"""The shared benchmark of correlations: its patients, its scores, its recorded rows.

It lies outside this repository and is loaded by its path; the served path is loaded by
its name, as the benchmark does it, for training code imports no service.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from export_scripts.markdown import table

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench" / "correlation"
CELLS = ((30, 1), (30, 4), (90, 1), (90, 4))  # days, reports a day
WORLDS = ("coupled", "clean")
PATIENTS = 60  # as the recorded rows
NOT_CLASSICAL = ("oracle", "small network")
BEST = "forward partial GLS"  # of the classical methods
SHOWN = ("whitened max, p <= 0.05", BEST, "small network, p > 0.8")
COLUMNS = (
    *("acc", "tpr", "fpr", "lag_mae", "lag_day", "f1", "sign"),
    *("ci90", "lag90", "ece", "auc"),
)
HOURS = {"lag_mae", "lag_day"}

Cell = tuple[int, int]
Predictor = Callable[[Any], Sequence[Any]]


class Bench(NamedTuple):
    """The benchmark's modules, and the folder of wearables beside it."""

    bench: Any
    simulator: Any
    placebo: Any
    classical: Any
    data: Path


class Goal(NamedTuple):
    """What a cell's figure should be; `low` and `high` may be open."""

    low: float | None = None
    high: float | None = None

    def met(self, value: float) -> bool:
        """Whether it is; a figure that is not a number is not."""
        above = self.low is None or value >= self.low
        return bool(np.isfinite(value)) and above and not self.above(value)

    def above(self, value: float) -> bool:
        """Whether a value is beyond the upper end."""
        return self.high is not None and value > self.high

    def __str__(self) -> str:
        if self.low is None:
            return f"≤ {self.high:g}"
        return f"≥ {self.low:g}" if self.high is None else f"{self.low:g}–{self.high:g}"


_INSIDE = Goal(0.86, 0.94)
_EVERYWHERE = {"fpr": Goal(high=0.06), "ci90": _INSIDE, "lag90": _INSIDE}
GOALS: Mapping[Cell, Mapping[str, Goal]] = {
    (30, 1): {**_EVERYWHERE, "tpr": Goal(0.20), "auc": Goal(0.69)},
    (30, 4): {
        **_EVERYWHERE,
        "tpr": Goal(0.50),
        "auc": Goal(0.86),
        "lag_day": Goal(high=2.2),
    },
    (90, 1): {**_EVERYWHERE, "tpr": Goal(0.50), "auc": Goal(0.86)},
    (90, 4): {
        **_EVERYWHERE,
        "tpr": Goal(0.92),
        "auc": Goal(0.98),
        "lag_day": Goal(high=0.7),
    },
}


def bench(folder: Path = BENCH) -> Bench:
    """The benchmark in `folder`; raises ModuleNotFoundError where there is none."""
    names = ("bench", "simulator", "placebo", "classical")
    sys.path.insert(0, str(folder))
    try:
        scores, simulator, placebo, classical = map(importlib.import_module, names)
    finally:
        sys.path.remove(str(folder))
        for name in (*names, "patient"):  # everyday words: leave them to others
            sys.modules.pop(name, None)
    data = folder.parents[1] / "data" / "biometrics"
    return Bench(scores, simulator, placebo, classical, data)


def predictor(name: str) -> Predictor:
    """The function called `package.module:function`."""
    module, _, function = name.partition(":")
    found: Predictor = getattr(importlib.import_module(module), function)
    return found


def title(cell: Cell) -> str:
    """A cell as the benchmark writes it."""
    return f"{cell[0]}x{cell[1]}"


def scored(
    found: Bench, ask: Predictor, world: str, cell: Cell, *, patients: int = PATIENTS
) -> dict[str, Any]:
    """The benchmark's figures of one cell of its frozen patients.

    `at_their_fpr`: per recorded classical method, its share of links found and ours if
    p(link) alone decided, at as many false ones as it has.
    """
    answers, truths, seconds = [], [], 0.0
    for index in range(patients):
        patient, truth = found.simulator.development_patient(
            index, *cell, world == "coupled"
        )
        began = time.process_time()
        told = ask(patient)
        seconds += time.process_time() - began
        answers.append(found.bench.matrices(told))
        truths.append(truth)
    p_link = np.stack([one["p_link"] for one in answers])
    linked = np.isfinite(np.stack([one.weight for one in truths]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lags where a draw has no link found
        errors = found.bench.spread(answers, truths)
    return {
        **found.bench.scores(answers, truths),
        "errors": errors,
        "ms": 1000 * seconds / patients,
        "pairs": int(linked.size),
        "at_their_fpr": {
            row["method"]: [row["tpr"], tpr_at(p_link[linked], p_link[~linked], row)]
            for row in recorded(found, world, cell)
            if not row["method"].startswith(NOT_CLASSICAL)
        },
    }


def tpr_at(linked: np.ndarray, unlinked: np.ndarray, row: Mapping[str, Any]) -> float:
    """Share of linked pairs above the limit that lets through `row["fpr"]` of others.

    No more of the others pass than that share of them, ties included.
    """
    allowed = int(np.floor(row["fpr"] * len(unlinked) + 1e-9))
    if allowed >= len(unlinked):
        return 1.0
    return float((linked > np.sort(unlinked)[::-1][allowed]).mean())


def recorded(found: Bench, world: str, cell: Cell) -> list[Mapping[str, Any]]:
    """The recorded rows of a cell."""
    path = Path(found.bench.__file__).with_name("baseline.json")
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [r for r in rows if (r["world"], r["days"], r["per_day"]) == (world, *cell)]


def section(
    found: Bench, name: str, cells: Mapping[tuple[str, Cell], Mapping[str, Any]]
) -> list[str]:
    """One table a cell: recorded rows, ours with its standard errors, the goals."""
    lines = [
        f"## The benchmark's patients, {PATIENTS} a cell",
        "",
        f"    python ../shared/bench/correlation/bench.py --predictor {name} "
        f"--world coupled --patients {PATIENTS}",
        "",
        *INTRODUCTION.splitlines(),
        "",
    ]
    missed = []
    for (world, cell), ours in cells.items():
        lines += _cell(found, world, cell, ours)
        missed += [f"{world} {title(cell)}: {what}" for what in misses(cell, ours)]
    told = [f"- {one}" for one in missed] or ["Every goal is met."]
    return [*lines, "### Goals missed", "", *told, ""]


INTRODUCTION = """\
Frozen patients, known direct links, scored by the benchmark's own code on what is
published. `tpr` and `fpr` are of published direct links; `lag_day` is the mean error in
hours without the nightly value; `ci90` and `lag90` are the shares inside the published
90 % intervals; `ece` and `auc` are of p(link) over all pairs. Rows but the last two are
recorded ones."""


def _cell(
    found: Bench, world: str, cell: Cell, ours: Mapping[str, Any]
) -> Sequence[str]:
    rows = [
        [r["method"], *(number(c, r.get(c)) for c in COLUMNS)]
        for r in recorded(found, world, cell)
        if r["method"] in SHOWN or r["method"].startswith("oracle")
    ]
    goals = GOALS[cell]
    rows.append(["**MindTwin**", *(number(c, ours[c]) for c in COLUMNS)])
    rows.append(["*goal*", *(str(goals.get(c, "")) for c in COLUMNS)])
    errors = ", ".join(f"{k} {v:.3f}" for k, v in ours["errors"].items())
    method, theirs, own = least_margin(ours)
    best, at_best = ours["at_their_fpr"][BEST]
    return [
        f"### {world.capitalize()} world, {title(cell)}",
        "",
        *table(["method", *COLUMNS], rows),
        f"{ours['pairs']} pairs; standard errors over patients: {errors}. Ranked by "
        f"p(link), at the false-positive rate of {BEST}: {at_best:.3f} of the links "
        f"(it {best:.3f}); the least margin to any recorded classical method, at its "
        f"own rate, is "
        f"{own - theirs:+.3f} ({method}). {ours['ms']:.0f} ms of CPU per patient.",
        "",
    ]


def least_margin(ours: Mapping[str, Any]) -> tuple[str, float, float]:
    """The classical method we beat by least at its rate: name, its share, ours."""
    pairs = ours["at_their_fpr"]
    method = min(pairs, key=lambda name: pairs[name][1] - pairs[name][0])
    return method, pairs[method][0], pairs[method][1]


def misses(cell: Cell, ours: Mapping[str, Any]) -> list[str]:
    """The goals that a cell does not meet, in words."""
    found = [
        f"{column} {number(column, ours[column])} (goal {goal})"
        for column, goal in GOALS[cell].items()
        if not goal.met(ours[column])
    ]
    theirs, own = ours["at_their_fpr"][BEST]
    if own < theirs:
        found.append(f"{own:.3f} of the links at the rate of {BEST}, which has more")
    return found


def number(column: str, value: float | None) -> str:
    """A figure of a table; a dot where there is none."""
    if value is None or not np.isfinite(value):
        return "."
    return f"{value:.1f}" if column in HOURS else f"{value:.3f}"
