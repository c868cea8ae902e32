"""A medicine's vector from its molecule: a small graph network over constants.

    python -m export_scripts.response_molecules

Compares it with the learnt vector per medicine, on the same records and with medicines
left out of the training, and writes that with what the cards say into
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend.twin.pharmacogenomics.drugs import drugs
from backend.twin.pharmacogenomics.response_inputs import (
    OPTIONS,
)
from backend.twin.simulation.treatments import (
    Treatments,
    chances,
    simulate_treatments,
)
from export_scripts.command_line import positive, refusals_told
from export_scripts.correlation_scores import auc
from export_scripts.markdown import table
from export_scripts.molecules import BONDS, FEATURES, tensors_of
from export_scripts.page import commit, machine, rewrite
from export_scripts.real_windows import ROOT
from export_scripts.response_data import Rows, drawn, drawn_without, rows_of
from export_scripts.response_net import Compact, OneHot
from export_scripts.response_scores import log_score
from export_scripts.response_section import part
from export_scripts.response_training import predict, run_of, sigmoid, train
from export_scripts.torch_training import Recipe

PAGE = ROOT / "docs" / "benchmarks.md"
SCORED_SEED = 7_900_004
# One with near relatives among the others, one with a mirror image, one without any.
LEFT_OUT = ("nortriptyline", "citalopram", "vortioxetine")
SEEDS = (1, 2)
RECIPE = Recipe(1024, 1_500, 3e-3, 1e-4, patience=25, save_every=500)
HEAD = ["what stands for the medicine", "AUC", "log score", "of side effects"]


class Molecules(nn.Module):
    """A vector per medicine from its atoms and bonds, [medicine, width]."""

    nodes: Tensor
    edges: Tensor
    share: Tensor

    def __init__(self, width: int, *, inside: int = 32, rounds: int = 3) -> None:
        super().__init__()
        nodes, edges = tensors_of([drugs()[one].smiles or "" for one in OPTIONS])
        there = nodes.any(2, keepdims=True)
        for name, array in (
            ("nodes", nodes),
            ("edges", edges),
            ("share", (there / there.sum(1, keepdims=True)).astype(np.float32)),
        ):
            self.register_buffer(name, torch.from_numpy(array))
        self.atom = nn.Linear(FEATURES, inside)
        self.passed = nn.ModuleList(
            nn.Linear((1 + len(BONDS)) * inside, inside) for _ in range(rounds)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(inside) for _ in range(rounds))
        self.out = nn.Linear(2 * inside, width)

    def forward(self) -> Tensor:
        """Messages along each kind of bond, then mean and maximum over the atoms."""
        there = (self.share > 0).float()
        x = self.atom(self.nodes) * there  # (medicine, atom, inside)
        for layer, norm in zip(self.passed, self.norms, strict=True):
            heard = [self.edges[:, kind] @ x for kind in range(len(BONDS))]
            told = nn.functional.gelu(layer(torch.cat([x, *heard], dim=2)))
            x = (x + norm(told)) * there
        most = (x + 1e4 * (there - 1)).amax(1)
        vectors: Tensor = self.out(torch.cat([(x * self.share).sum(1), most], dim=1))
        return vectors


KINDS = {"its name": OneHot, "its molecule": Molecules}


Figures = dict[str, list[list[float]]]  # by what stands for it, for each training


def compared(work: Path, *, steps: int, count: int, left_out: Sequence[str]) -> Figures:
    """Figures of both, on fresh records: of every medicine, or of those left out."""
    places = np.array([OPTIONS.index(one) for one in left_out], dtype=int)
    rows = _scored(count, places)
    draw = partial(drawn_without, left_out=places) if left_out else drawn
    found: Figures = {}
    for name, kind in KINDS.items():
        for seed in SEEDS:
            torch.manual_seed(seed)
            label = f"{kind.__name__}-{'-'.join(left_out)}"
            run = run_of(label, seed=seed, steps=steps, recipe=RECIPE)
            path = work / f"{run.preset}-{seed}.pt"
            trunk = Compact(kind)
            training = train(trunk, recipe=RECIPE, run=run, checkpoint=path, draw=draw)
            told = sigmoid(predict(training.net.cpu(), rows.inputs)[:, :-1])
            found.setdefault(name, []).append(_figures(told, rows))
    found["the simulator's own probabilities"] = [_figures(rows.chance, rows)]
    return found


def _scored(count: int, places: np.ndarray) -> Rows:
    """Fresh records with nothing missing, of these medicines; of all if there are none.

    One that was left out of the training has no vector under its name: there its
    column is all that a server could give.
    """
    rng = np.random.default_rng(SCORED_SEED)
    made = simulate_treatments(rng, count=count)
    option = rng.choice(places, size=count) if len(places) else made.option
    chance = chances(made.facts, option)
    outcome = (rng.random(chance.shape) < chance).astype(np.float64)
    return rows_of(Treatments(made.facts, option, chance, outcome), made.facts)


def _figures(told: np.ndarray, rows: Rows) -> list[float]:
    hit = rows.outcome > 0
    each = [log_score(told[:, i], hit[:, i]) for i in range(1, hit.shape[1])]
    return [
        auc(told[:, 0], hit[:, 0]),
        log_score(told[:, 0], hit[:, 0]),
        float(np.mean(each)),
    ]


def section(every: Figures, without: Figures, *, steps: int, count: int) -> list[str]:
    """The page's section."""
    return [
        *["## Molecule or name", ""],
        f"    python -m export_scripts.response_molecules --steps {steps}",
        *["", f"- code: {commit(ROOT)}", f"- machine: {machine()}", ""],
        "The compact net with a learnt vector per medicine (its name), and with a",
        "graph network over its atoms and bonds (its molecule):",
        f"{RECIPE.batch:,} records a step, {steps:,} steps, {len(SEEDS)} trainings,",
        f"scored on {count:,} fresh simulated records. Log scores: lower is better;",
        "that of side effects is the mean over them. Means over the trainings, with",
        "the least and the largest.",
        *["", "Every medicine known:", "", *table(HEAD, _cells(every))],
        f"Of {', '.join(LEFT_OUT)}, which nobody in the training was",
        "given (under its name such a medicine has a vector that learnt nothing):",
        *["", *table(HEAD, _cells(without))],
        "A lower log score of the response in every training, as promotions weigh it:",
        f"{_better(every)} where every medicine is known, {_better(without)} where it",
        "is not. The graph network is in production only if it is the better one where",
        "every medicine is known; for others the model gives no answer. The simulator",
        "takes nothing from a molecule's shape, so a gain for new medicines would say",
        "how alike relatives are in its tables, no more.",
        "",
    ]


def _better(found: Figures) -> str:
    """Whose log scores of the response are all below the other's."""
    name, molecule = ([each[1] for each in found[one]] for one in KINDS)
    if max(molecule) < min(name):
        return "the molecule"
    return "the name" if max(name) < min(molecule) else "neither"


def _cells(found: Figures) -> list[list[str]]:
    return [
        [name, *(_cell(column) for column in zip(*each, strict=True))]
        for name, each in found.items()
    ]


def _cell(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.4f}"
    return mean + (f" [{min(values):.4f}, {max(values):.4f}]" if values[1:] else "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and write the part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=positive, default=RECIPE.steps)
    parser.add_argument("--count", type=positive, default=100_000)
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    asked = {"steps": options.steps, "count": options.count}
    every = compared(options.work, left_out=(), **asked)
    without = compared(options.work, left_out=LEFT_OUT, **asked)
    rewrite(options.page, part(section(every, without, **asked)))


if __name__ == "__main__":
    with refusals_told():
        main()
