"""The transformer over weekly patches: architecture, training, export, one file.

    make export M=symptom_transformer                       # compact, shipped
    make export M=symptom_transformer PRESET=specification

It reads 18 patches of a week and one token of numbers about the whole window, and adds
to the quantiles of exponentially weighted climatology a correction for each of the
fourteen days and for their mean. The last layer starts at zero, so an untrained net
forecasts climatology and training can only move away from it where that pays. Idea of
patches: Nie et al. 2023 (PatchTST).

Each step of the training draws new simulated people.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from backend.twin.features import CONTEXT, CONTEXT_FEATURES, HISTORY_FEATURES, INPUTS
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts import torchscript
from export_scripts.cards import held_out
from export_scripts.command_line import positive, refusals_told
from export_scripts.datasets import Windows, level_weights, origin, simulated_windows
from export_scripts.onnx_export import (
    GOLDEN_ROWS,
    MAX_BATCH,
    PROOF_ROWS,
    Export,
    add_places,
    places,
    proof_cases,
    publish,
)
from export_scripts.torch_onnx import graph_of
from export_scripts.torch_training import Recipe, Run, Training, device_of, fit

MODEL = "symptom_transformer"
PATCH = 7  # days: one week is one token
NUMBERS = len(CONTEXT_FEATURES) + len(LEVELS)  # about the whole window
DENSE = 4  # widths of the dense net
CHECKED = 2000  # simulated people whose loss says when to stop
CHECKED_SEED = 7_700_002
CHUNK = 256  # windows per forward pass when nothing is learnt: keeps memory small
TOLERANCE = 1e-4  # z units, ONNX against torch


@dataclass(frozen=True, slots=True)
class Preset:
    """Size of a net, the recipe of its training, and where its versions go."""

    width: int  # of a token
    heads: int
    encoders: int
    decoders: int
    feed: int  # width inside a layer's small network
    dropout: float
    recipe: Recipe
    repository: Path
    size_limit: int  # bytes


PRESETS = {
    # shipped: trains on two cores in minutes
    "compact": Preset(
        *(64, 4, 2, 1, 128, 0.0),
        Recipe(512, 3000, 2e-3, 1e-4, patience=1000, save_every=100),
        *(Path("model_repository"), 20_000_000),
    ),
    # as first specified; made for a GPU, and too large to be committed
    "specification": Preset(
        *(512, 8, 6, 6, 2048, 0.1),
        Recipe(64, 50_000, 1e-4, 1e-5, patience=10, save_every=10),
        *(Path("var/models"), 400_000_000),
    ),
}
CPU_STEPS = 50  # of `specification` where there is no GPU: shows that it trains at all


class SymptomTransformer(nn.Module):
    """Quantiles of fourteen days and of their mean in z units.

    Climatology's quantiles plus a learnt correction, the sum of two. An encoder reads
    the weeks and one token about the whole window, and a decoder asks them once for
    every row ahead; and a small dense net answers from the numbers about the window
    alone, which carry most of what can be known.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        width = preset.width
        self.patch = nn.Linear(PATCH * len(HISTORY_FEATURES), width)
        self.register_buffer("centre", torch.zeros(NUMBERS))
        self.register_buffer("spread", torch.ones(NUMBERS))
        self.dense = nn.Sequential(
            *(nn.Linear(NUMBERS, DENSE * width), nn.GELU()),
            *(nn.Linear(DENSE * width, DENSE * width), nn.GELU()),
        )
        self.whole = nn.Linear(DENSE * width, width)
        self.direct = nn.Linear(DENSE * width, (HORIZON + 1) * len(LEVELS))
        self.place = nn.Parameter(torch.randn(1 + CONTEXT // PATCH, width) * 0.02)
        self.ahead = nn.Parameter(torch.randn(HORIZON + 1, width) * 0.02)
        self.encoders = nn.ModuleList(Layer(preset) for _ in range(preset.encoders))
        self.decoders = nn.ModuleList(
            Layer(preset, asks=True) for _ in range(preset.decoders)
        )
        self.norm = nn.LayerNorm(width)
        self.correction = nn.Linear(width, len(LEVELS))
        for last in (self.direct, self.correction):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, history: Tensor, context: Tensor, anchor: Tensor) -> Tensor:
        """[b, 126, 3], [b, c], [b, 11] -> [b, 15, 11], which the twin sorts."""
        weeks = history.reshape(-1, CONTEXT // PATCH, PATCH * len(HISTORY_FEATURES))
        # asinh keeps small numbers and tames the far ends of the scale in z units
        numbers = torch.asinh(torch.cat([context, anchor], dim=1))  # (b, c + 11)
        dense = self.dense((numbers - self.centre) / self.spread)  # (b, DENSE * width)
        whole = self.whole(dense)[:, None]  # (b, 1, width)
        x = torch.cat([whole, self.patch(torch.asinh(weeks))], dim=1) + self.place
        for layer in self.encoders:
            x = layer(x, x)  # (b, 19, width)
        rows = x[:, :1] + self.ahead  # (b, 15, width)
        for layer in self.decoders:
            rows = layer(rows, x)
        direct = self.direct(dense).reshape(-1, HORIZON + 1, len(LEVELS))
        correction: Tensor = direct + self.correction(self.norm(rows))  # (b, 15, 11)
        return anchor[:, None] + correction

    def standardise(self, windows: Windows) -> None:
        """Take the centre and spread of the numbers about a window from `windows`."""
        arrays = windows.arrays
        numbers = np.arcsinh(np.concatenate([arrays.context, arrays.anchor], axis=1))
        self.centre.copy_(torch.from_numpy(numbers.mean(0)))
        self.spread.copy_(torch.from_numpy(numbers.std(0) + 1e-3))


class Attention(nn.Module):
    """Several heads of scaled dot products, in operations that ONNX knows."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.heads, width = preset.heads, preset.width
        self.query, self.pair = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.drop = nn.Dropout(preset.dropout)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """[b, n, width] asks [b, m, width] -> [b, n, width]."""
        each = x.shape[2] // self.heads
        query = self.query(x).reshape(-1, x.shape[1], self.heads, each)
        pair = self.pair(source).reshape(-1, source.shape[1], 2, self.heads, each)
        key, value = pair.permute(2, 0, 3, 1, 4)  # each (b, head, m, each)
        score = query.transpose(1, 2) @ key.transpose(2, 3) / math.sqrt(each)
        seen = (self.drop(score.softmax(dim=3)) @ value).transpose(1, 2)
        answer: Tensor = self.out(seen.reshape(-1, x.shape[1], x.shape[2]))
        return answer


class Layer(nn.Module):
    """A pre-norm layer: attention, in a decoder also to itself, a small network."""

    def __init__(self, preset: Preset, *, asks: bool = False) -> None:
        super().__init__()
        width = preset.width
        self.own = Attention(preset)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.other = Attention(preset) if asks else None
        self.norm3 = nn.LayerNorm(width) if asks else None
        self.feed = nn.Sequential(
            nn.Linear(width, preset.feed), nn.GELU(), nn.Linear(preset.feed, width)
        )
        self.drop = nn.Dropout(preset.dropout)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """[b, n, width] and what a decoder asks [b, m, width] -> [b, n, width]."""
        own = self.norm1(x)
        x = x + self.drop(self.own(own, own))
        if self.other is not None and self.norm3 is not None:
            x = x + self.drop(self.other(self.norm3(x), source))
        after: Tensor = x + self.drop(self.feed(self.norm2(x)))
        return after


def pinball(quantiles: Tensor, target: Tensor) -> Tensor:
    """The mean of `datasets.quantile_loss`, for training: [b, 14, 11], [b, 14]."""
    levels = torch.tensor(LEVELS, dtype=quantiles.dtype)
    weights = torch.tensor(level_weights(), dtype=quantiles.dtype)
    gap = target[:, :, None] - quantiles
    loss = torch.maximum(levels * gap, (levels - 1) * gap) * weights
    return 2 * loss.sum(2).mean()


def train(
    preset: str,
    *,
    seed: int,
    steps: int,
    checkpoint: Path,
    batch: int | None = None,
) -> Training[SymptomTransformer]:
    """A trained net; continues from `checkpoint` when that file is of the same run.

    `batch` replaces the preset's.
    """
    recipe = PRESETS[preset].recipe
    run = Run(preset, seed, steps, batch or recipe.batch, origin())
    torch.manual_seed(seed)
    net = SymptomTransformer(PRESETS[preset])
    people = simulated_windows(np.random.default_rng(CHECKED_SEED), CHECKED)
    net.standardise(people)

    def loss(net: SymptomTransformer, rng: np.random.Generator) -> Tensor:
        parts = tensors(simulated_windows(rng, run.batch))
        history, context, anchor, target = (x.to(device_of(net)) for x in parts)
        return pinball(net(history, context, anchor), target)

    return fit(
        *(net, recipe, run),
        checkpoint=checkpoint,
        loss=loss,
        apart=lambda net: _loss_on(net, people),
    )


def _loss_on(net: SymptomTransformer, people: Windows) -> float:
    answer = predict(net, {n: getattr(people.arrays, n) for n in INPUTS[MODEL]})
    target = torch.from_numpy(people.target)
    return pinball(torch.from_numpy(answer), target).item()


def tensors(windows: Windows) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """history, context, anchor, target."""
    arrays = windows.arrays
    columns = (arrays.history, arrays.context, arrays.anchor, windows.target)
    history, context, anchor, target = (torch.from_numpy(column) for column in columns)
    return history, context, anchor, target


def predict(net: SymptomTransformer, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The net's answer in torch, for figures and for the proof of parity."""
    net.eval()
    device, found = device_of(net), []
    with torch.no_grad():
        for start in range(0, len(inputs["anchor"]), CHUNK):
            rows = {n: a[start : start + CHUNK] for n, a in inputs.items()}
            parts = {n: torch.from_numpy(a).to(device) for n, a in rows.items()}
            found.append(net(**parts).cpu().numpy())
    return np.concatenate(found)


def to_onnx(net: SymptomTransformer) -> onnx.ModelProto:
    """The net as one ONNX graph with a free batch dimension."""
    example = {
        "history": torch.zeros(2, CONTEXT, len(HISTORY_FEATURES)),
        "context": torch.zeros(2, len(CONTEXT_FEATURES)),
        "anchor": torch.zeros(2, len(LEVELS)),
    }
    return graph_of(net, example, output="quantiles")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, prove, sign and put a new version into the repository."""
    options = _options(arguments)
    preset = PRESETS[options.preset]
    torch.set_num_threads(options.threads)
    work = options.work / f"{MODEL}-{options.preset}.pt"
    training = train(
        options.preset,
        seed=options.seed,
        steps=options.steps,
        batch=options.batch,
        checkpoint=work,
    )
    print("scoring on people held out, then proving the graph")
    net = training.net.cpu()
    cases = proof_cases(INPUTS[MODEL], seed=options.seed, rows=options.proof)
    export = Export(
        model=MODEL,
        graph=to_onnx(net),
        cases=cases,
        expected=predict(net, cases),
        tolerance=TOLERANCE,
        metrics=held_out(
            lambda x: predict(net, x), INPUTS[MODEL], count=options.held_out
        ),
        training={
            "preset": options.preset,
            "seed": options.seed,
            "windows": training.done * (options.batch or preset.recipe.batch),
            "steps": training.done,
            "steps_of_the_recipe": preset.recipe.steps,
            "parameters": sum(p.numel() for p in net.parameters()),
        },
        libraries=("torch", "onnx", "onnxruntime", "numpy"),
    )
    if options.torchscript:
        script = work.with_suffix(".torchscript.pt")
        torchscript.write(net, cases, export.expected, path=script)
    publish(export, places(options, size_limit=preset.size_limit))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=MODEL)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="compact")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=positive, help="instead of the preset's")
    parser.add_argument("--batch", type=positive, help="instead of the preset's")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--held-out", type=positive, help="people scored")
    parser.add_argument("--proof", type=positive, help="rows of the proof of parity")
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    add_places(parser)
    torchscript.add_option(parser)
    options = parser.parse_args(arguments)
    if options.proof and options.proof < MAX_BATCH:
        parser.error(f"--proof: {MAX_BATCH} rows at least are proven together")
    preset = PRESETS[options.preset]
    large = options.preset == "specification"
    slow = large and not torch.cuda.is_available()
    options.steps = options.steps or (CPU_STEPS if slow else preset.recipe.steps)
    options.held_out = options.held_out or (300 if slow else 8000)
    options.proof = options.proof or (GOLDEN_ROWS if large else PROOF_ROWS)
    options.repository = options.repository or preset.repository
    return options


if __name__ == "__main__":
    with refusals_told():
        main()
