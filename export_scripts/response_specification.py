"""The response architecture as first specified; not shipped.

    make export M=treatment_response PRESET=specification          # var/models

A graph network over the medicine's molecule, a transformer encoder over the person's
history, 12 heads, width 768, layer norm and residuals. It takes and answers the same
columns as the compact net. Without a GPU it shows only that it builds, trains, exports
and can be served; its card says how far it got, and no promotion takes it.

As specified: AdamW at 2e-5 after a warm-up, 16 records a step, at most 30 epochs of
150,000 records with early stopping, weight decay .01. Not said there, so ours: six
layers, a feed-forward width of four times 768, dropout .1, the rate constant after a
warm-up of half an epoch, three epochs' patience, the compact net's loss.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backend.twin.pharmacogenomics.response_inputs import (
    CONDITIONS,
    MODEL,
    NUMBERS,
    OPTIONS,
    OUTPUT,
    PATIENT,
)
from export_scripts.correlation_card import Evidence
from export_scripts.latency import serving
from export_scripts.model_section import SPECIFIED
from export_scripts.onnx_export import Files
from export_scripts.response_card import card
from export_scripts.response_molecules import Molecules
from export_scripts.response_net import OUTCOMES, Responses
from export_scripts.response_training import (
    TOLERANCE,
    figures,
    logistic,
    predict,
    proof_cases,
    proven,
    run_of,
    to_onnx,
    train,
)
from export_scripts.torch_training import CHECK_EVERY, Recipe, Training
from export_scripts.unserved_version import write_version

PRESET = "specification"
RECORDS, BATCH, EPOCHS = 150_000, 16, 30
EPOCH = -(-RECORDS // BATCH)  # steps
WARM_UP, PATIENCE = EPOCH // 2, 3  # steps, epochs
CPU_STEPS = 50  # without a GPU: shows that it trains at all
CHECKED = 256  # records apart; each look costs forward passes of the whole net
PROOF_ROWS, SCORED = 16, 2_000
TRIALS = 8  # simulated people have five at most
RUNS = {1: 10, 16: 3}  # batch -> timed runs
NOTHING = -1e4  # a logit of what is absent
_PLAIN = slice(0, 2 * (len(NUMBERS) + len(CONDITIONS)))
_GENES = slice(_PLAIN.stop, PATIENT.index(f"failed_{OPTIONS[0]}"))
_TRIALS = slice(_GENES.stop, _GENES.stop + 2 * len(OPTIONS))


def warm_then_even(step: int, _steps: int, peak: float) -> float:
    """Up to the peak over the recipe's warm-up, then even; a short run stays below."""
    return peak * min(1.0, (step + 1) / WARM_UP)


RECIPE = Recipe(
    *(BATCH, EPOCHS * EPOCH, 2e-5, 0.01),
    patience=PATIENCE * EPOCH // CHECK_EVERY,
    save_every=10,
    rate=warm_then_even,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the net."""

    width: int = 768
    heads: int = 12
    layers: int = 6
    dropout: float = 0.1


class Layer(nn.Module):
    """One pre-norm encoder layer; what is not there is not looked at."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asks, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """[b, token, width] and 1 where there is one [b, token] -> as the first."""
        b, n, width = x.shape
        parts = self.asks(self.norm1(x)).reshape(b, n, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (b, head, n, each)
        score = query @ key.transpose(2, 3) / (width // self.heads) ** 0.5
        score = score + NOTHING * (1 - there[:, None, None])
        seen = (torch.softmax(score, dim=3) @ value).transpose(1, 2)
        x = x + self.drop(self.out(seen.reshape(b, n, width)))
        after: Tensor = x + self.drop(self.feed(self.norm2(x)))
        return after


class PharmacoTransformer(nn.Module):
    """[b, column] and [b, medicine] -> [b, outcomes + 1] log odds.

    Tokens: the medicine in question, what is known of the person, the genes, and one
    for each earlier medicine with what came of it, `TRIALS` of them at most.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.molecules = Molecules(shape.width, inside=128)
        self.person = nn.Linear(_PLAIN.stop, shape.width)
        self.genes = nn.Linear(_GENES.stop - _GENES.start, shape.width)
        self.outcome = nn.Linear(2, shape.width)
        self.role = nn.Parameter(0.02 * torch.randn(3, shape.width))
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.out = nn.Linear(shape.width, OUTCOMES + 1)

    def forward(self, patient: Tensor, drug: Tensor) -> Tensor:
        """Log odds of the outcomes, and last of being near."""
        vectors = self.molecules()
        earlier, tried = self._earlier(patient, vectors)
        first = torch.stack(
            [drug @ vectors, self.person(patient[:, _PLAIN]), self._genes(patient)],
            dim=1,
        )
        x = torch.cat([first + self.role, earlier], dim=1)
        there = torch.cat([torch.ones_like(tried[:, :3]), tried], dim=1)
        for layer in self.layers:
            x = layer(x, there)
        told: Tensor = self.out(self.norm(x[:, 0]))
        return told

    def _earlier(self, patient: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of earlier medicines [b, `TRIALS`, width]; 1 where there is one."""
        trials = patient[:, _TRIALS].unflatten(1, (len(OPTIONS), 2))
        tried, place = trials.sum(2).topk(TRIALS, dim=1)
        which = nn.functional.one_hot(place, len(OPTIONS)).float()
        return which @ vectors + self.outcome(which @ trials), tried

    def _genes(self, patient: Tensor) -> Tensor:
        found: Tensor = self.genes(patient[:, _GENES])
        return found


def make(options: argparse.Namespace) -> Path:
    """Train, prove, measure, write a version for a look; its folder."""
    gpu = torch.cuda.is_available()
    steps = options.steps or (RECIPE.steps if gpu else CPU_STEPS)
    run = run_of(PRESET, seed=options.seed, steps=steps, recipe=RECIPE)
    torch.manual_seed(options.seed)
    training = train(
        PharmacoTransformer(Shape()),
        recipe=RECIPE,
        run=run,
        checkpoint=options.work / f"{MODEL}-{PRESET}.pt",
        checked=CHECKED,
    )
    net = Responses(training.net.cpu())
    metrics = figures(
        net,
        seed=options.seed,
        plain=logistic(options.work, seed=options.seed),
        count=SCORED,
    )
    cases = {n: a[:PROOF_ROWS] for n, a in proof_cases().items()}
    graph, expected = to_onnx(net), predict(net, cases)
    off = proven(graph, cases, expected, batch=PROOF_ROWS)
    parity = {
        "tolerance": TOLERANCE,
        "max_abs": off,
        "rows": PROOF_ROWS,
        "batches": [1, PROOF_ROWS],
    }
    told = _told(training, seed=options.seed, net=net)
    made = card(Evidence(metrics, told, parity), serving(graph, cases, runs=RUNS))
    folder = write(graph, unfit(made), cases=cases, expected=expected, key=options.key)
    print(f"wrote {folder}, which no promotion takes")
    return folder


def _told(
    training: Training[nn.Module], *, seed: int, net: nn.Module
) -> dict[str, Any]:
    """What the card says of the training; finished where nothing cut it short."""
    return {
        "preset": PRESET,
        "seed": seed,
        "batch": BATCH,
        "steps": training.done,
        "windows": training.done * BATCH,
        "steps_of_the_recipe": RECIPE.steps,
        "finished": False,
        "parameters": sum(p.numel() for p in net.parameters()),
    }


def unfit(found: dict[str, Any]) -> dict[str, Any]:
    """The card with what it is not fit for; version 1, which nothing numbers."""
    done, whole = (found["training"][n] for n in ("steps", "steps_of_the_recipe"))
    words = (
        f"Not fit for production: {done:,} of the recipe's {whole:,} training steps. "
        "It shows that the architecture as first specified builds, trains, exports "
        "and can be served."
    )
    said = {name: {"value": words} for name in ("intended_use", "cautioned_uses")}
    return {
        **found,
        "version": 1,
        "intended_use": words,
        "out_of_scope": "Every use on a person's record.",
        "source_attributes": {**found["source_attributes"], **said},
    }


def write(
    graph: Any,
    told: dict[str, Any],
    *,
    cases: dict[str, np.ndarray],
    expected: np.ndarray,
    key: Path,
    repository: Path = SPECIFIED,
) -> Path:
    """As `write_version`."""
    files = Files(graph, told, cases, expected, OUTPUT)
    return write_version(files, MODEL, repository=repository, key=key)
