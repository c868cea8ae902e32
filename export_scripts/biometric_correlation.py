"""The correlation network over sufficient statistics: training, proof, one file.

    make export M=biometric_correlation                              # var/models
    make export M=biometric_correlation ARGS="--repository model_repository"

For each biometric and symptom of a patient: the probability of a link, of each lag, and
the coefficient with its spread. Patients are simulated and their statistics kept in
shards (`correlation_data`); the net is in `correlation_net`, and the architecture as
first specified, on raw streams, in `correlation_specification`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from backend.inference.golden import Golden
from backend.inference.onnx_session import session
from backend.inference.validation import worst_difference
from backend.twin.correlation.model_inputs import (
    MODEL,
    OUTPUT,
    SHAPES,
    schema_hash,
)
from backend.twin.errors import ModelRefused
from export_scripts import correlation_data
from export_scripts.best_weights import fit_best
from export_scripts.command_line import positive, refusals_told
from export_scripts.correlation_card import Evidence, publish
from export_scripts.correlation_data import Rows, by_width, load, shards_in
from export_scripts.correlation_net import BiometricCorrelation, Size, loss
from export_scripts.correlation_scores import scores
from export_scripts.onnx_export import MAX_BATCH, Places, bare
from export_scripts.onnx_export import check as check_graph
from export_scripts.torch_onnx import graph_of
from export_scripts.torch_training import Recipe, Run, Training, device_of

CHECKED = np.arange(32)  # symptoms of each shard whose loss says when to stop
CHECKED_SEED = 2  # of the shards held apart; training seeds are others
HELD_OUT_SEED = 3  # of the shards that the card's figures are of
SAMPLED = 160  # shards that the card's histograms are of
CHUNK = 128  # symptoms per forward pass when nothing is learnt
PROOF_ROWS = 200
TOLERANCE = 1e-4  # ONNX against torch
RECIPE = Recipe(128, 12_000, 2e-3, 1e-4, patience=30, save_every=100)


@dataclass(frozen=True, eq=False)
class Data:
    """What to learn from, in parts of like width, and what says when to stop."""

    parts: list[Rows]
    apart: list[Rows]

    @classmethod
    def read(cls, folder: Path, seed: int) -> Data:
        """From shards. Raises ModelRefused without any, and for a seed held apart."""
        if seed in (CHECKED_SEED, HELD_OUT_SEED):
            raise ModelRefused(f"seed {seed} is held apart")
        learnt, apart = (
            [load(path) for path in shards_in(folder, seed=s)]
            for s in (seed, CHECKED_SEED)
        )
        if not learnt or not apart:
            raise ModelRefused(f"no shards of seeds {seed} and {CHECKED_SEED}")
        return cls(
            by_width(learnt), by_width([r.take(CHECKED[: len(r)]) for r in apart])
        )

    def batch(self, rng: np.random.Generator, count: int) -> Rows:
        """Rows of one part, which is drawn by its size."""
        sizes = np.array([len(part) for part in self.parts])
        part = self.parts[rng.choice(len(sizes), p=sizes / sizes.sum())]
        return part.take(rng.integers(len(part), size=count))


def train(
    data: Data,
    *,
    seed: int,
    steps: int,
    checkpoint: Path,
    recipe: Recipe = RECIPE,
    size: Size | None = None,
) -> Training[BiometricCorrelation]:
    """A trained net with its best weights; continues from `checkpoint` of the same run.

    A run is of the same data where schema, seed and number of rows agree.
    """
    rows = sum(len(part) for part in data.parts)
    run = Run(MODEL, seed, steps, recipe.batch, f"{schema_hash()[:16]}-{rows}")
    torch.manual_seed(seed)
    net = BiometricCorrelation(size or Size())

    def learn(net: BiometricCorrelation, rng: np.random.Generator) -> Tensor:
        some = data.batch(rng, run.batch)
        inputs, truth = some.inputs(some.width), some.truth(some.width)
        on = device_of(net)
        return loss(net(**tensors(inputs, on)), tensors(truth, on))

    return fit_best(
        *(net, recipe, run),
        checkpoint=checkpoint,
        loss=learn,
        apart=lambda net: loss_on(net, data.apart),
    )


def tensors(arrays: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    """The arrays on the device."""
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def loss_on(net: BiometricCorrelation, parts: Sequence[Rows]) -> float:
    """The mean loss over these rows."""
    found = []
    for rows in parts:
        answer = torch.from_numpy(predict(net, rows.inputs(rows.width)))
        truth = tensors(rows.truth(rows.width), answer.device)
        found.append(len(rows) * loss(answer, truth).item())
    return sum(found) / sum(len(rows) for rows in parts)


def predict(net: nn.Module, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The net's answer in torch, for figures and for the proof of parity."""
    net.eval()
    found, count = [], len(next(iter(inputs.values())))
    with torch.no_grad():
        for start in range(0, count, CHUNK):
            rows = {n: a[start : start + CHUNK] for n, a in inputs.items()}
            found.append(net(**tensors(rows, device_of(net))).cpu().numpy())
    return np.concatenate(found)


def to_onnx(net: BiometricCorrelation) -> onnx.ModelProto:
    """The net as one ONNX graph with a free number of symptoms."""
    example = {name: torch.zeros(2, *shape) for name, shape in SHAPES.items()}
    return bare(graph_of(net, example, output=OUTPUT))


def proof_cases(rows: Rows) -> dict[str, np.ndarray]:
    """Inputs to prove a graph on; row 0 is of a symptom without anything."""
    cases = rows.take(np.arange(min(len(rows), PROOF_ROWS))).inputs()
    for array in cases.values():
        array[0] = 0
    return cases


def proven(
    graph: onnx.ModelProto,
    cases: dict[str, np.ndarray],
    expected: np.ndarray,
    *,
    batch: int = MAX_BATCH,
) -> float:
    """The largest difference from torch at batch 1 and at `batch`.

    Raises ModelRefused where it is over `TOLERANCE`, or the graph is large.
    """
    check_graph(graph)
    golden = Golden(cases, {OUTPUT: expected}, tolerance=0.0)
    found = worst_difference(session(graph.SerializeToString()), golden, batch)
    if not found <= TOLERANCE:
        raise ModelRefused(f"{MODEL}: ONNX differs by {found:.2e}")
    return found


def figures(net: BiometricCorrelation, rows: Rows, people: int) -> dict[str, Any]:
    """The card's figures, beside the engine's: those of a net that learnt nothing."""
    inputs, truth = rows.inputs(), rows.truth()
    found = {
        name: scores(predict(one, inputs), truth)
        for name, one in (("model", net), ("engine", BiometricCorrelation(Size())))
    }
    return {
        "data": "simulated people held out of training",
        "people": people,
        "seed": HELD_OUT_SEED,
        "pairs": int(found["model"]["pairs"]),
        **{
            name: {figure: round(value, 4) for figure, value in each.items()}
            for name, each in found.items()
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what shards are missing, train, and publish."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    made = {CHECKED_SEED: options.apart, HELD_OUT_SEED: options.apart}
    for seed, count in {**made, options.seed: options.shards}.items():
        correlation_data.make_shards(options.data, seed=seed, shards=count)
    data = Data.read(options.data, options.seed)
    training = train(
        data,
        seed=options.seed,
        steps=options.steps,
        checkpoint=options.work / f"{MODEL}.pt",
    )
    _publish(training.net.cpu(), training.done, options)


def _publish(
    net: BiometricCorrelation, steps: int, options: argparse.Namespace
) -> None:
    """Score, prove, sign, put into the repository."""
    shards = [load(path) for path in shards_in(options.data, seed=HELD_OUT_SEED)]
    held = correlation_data.joined(shards)
    metrics = figures(net, held, len(shards) * correlation_data.PEOPLE)
    print(json.dumps({name: metrics[name] for name in ("model", "engine")}, indent=1))
    cases, graph = proof_cases(held), to_onnx(net)
    expected = predict(net, cases)
    parity = {"tolerance": TOLERANCE, "max_abs": proven(graph, cases, expected)}
    learnt = shards_in(options.data, seed=options.seed)
    told = {
        "preset": "compact",
        "seed": options.seed,
        "windows": len(learnt) * correlation_data.PEOPLE,
        "steps": steps,
        "steps_of_the_recipe": options.steps,
        "parameters": sum(p.numel() for p in net.parameters()),
    }
    publish(
        *(graph, cases, expected),
        evidence=Evidence(metrics, told, {**parity, "rows": len(expected)}),
        learnt=[load(path) for path in learnt[:SAMPLED]],
        where=Places(
            *(options.repository, options.key, options.trusted, options.version)
        ),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=MODEL)
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument(
        "--shards", type=positive, default=6250, help="32 patients each"
    )
    parser.add_argument("--apart", type=positive, default=60, help="shards held apart")
    parser.add_argument("--steps", type=positive, default=RECIPE.steps)
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--data", type=Path, default=correlation_data.FOLDER)
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    parser.add_argument("--repository", type=Path, default=Path("var/models"))
    parser.add_argument("--version", type=int)
    parser.add_argument("--key", type=Path, default=Path("var/keys/export.pem"))
    parser.add_argument("--trusted", type=Path, default=Path("var/keys/trusted"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with refusals_told():
        main()
