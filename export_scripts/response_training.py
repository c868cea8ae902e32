"""Training, measuring and proving a response net, whichever preset it is of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from backend.inference.golden import Golden
from backend.inference.onnx_session import session
from backend.inference.validation import worst_difference
from backend.twin.errors import ModelRefused
from backend.twin.pharmacogenomics.response_inputs import (
    COLUMNS,
    MODEL,
    OPTIONS,
    OUTPUT,
    drug_array,
    schema_hash,
)
from export_scripts.best_weights import fit_best
from export_scripts.biometric_correlation import tensors
from export_scripts.onnx_export import MAX_BATCH, bare
from export_scripts.response_data import Rows, drawn, rates
from export_scripts.response_net import GRID, Logistic, Responses, loss
from export_scripts.response_scores import (
    gain,
    near_truth,
    outcomes_of,
    scores,
    share_of_oracle,
)
from export_scripts.torch_onnx import graph_of
from export_scripts.torch_training import Recipe, Run, Training, device_of

CHECKED_SEED, HELD_OUT_SEED, REFERENCE_SEED = 7_900_001, 7_900_002, 7_900_003
CHECKED = 20_000  # records whose loss says when to stop
HELD_OUT = 100_000  # records that the card's figures are of
REFERENCE = 20_000  # people, each given every medicine: the percentile's population
CHUNK = 8192
PROOF_ROWS = 200
TOLERANCE = 1e-4  # ONNX against torch
PLAIN = Recipe(1024, 1_500, 1e-2, 0.0, patience=25, save_every=500)
Draw = Callable[[np.random.Generator, int], Rows]


def train(
    trunk: nn.Module,
    *,
    recipe: Recipe,
    run: Run,
    checkpoint: Path,
    draw: Draw = drawn,
    checked: int = CHECKED,
) -> Training[nn.Module]:
    """A trained trunk with its best weights; continues from `checkpoint` of this run.

    Every batch is of records drawn anew by `draw`.
    """
    apart = draw(np.random.default_rng(CHECKED_SEED), checked)

    def scored(net: nn.Module, rows: Rows) -> torch.Tensor:
        on = device_of(net)
        truth = tensors({"outcome": rows.outcome, "chance": rows.chance}, on)
        return loss(net(**tensors(rows.inputs, on)), **truth)

    def held(net: nn.Module) -> float:
        net.eval()
        with torch.no_grad():
            return scored(net, apart).item()

    return fit_best(
        *(trunk, recipe, run),
        checkpoint=checkpoint,
        loss=lambda net, rng: scored(net, draw(rng, run.batch)),
        apart=held,
    )


def run_of(name: str, *, seed: int, steps: int, recipe: Recipe) -> Run:
    """A run that starts anew wherever the columns have changed."""
    return Run(f"{MODEL}-{name}", seed, steps, recipe.batch, schema_hash()[:16])


def predict(net: nn.Module, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The net's answer in torch, for figures and for the proof of parity."""
    net.eval()
    found, count = [], len(inputs["drug"])
    with torch.no_grad():
        for start in range(0, count, CHUNK):
            rows = {n: a[start : start + CHUNK] for n, a in inputs.items()}
            found.append(net(**tensors(rows, device_of(net))).cpu().numpy())
    return np.concatenate(found)


def with_reference(trunk: nn.Module, people: int) -> Responses:
    """The whole answer, percentiles by people of whom everything is known."""
    net = Responses(trunk)
    rows = drawn(np.random.default_rng(REFERENCE_SEED), people, complete=True)
    at = np.linspace(0, 1, GRID)
    for place in range(len(OPTIONS)):
        drug = drug_array(np.full(people, place))
        efficacy = predict(net, {**rows.inputs, "drug": drug})[:, 0]
        net.grid[place] = torch.from_numpy(np.quantile(efficacy, at))
    return net


def to_onnx(net: Responses) -> onnx.ModelProto:
    """The net as one ONNX graph with a free number of rows."""
    example = {name: torch.zeros(2, len(each)) for name, each in COLUMNS.items()}
    return bare(graph_of(net, example, output=OUTPUT))


def proof_cases() -> dict[str, np.ndarray]:
    """Inputs to prove a graph on: every medicine; of the first rows nothing is known.

    Then of somebody everything, and so on by turns.
    """
    rng = np.random.default_rng([HELD_OUT_SEED, 1])
    parts = [drawn(rng, PROOF_ROWS // 2, complete=c) for c in (False, True)]
    cases = {
        n: np.stack([p.inputs[n] for p in parts], axis=1).reshape(PROOF_ROWS, -1)
        for n in COLUMNS
    }
    cases["patient"][: len(OPTIONS)] = 0
    cases["drug"][: len(OPTIONS)] = drug_array(np.arange(len(OPTIONS)))
    return cases


def proven(
    graph: onnx.ModelProto,
    cases: dict[str, np.ndarray],
    expected: np.ndarray,
    *,
    batch: int = MAX_BATCH,
) -> float:
    """The largest difference from torch at batch 1 and at `batch`.

    Raises ModelRefused where it is over `TOLERANCE`.
    """
    golden = Golden(cases, {OUTPUT: expected}, tolerance=0.0)
    found = worst_difference(session(graph.SerializeToString()), golden, batch)
    if not found <= TOLERANCE:
        raise ModelRefused(f"{MODEL}: ONNX differs by {found:.2e}")
    return found


def figures(
    net: nn.Module, *, seed: int, plain: nn.Module, count: int = HELD_OUT
) -> dict[str, Any]:
    """The card's figures on fresh records, beside the baselines' and the oracle's.

    `incomplete`: on the same number of records as charts have them.
    """
    whole = drawn(np.random.default_rng(HELD_OUT_SEED), count, complete=True)
    parts = drawn(np.random.default_rng([HELD_OUT_SEED, 2]), count)
    answer, partly = (predict(net, rows.inputs) for rows in (whole, parts))
    by_drug = rates(seed, 10 * count)[whole.option]
    sums = sigmoid(predict(plain, whole.inputs)[:, :-1])
    told = {
        "model": scores(outcomes_of(answer), whole),
        "drug_only": scores(by_drug, whole),
        "logistic": scores(sums, whole),
        "oracle": scores(whole.chance, whole),
        "incomplete": scores(outcomes_of(partly), parts),
    }
    three = (told[name]["auc"] for name in ("model", "drug_only", "oracle"))
    return {
        "data": "simulated people and outcomes, held out of training",
        "people": count,
        "seed": HELD_OUT_SEED,
        **told,
        "share_of_oracle": share_of_oracle(*three),
        "auc_gain": gain(answer[:, 0], by_drug[:, 0], whole.outcome[:, 0] > 0),
        "confidence": {
            "complete": near_truth(answer, whole),
            "incomplete": near_truth(partly, parts),
        },
    }


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of log odds."""
    found: np.ndarray = 1 / (1 + np.exp(-logits))
    return found


def logistic(work: Path, *, seed: int) -> nn.Module:
    """The fitted baseline."""
    run = run_of("plain", seed=seed, steps=PLAIN.steps, recipe=PLAIN)
    torch.manual_seed(seed)
    path = work / f"{MODEL}-plain.pt"
    draw = partial(drawn, complete=True)
    return train(
        Logistic(), recipe=PLAIN, run=run, checkpoint=path, draw=draw
    ).net.cpu()
