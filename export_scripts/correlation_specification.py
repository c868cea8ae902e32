"""The correlation network as first specified, on aligned raw streams; not shipped.

    python -m export_scripts.correlation_specification

A bidirectional LSTM, 3 layers of 256, over temporal convolutions, an encoder of its own
for each biometric, and attention that fuses them. It sees series, not statistics, so it
has to learn whitening itself; without a GPU it shows only that it builds, trains and
exports.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from backend.twin.correlation.model_inputs import ANSWER, BIOMETRICS, MODEL, OUTPUT
from backend.twin.simulation.wearables.batch import (
    WearableBatch,
    draw_shape,
    simulate_wearables,
)
from backend.twin.simulation.wearables.family import WIDE
from export_scripts.biometric_correlation import predict, proven, tensors
from export_scripts.command_line import positive, refusals_told
from export_scripts.correlation_data import true_links, wide
from export_scripts.correlation_net import LARGEST, NOTHING, loss
from export_scripts.onnx_export import bare
from export_scripts.torch_onnx import graph_of
from export_scripts.torch_training import Recipe, Run, Training, device_of, fit

BIN = 3  # hours: streams are aligned to their means
STEPS_OF_TIME = 93 * 24 // BIN  # 90 days and 72 hours before; shorter ones stand last
RECIPE = Recipe(32, 50_000, 5e-4, 0.0, patience=10, save_every=10)
CPU_STEPS, CPU_BATCH = 50, 4  # without a GPU: shows that it trains at all
CHECKED, CHECKED_SEED = 32, 7_700_003  # symptoms held apart
PROOF_ROWS = 4
GRAPH = Path(f"var/models/{MODEL}-specification.onnx")
Drawn = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # inputs, truth


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the net; `time` steps of `BIN` hours."""

    encoded: int = 32  # of each biometric
    hidden: int = 256
    layers: int = 3
    dropout: float = 0.2
    time: int = STEPS_OF_TIME


class RawCorrelation(nn.Module):
    """[b, 24, time] and [b, 2, time] -> [b, 12, 100]: the answer of the compact net."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.encoded
        self.width, every = width, BIOMETRICS * width
        self.encoders = _temporal(2 * BIOMETRICS, every, groups=BIOMETRICS)
        self.felt = _temporal(2, width, groups=1)
        self.fuse = nn.Linear(width, 1)
        self.memory = nn.LSTM(
            *(2 * width, shape.hidden, shape.layers),
            batch_first=True,
            bidirectional=True,
            dropout=shape.dropout if shape.layers > 1 else 0.0,
        )
        self.key = nn.Linear(2 * shape.hidden, width)
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(2 * shape.hidden + width, len(ANSWER))

    def forward(self, streams: Tensor, reports: Tensor) -> Tensor:
        """Standardised values and 1 where there is one: of biometrics, of reports."""
        b, _, time = streams.shape
        there = streams.reshape(b, BIOMETRICS, 2, time)[:, :, 1]  # (b, 12, time)
        each = self.encoders(streams).reshape(b, BIOMETRICS, self.width, time)
        each = each.transpose(2, 3)  # (b, 12, time, width)
        felt = self.felt(reports).transpose(1, 2)  # (b, time, width)
        score = self.fuse(torch.tanh(each + felt[:, None]))[..., 0]
        weight = torch.softmax(score + NOTHING * (1 - there), dim=1)[..., None]
        fused = torch.cat([(weight * each).sum(1), felt], dim=2)
        memory, _ = self.memory(fused)  # (b, time, 2 * hidden)
        match = (each * self.key(memory)[:, None]).sum(3) / self.width**0.5
        heard = torch.softmax(match, dim=2) @ memory  # (b, 12, 2 * hidden)
        told = self.head(self.drop(torch.cat([heard, each.mean(2)], dim=2)))
        known = there.amax(2)[:, :, None]
        parts = [
            torch.sigmoid(told[..., :1]),
            LARGEST * torch.tanh(told[..., 1:2]),
            nn.functional.softplus(told[..., 2:3]) + 1e-3,
            torch.softmax(told[..., 3:], dim=2),
        ]
        return torch.cat(parts, dim=2) * known


def _temporal(inside: int, outside: int, *, groups: int) -> nn.Sequential:
    """Three convolutions over time, ever wider apart, of each group by itself."""
    layers: list[nn.Module] = []
    for width, apart in ((inside, 1), (outside, 4), (outside, 16)):
        layers += [
            nn.Conv1d(width, outside, 3, 1, apart, apart, groups),
            nn.GELU(),
        ]
    return nn.Sequential(*layers)


def aligned(batch: WearableBatch, time: int) -> dict[str, np.ndarray]:
    """Float32 inputs, one row per patient and symptom, patient by patient."""
    people, symptoms, _ = batch.answers.shape
    hours = batch.values.shape[2]
    shown = _standard(_binned(batch.values, time))
    at = np.where(np.isfinite(batch.times), np.rint(batch.times), 0).astype(int)
    felt = np.full((people, symptoms, hours), np.nan, np.float32)
    who, which, report = np.nonzero(np.isfinite(batch.answers))
    felt[who, which, at[who, report]] = batch.answers[who, which, report]
    reports = _standard(_binned(felt, time)).reshape(-1, 2, time)
    streams = np.zeros((people, BIOMETRICS, 2, time), np.float32)
    streams[:, : shown.shape[1]] = shown
    flat = streams.reshape(people, 2 * BIOMETRICS, time)
    return {"streams": np.repeat(flat, symptoms, axis=0), "reports": reports}


def _binned(values: np.ndarray, time: int) -> np.ndarray:
    """Means of `BIN` hours, the last ones last: [.., hour] -> [.., time], NaN: none."""
    values = values[..., -time * BIN :]
    room = time * BIN - values.shape[-1]
    values = np.pad(
        values, [(0, 0)] * (values.ndim - 1) + [(room, 0)], constant_values=np.nan
    )
    bins = values.reshape(*values.shape[:-1], time, BIN)
    count = np.isfinite(bins).sum(-1)
    return np.where(count, np.nansum(bins, axis=-1) / np.maximum(count, 1), np.nan)


def _standard(values: np.ndarray) -> np.ndarray:
    """[.., time] -> [.., 2, time]: z over time, 0 where none is; whether one is."""
    there = np.isfinite(values)
    count = np.maximum(there.sum(-1, keepdims=True), 1)
    centred = np.where(there, values, 0)
    centred = np.where(there, centred - centred.sum(-1, keepdims=True) / count, 0)
    sd = np.sqrt((centred**2).sum(-1, keepdims=True) / count)
    z = centred / np.where(sd > 0, sd, 1)
    return np.stack([z, there], axis=-2).astype(np.float32)


def drawn(rng: np.random.Generator, count: int, time: int) -> Drawn:
    """Inputs and truth of so many symptoms of new patients of one shape."""
    shape = draw_shape(rng, WIDE)
    people = -(-count // shape[2])
    batch = simulate_wearables(rng, WIDE, people=people, shape=shape)
    truth = [true_links(batch.truth, i) for i in range(people)]
    whole = {
        n: wide(np.concatenate([one[n] for one in truth])[:count], BIOMETRICS)
        for n in truth[0]
    }
    inputs = {name: rows[:count] for name, rows in aligned(batch, time).items()}
    return inputs, whole


def train(
    shape: Shape, *, seed: int, steps: int, batch: int, checkpoint: Path
) -> Training[RawCorrelation]:
    """A trained net; continues from `checkpoint` when that file is of the same run."""
    run = Run(f"{MODEL}-specification", seed, steps, batch, "wide")
    torch.manual_seed(seed)
    apart = drawn(np.random.default_rng(CHECKED_SEED), CHECKED, shape.time)

    def loss_of(net: RawCorrelation, some: Drawn) -> Tensor:
        inputs, truth = (tensors(arrays, device_of(net)) for arrays in some)
        return loss(net(**inputs), truth)

    def held(net: RawCorrelation) -> float:
        net.eval()
        with torch.no_grad():
            return loss_of(net, apart).item()

    return fit(
        *(RawCorrelation(shape), RECIPE, run),
        checkpoint=checkpoint,
        loss=lambda net, rng: loss_of(net, drawn(rng, run.batch, shape.time)),
        apart=held,
    )


def to_onnx(net: RawCorrelation, time: int) -> onnx.ModelProto:
    """The net as one ONNX graph with a free number of symptoms."""
    example = {
        "streams": torch.zeros(2, 2 * BIOMETRICS, time),
        "reports": torch.zeros(2, 2, time),
    }
    return bare(graph_of(net, example, output=OUTPUT))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, prove at batch 1, write the graph."""
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument(
        "--steps", type=positive, default=RECIPE.steps if gpu else CPU_STEPS
    )
    parser.add_argument(
        "--batch", type=positive, default=RECIPE.batch if gpu else CPU_BATCH
    )
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    parser.add_argument("--graph", type=Path, default=GRAPH)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    training = train(
        Shape(),
        seed=options.seed,
        steps=options.steps,
        batch=options.batch,
        checkpoint=options.work / f"{MODEL}-specification.pt",
    )
    write(training.net.cpu(), options.graph, time=STEPS_OF_TIME)


def write(net: RawCorrelation, path: Path, *, time: int) -> float:
    """The graph's file, and its largest difference from torch at batch 1.

    Raises ModelRefused where that is over the tolerance.
    """
    cases, _ = drawn(np.random.default_rng(CHECKED_SEED), PROOF_ROWS, time)
    graph = to_onnx(net, time)
    difference = proven(graph, cases, predict(net, cases), batch=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.SerializeToString())
    print(f"wrote {path}: {graph.ByteSize()} bytes, parity {difference:.1e}")
    return difference


if __name__ == "__main__":
    with refusals_told():
        main()
