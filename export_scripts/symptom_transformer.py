"""The transformer over weekly patches: architecture, training, export, one file.

    python -m export_scripts.symptom_transformer            # or make export M=...

It reads 18 patches of a week and one token of numbers about the whole window, and adds
a correction to the quantiles of exponentially weighted climatology. The last layer
starts at zero, so an untrained net forecasts climatology and training can only move
away from it where that pays. Idea of patches: Nie et al. 2023 (PatchTST).

Each step draws new simulated people from a generator seeded by (seed, step), so a
resumed run sees exactly what an unbroken one would have seen.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from backend.twin.features import CONTEXT, CONTEXT_FEATURES, HISTORY_FEATURES, INPUTS
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts.cards import held_out
from export_scripts.datasets import Windows, level_weights, simulated_windows
from export_scripts.onnx_export import (
    MAX_BATCH,
    Export,
    add_places,
    places,
    proof_cases,
    publish,
)

MODEL = "symptom_transformer"
PATCH = 7  # days: one week is one token
WIDTH = 96  # of a token; three layers of it are a quarter of a million parameters
HEADS = 6
LAYERS = 3
BATCH = 512
STEPS = 1500  # the loss on new people is flat from about 1,000
WARM_UP = 100
PEAK_RATE = 2e-3
SAVE_EVERY = 100
TOLERANCE = 1e-4  # z units, ONNX against torch


class SymptomTransformer(nn.Module):
    """Quantiles of fourteen days in z units: climatology's plus a learnt correction."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Linear(PATCH * len(HISTORY_FEATURES), WIDTH)
        self.whole = nn.Linear(len(CONTEXT_FEATURES) + len(LEVELS), WIDTH)
        self.place = nn.Parameter(torch.randn(1 + CONTEXT // PATCH, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(2 * WIDTH)
        self.hidden = nn.Linear(2 * WIDTH, WIDTH)
        self.correction = nn.Linear(WIDTH, HORIZON * len(LEVELS))
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, history: Tensor, context: Tensor, anchor: Tensor) -> Tensor:
        """[b, 126, 2], [b, c], [b, 11] -> [b, 14, 11], which the twin sorts."""
        weeks = history.reshape(-1, CONTEXT // PATCH, PATCH * len(HISTORY_FEATURES))
        # asinh keeps small numbers and tames the far ends of the scale in z units
        numbers = torch.asinh(torch.cat([context, anchor], dim=1))  # (b, c + 11)
        tokens = [self.whole(numbers)[:, None], self.patch(torch.asinh(weeks))]
        x = torch.cat(tokens, dim=1) + self.place  # (b, 19, WIDTH)
        for layer in self.layers:
            x = layer(x)
        ends = torch.cat([x[:, 0], x[:, -1]], dim=1)  # the whole and the last week
        hidden = nn.functional.gelu(self.hidden(self.norm(ends)))
        correction: Tensor = self.correction(hidden)  # (b, 14 * 11)
        return anchor[:, None] + correction.reshape(-1, HORIZON, len(LEVELS))


class Layer(nn.Module):
    """One pre-norm encoder layer: attention between weeks, then a small network."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[b, token, WIDTH] -> the same shape."""
        tokens = x.shape[1]
        mixed = self.mix(self.norm1(x)).reshape(-1, tokens, 3, HEADS, WIDTH // HEADS)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)  # each (b, head, token, 16)
        score = query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        seen = (score.softmax(dim=3) @ value).transpose(1, 2)  # (b, token, head, 16)
        x = x + self.out(seen.reshape(-1, tokens, WIDTH))
        after: Tensor = x + self.feed(self.norm2(x))
        return after


def pinball(quantiles: Tensor, target: Tensor) -> Tensor:
    """The mean of `datasets.quantile_loss`, for training: [b, 14, 11], [b, 14]."""
    levels = torch.tensor(LEVELS, dtype=quantiles.dtype)
    weights = torch.tensor(level_weights(), dtype=quantiles.dtype)
    gap = target[:, :, None] - quantiles
    loss = torch.maximum(levels * gap, (levels - 1) * gap) * weights
    return 2 * loss.sum(2).mean()


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to nothing."""
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    share = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * share))


def train(
    *, seed: int, steps: int, batch: int = BATCH, checkpoint: Path
) -> SymptomTransformer:
    """A trained net; continues from `checkpoint` when that file is of the same run."""
    torch.manual_seed(seed)
    net = SymptomTransformer()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-4)
    run = {"seed": seed, "steps": steps, "batch": batch}
    done = _resume(checkpoint, run, net, optimiser)
    began = time.monotonic()
    for step in range(done, steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps)
        rng = np.random.default_rng([seed, step])
        history, context, anchor, target = tensors(simulated_windows(rng, batch))
        loss = pinball(net(history, context, anchor), target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            _save(checkpoint, {**run, "done": step + 1}, net, optimiser)
            seconds = time.monotonic() - began
            print(f"step {step + 1}/{steps}  loss {loss.item():.4f}  {seconds:.0f} s")
    return net


def tensors(windows: Windows) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """history, context, anchor, target."""
    arrays = windows.arrays
    columns = (arrays.history, arrays.context, arrays.anchor, windows.target)
    history, context, anchor, target = (torch.from_numpy(column) for column in columns)
    return history, context, anchor, target


def predict(net: SymptomTransformer, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The net's answer in torch, for figures and for the proof of parity."""
    net.eval()
    with torch.no_grad():
        parts = {name: torch.from_numpy(array) for name, array in inputs.items()}
        answer: np.ndarray = net(**parts).numpy()
    return answer


def to_onnx(net: SymptomTransformer) -> onnx.ModelProto:
    """The net as one ONNX graph with a free batch dimension."""
    net.eval()
    example = {
        "history": torch.zeros(2, CONTEXT, len(HISTORY_FEATURES)),
        "context": torch.zeros(2, len(CONTEXT_FEATURES)),
        "anchor": torch.zeros(2, len(LEVELS)),
    }
    batch = torch.export.Dim("batch", min=1, max=MAX_BATCH)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, which no argument of ours changes.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        program = torch.onnx.export(
            net,
            kwargs=example,
            dynamo=True,
            dynamic_shapes={name: {0: batch} for name in example},
            output_names=["quantiles"],
            opset_version=18,
            verbose=False,
        )
    if program is None:  # the signature allows it; the dynamo exporter never does it
        raise ValueError("torch exported nothing")
    graph: onnx.ModelProto = program.model_proto
    return graph


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, prove, sign and put a new version into the repository."""
    parser = argparse.ArgumentParser(description=MODEL)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--held-out", type=int, default=8000, help="people scored")
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    add_places(parser)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    net = train(
        seed=options.seed,
        steps=options.steps,
        batch=options.batch,
        checkpoint=options.work / f"{MODEL}.pt",
    )
    print("scoring on people held out, then proving the graph")
    cases = proof_cases(INPUTS[MODEL], seed=options.seed)
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
            "seed": options.seed,
            "windows": options.steps * options.batch,
            "steps": options.steps,
            "parameters": sum(p.numel() for p in net.parameters()),
        },
        libraries=("torch", "onnx", "onnxruntime", "numpy"),
    )
    publish(export, places(options))


def _save(
    checkpoint: Path,
    run: dict[str, int],
    net: SymptomTransformer,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Written beside and then moved, so that a killed run leaves a whole file."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {**run, "net": net.state_dict(), "optimiser": optimiser.state_dict()}
    fresh = checkpoint.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(checkpoint)


def _resume(
    checkpoint: Path,
    run: dict[str, int],
    net: SymptomTransformer,
    optimiser: torch.optim.Optimizer,
) -> int:
    """Steps already done; loads them into the net and the optimiser."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    if any(state.get(name) != value for name, value in run.items()):
        print("the checkpoint is of another run: starting anew")
        return 0
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    done: int = state["done"]
    print(f"continuing after step {done}")
    return done


if __name__ == "__main__":
    main()
