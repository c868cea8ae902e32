"""The correlation network as first specified, on aligned raw streams; not shipped.

    python -m export_scripts.correlation_specification                      # var/models

A bidirectional LSTM, 3 layers of 256, over temporal convolutions, an encoder of its own
for each biometric, and attention that fuses them. It sees series, not statistics, so it
has to learn whitening itself; without a GPU it shows only that it builds, trains,
exports and can be served.

As specified: Adam at 5e-4 in steps down, 32 records a step, at most 50 epochs of
250,000 records with early stopping, dropout .2. Not said there, so ours: the rate
halves every ten epochs; early stopping waits five; the loss is the compact net's; a
gradient is cut at norm 1.
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
from export_scripts.best_weights import fit_best
from export_scripts.biometric_correlation import predict, proven, tensors
from export_scripts.command_line import positive, refusals_told
from export_scripts.correlation_net import LARGEST, NOTHING, loss
from export_scripts.correlation_specification_card import Built, figures, write
from export_scripts.correlation_streams import (
    STEPS_OF_TIME,
    Arrays,
    drawn,
    drawn_shape,
    people_for,
)
from export_scripts.model_section import SPECIFIED
from export_scripts.onnx_export import bare
from export_scripts.torch_onnx import graph_of
from export_scripts.torch_training import (
    CHECK_EVERY,
    Recipe,
    Run,
    Training,
    device_of,
)

PRESET = "specification"
RECORDS, BATCH, EPOCHS = 250_000, 32, 50
EPOCH = -(-RECORDS // BATCH)  # steps
HALVED_EVERY, PATIENCE = 10, 5  # epochs


def step_decay(step: int, _steps: int, peak: float) -> float:
    """Half the rate after every `HALVED_EVERY` epochs of the recipe.

    A shorter run has the first part of the recipe's course, not all of it.
    """
    return peak * 0.5 ** (step // (HALVED_EVERY * EPOCH))


RECIPE = Recipe(
    *(BATCH, EPOCHS * EPOCH, 5e-4, 0.0),
    patience=PATIENCE * EPOCH // CHECK_EVERY,
    save_every=10,
    rate=step_decay,
)
CPU_STEPS = 50  # without a GPU: shows that it trains at all
CHECKED, CHECKED_SEED = (32,) * 6, 7_700_003  # symptoms held apart, of six shapes
PROOF_ROWS = 16


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the net; `time` steps of three hours."""

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
        """Standardised values and 1 where there is one: of biometrics, of reports.

        Where a biometric was not measured it is neither fused nor looked at.
        """
        b, _, time = streams.shape
        there = streams.reshape(b, BIOMETRICS, 2, time)[:, :, 1]  # (b, 12, time)
        each = self.encoders(streams).reshape(b, BIOMETRICS, self.width, time)
        each = each.transpose(2, 3) * there[..., None]  # (b, 12, time, width)
        felt = self.felt(reports).transpose(1, 2)  # (b, time, width)
        score = self.fuse(torch.tanh(each + felt[:, None]))[..., 0]
        weight = torch.softmax(score + NOTHING * (1 - there), dim=1)[..., None]
        fused = torch.cat([(weight * each).sum(1), felt], dim=2)
        memory = self._remembered(fused)  # (b, time, 2 * hidden)
        match = (each * self.key(memory)[:, None]).sum(3) / self.width**0.5
        seen = torch.softmax(match + NOTHING * (1 - there), dim=2)
        mean = each.sum(2) / there.sum(2).clamp(min=1)[..., None]
        told = self.head(self.drop(torch.cat([seen @ memory, mean], dim=2)))
        known = there.amax(2)[:, :, None]
        parts = [
            torch.sigmoid(told[..., :1]),
            LARGEST * torch.tanh(told[..., 1:2]),
            nn.functional.softplus(told[..., 2:3]) + 1e-3,
            torch.softmax(told[..., 3:], dim=2),
        ]
        return torch.cat(parts, dim=2) * known

    def _remembered(self, fused: Tensor) -> Tensor:
        """The LSTM's answer; for ONNX its own operator, which torch would unroll."""
        if not torch.onnx.is_in_onnx_export():
            found: Tensor = self.memory(fused)[0]
            return found
        x = fused.transpose(0, 1)
        for layer in range(self.memory.num_layers):
            x = _onnx_layer(self.memory, layer, x)
        return x.transpose(0, 1)


def _onnx_layer(lstm: nn.LSTM, layer: int, x: Tensor) -> Tensor:
    """One layer, both ways, of [time, b, in], in ONNX's order of gates and weights."""

    def both(name: str) -> Tensor:
        ways = (getattr(lstm, f"{name}_l{layer}{way}") for way in ("", "_reverse"))
        gates = [torch.stack(one.chunk(4)) for one in ways]  # in, forget, cell, out
        return torch.stack([g[[0, 3, 1, 2]].flatten(0, 1) for g in gates])

    time, b, _ = x.shape
    bias = torch.cat([both("bias_ih"), both("bias_hh")], dim=1)
    answer = torch.onnx.ops.symbolic(
        "LSTM",
        (x, both("weight_ih"), both("weight_hh"), bias),
        {"direction": "bidirectional", "hidden_size": lstm.hidden_size},
        dtype=x.dtype,
        shape=(time, 2, b, lstm.hidden_size),
    )
    return answer.transpose(1, 2).reshape(time, b, -1)


def _temporal(inside: int, outside: int, *, groups: int) -> nn.Sequential:
    """Three convolutions over time, ever wider apart, of each group by itself."""
    layers: list[nn.Module] = []
    for width, apart in ((inside, 1), (outside, 4), (outside, 16)):
        layers += [
            nn.Conv1d(width, outside, 3, 1, apart, apart, groups),
            nn.GELU(),
        ]
    return nn.Sequential(*layers)


def train(
    shape: Shape, *, seed: int, steps: int, batch: int, checkpoint: Path
) -> Training[RawCorrelation]:
    """A trained net with its best weights; continues from `checkpoint` of this run."""
    run = Run(f"{MODEL}-{PRESET}", seed, steps, batch, f"families-{shape.time}")
    torch.manual_seed(seed)
    rng = np.random.default_rng(CHECKED_SEED)
    apart = [drawn(rng, count, shape.time) for count in CHECKED]

    def held(net: RawCorrelation) -> float:
        net.eval()
        with torch.no_grad():
            each = [_loss(net, some).item() for some in apart]
        return sum(each) / len(each)

    return fit_best(
        *(RawCorrelation(shape), RECIPE, run),
        checkpoint=checkpoint,
        loss=lambda net, rng: _loss(net, drawn(rng, run.batch, shape.time)),
        apart=held,
    )


def _loss(net: RawCorrelation, some: tuple[Arrays, Arrays]) -> Tensor:
    inputs, truth = (tensors(arrays, device_of(net)) for arrays in some)
    return loss(net(**inputs), truth)


def people_trained_on(*, seed: int, steps: int, batch: int) -> int:
    """Patients behind the records of a run: one may have several symptoms."""
    shapes = (drawn_shape(np.random.default_rng([seed, n]))[1] for n in range(steps))
    return sum(people_for(batch, shape) for shape in shapes)


def to_onnx(net: RawCorrelation, time: int) -> onnx.ModelProto:
    """The net as one ONNX graph with a free number of symptoms."""
    example = {
        "streams": torch.zeros(2, 2 * BIOMETRICS, time),
        "reports": torch.zeros(2, 2, time),
    }
    return bare(graph_of(net, example, output=OUTPUT))


def built(training: Training[RawCorrelation], *, time: int) -> Built:
    """The graph, proven against torch at batch 1 and `PROOF_ROWS`.

    Row 0 of the cases is of nobody. Raises ModelRefused where they differ.
    """
    net = training.net.cpu()
    cases, _ = drawn(np.random.default_rng([CHECKED_SEED, 1]), PROOF_ROWS, time)
    for array in cases.values():
        array[0] = 0
    graph, expected = to_onnx(net, time), predict(net, cases)
    difference = proven(graph, cases, expected, batch=PROOF_ROWS)
    return Built(graph, cases, expected, difference)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, prove, measure beside the compact net, write a version for a look."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    settings = {"seed": options.seed, "batch": options.batch}
    checkpoint = options.work / f"{MODEL}-{PRESET}.pt"
    training = train(Shape(), steps=options.steps, checkpoint=checkpoint, **settings)
    made = built(training, time=STEPS_OF_TIME)
    size = made.graph.ByteSize()
    print(f"{size} bytes, parity {made.parity:.1e}; scoring on people held out")
    net = training.net
    told = {
        "preset": PRESET,
        **settings,
        "windows": people_trained_on(steps=training.done, **settings),
        "records": training.done * options.batch,
        "steps": training.done,
        "steps_of_the_recipe": RECIPE.steps,
        "parameters": sum(p.numel() for p in net.parameters()),
    }
    folder = write(
        made,
        metrics=figures(
            lambda inputs: predict(net, inputs),
            shards=options.shards,
            time=STEPS_OF_TIME,
        ),
        training=told,
        repository=options.repository,
        key=options.key,
    )
    print(f"wrote {folder}, which no promotion takes")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=f"{MODEL}, preset {PRESET}")
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument(
        "--steps", type=positive, default=RECIPE.steps if gpu else CPU_STEPS
    )
    parser.add_argument("--batch", type=positive, default=RECIPE.batch)
    parser.add_argument(
        "--shards", type=positive, default=12, help="32 patients each, to score on"
    )
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    parser.add_argument("--repository", type=Path, default=SPECIFIED)
    parser.add_argument("--key", type=Path, default=Path("var/keys/export.pem"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with refusals_told():
        main()
