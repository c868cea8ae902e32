"""Gradient-boosted trees for the same quantiles: features, training, export, one file.

    python -m export_scripts.symptom_xgboost               # or make export M=...

One row per window and day ahead, and one for the mean of the days; eleven quantile
objectives; each level starts from climatology's quantile (as base margin), so the trees
learn corrections in z units only.

Public converters accept a booster with several quantiles and answer wrongly, so the
booster's own JSON is turned into one ONNX-ML TreeEnsembleRegressor here, and proven
against the booster row by row, missing values included.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import xgboost
from onnx import TensorProto, helper, numpy_helper

from backend.twin.features import DAY_FEATURES, INPUTS
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts.cards import held_out
from export_scripts.command_line import positive, refusals_told
from export_scripts.datasets import Windows, origin, simulated_windows
from export_scripts.onnx_export import (
    Export,
    add_places,
    places,
    proof_cases,
    publish,
)

MODEL = "symptom_xgboost"
PEOPLE = 150_000
DAYS_EACH = 2  # days ahead taken per window, beside their mean: the days are alike
ROUNDS = 200
SAVE_EVERY = 25
ROWS = HORIZON + 1  # the days, and last their mean
TOLERANCE = 1e-4  # z units, ONNX against the booster
LEAF = -1  # XGBoost's child number of a leaf


def parameters(seed: int, threads: int) -> dict[str, Any]:
    """Small trees, slow steps: the correction is faint against the noise of days."""
    return {
        "objective": "reg:quantileerror",
        "quantile_alpha": list(LEVELS),
        "tree_method": "hist",
        "max_depth": 6,
        "learning_rate": 0.05,
        "min_child_weight": 200,
        "subsample": 0.7,
        "colsample_bytree": 0.6,
        "max_bin": 128,
        "base_score": [0.0] * len(LEVELS),  # the base margin is the start
        "seed": seed,
        "nthread": threads,
    }


def rows(rng: np.random.Generator, windows: Windows) -> xgboost.DMatrix:
    """Training rows: `DAYS_EACH` random days ahead of every window, and their mean."""
    count = len(windows.target)
    days = rng.integers(HORIZON, size=(count, DAYS_EACH))
    ahead = np.column_stack([days, np.full(count, HORIZON)]).ravel()
    which = np.repeat(np.arange(count), DAYS_EACH + 1)
    return xgboost.DMatrix(
        windows.arrays.features[which, ahead],
        label=windows.target[which, ahead],
        base_margin=windows.arrays.anchor[which],
    )


def train(
    *,
    seed: int,
    rounds: int,
    people: int = PEOPLE,
    threads: int = 2,
    checkpoint: Path,
) -> xgboost.Booster:
    """A trained booster; continues from a `checkpoint` of the same run."""
    rng = np.random.default_rng([seed, 1])
    matrix = rows(rng, simulated_windows(rng, people))
    booster = _resume(checkpoint, {"seed": seed, "people": people, "origin": origin()})
    began = time.monotonic()
    while (done := booster.num_boosted_rounds() if booster else 0) < rounds:
        step = min(SAVE_EVERY, rounds - done)
        # The seed moves on with the rounds, or every part would draw the same columns.
        booster = xgboost.train(
            parameters(seed + done, threads), matrix, step, xgb_model=booster
        )
        booster.set_attr(seed=str(seed), people=str(people), origin=origin())
        _save(checkpoint, booster)
        print(f"round {done + step}/{rounds}  {time.monotonic() - began:.0f} s")
    if booster is None:
        raise ValueError("rounds must be 1 or more")
    return booster


def predict(booster: xgboost.Booster, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The booster's answer: [window, 15, F], [window, 11] -> [window, 15, 11]."""
    features, anchor = inputs["features"], inputs["anchor"]
    matrix = xgboost.DMatrix(
        features.reshape(-1, features.shape[2]),
        base_margin=np.repeat(anchor, ROWS, axis=0),
    )
    answer = booster.predict(matrix)  # (window * row, level)
    quantiles: np.ndarray = answer.reshape(-1, ROWS, len(LEVELS))
    return quantiles


def to_onnx(booster: xgboost.Booster) -> onnx.ModelProto:
    """The booster as one ONNX graph: flatten the days, add up trees, add the anchor."""
    wide, levels = len(DAY_FEATURES), len(LEVELS)
    trees = helper.make_node(
        "TreeEnsembleRegressor",
        ["rows"],
        ["corrections"],
        domain="ai.onnx.ml",
        n_targets=levels,
        **tree_attributes(booster),
    )
    nodes = [
        helper.make_node("Reshape", ["features", "row_shape"], ["rows"]),
        trees,  # (window * row, level)
        helper.make_node("Reshape", ["corrections", "day_shape"], ["by_day"]),
        helper.make_node("Unsqueeze", ["anchor", "day_axis"], ["start"]),
        helper.make_node("Add", ["by_day", "start"], ["quantiles"]),
    ]
    shapes = {"row_shape": [-1, wide], "day_shape": [-1, ROWS, levels]}
    constants = {**shapes, "day_axis": [1]}
    graph = helper.make_graph(
        nodes,
        MODEL,
        [
            _tensor("features", ["batch", ROWS, wide]),
            _tensor("anchor", ["batch", levels]),
        ],
        [_tensor("quantiles", ["batch", ROWS, levels])],
        [
            numpy_helper.from_array(np.array(shape, dtype=np.int64), name)
            for name, shape in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def tree_attributes(booster: xgboost.Booster) -> dict[str, Any]:
    """The booster's trees as the flat lists of a TreeEnsembleRegressor.

    XGBoost goes left where value < threshold and sends a missing value the tree's own
    way; each tree belongs to one quantile (`tree_info`). Thresholds and leaves are
    float32 on both sides, so equal inputs take equal branches.
    """
    model = json.loads(booster.save_raw("json"))["learner"]
    ensemble = model["gradient_booster"]["model"]
    lists: dict[str, list[Any]] = {name: [] for name in _NODE_LISTS + _TARGET_LISTS}
    for number, tree in enumerate(ensemble["trees"]):
        _add_tree(lists, number, tree, target=ensemble["tree_info"][number])
    return dict(lists)


_NODE_LISTS = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_values",
    "nodes_modes",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
)
_TARGET_LISTS = ("target_treeids", "target_nodeids", "target_ids", "target_weights")


def _add_tree(
    lists: dict[str, list[Any]], number: int, tree: dict[str, Any], *, target: int
) -> None:
    left, right = tree["left_children"], tree["right_children"]
    for node, value in enumerate(tree["split_conditions"]):
        leaf = left[node] == LEAF
        entry = (
            number,
            node,
            0 if leaf else tree["split_indices"][node],
            0.0 if leaf else float(np.float32(value)),
            "LEAF" if leaf else "BRANCH_LT",
            0 if leaf else left[node],
            0 if leaf else right[node],
            0 if leaf else int(tree["default_left"][node]),
        )
        for name, item in zip(_NODE_LISTS, entry, strict=True):
            lists[name].append(item)
        if leaf:
            weight = float(np.float32(value))  # a leaf's value stands in its condition
            for name, item in zip(
                _TARGET_LISTS, (number, node, target, weight), strict=True
            ):
                lists[name].append(item)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, prove, sign and put a new version into the repository."""
    parser = argparse.ArgumentParser(description=MODEL)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=positive, default=ROUNDS)
    parser.add_argument("--people", type=positive, default=PEOPLE)
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--held-out", type=positive, default=8000, help="people scored")
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    add_places(parser)
    options = parser.parse_args(arguments)
    booster = train(
        seed=options.seed,
        rounds=options.rounds,
        people=options.people,
        threads=options.threads,
        checkpoint=options.work / f"{MODEL}.json",
    )
    print("scoring on people held out, then proving the graph")
    cases = proof_cases(INPUTS[MODEL], seed=options.seed)
    export = Export(
        model=MODEL,
        graph=to_onnx(booster),
        cases=cases,
        expected=predict(booster, cases),
        tolerance=TOLERANCE,
        metrics=held_out(
            lambda x: predict(booster, x), INPUTS[MODEL], count=options.held_out
        ),
        training={
            "seed": options.seed,
            "windows": options.people,
            "rounds": options.rounds,
            "rounds_of_the_recipe": ROUNDS,
        },
        libraries=("xgboost", "onnx", "onnxruntime", "numpy"),
    )
    publish(export, places(options))


def _tensor(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _save(checkpoint: Path, booster: xgboost.Booster) -> None:
    """Written beside and then moved, so that a killed run leaves a whole file."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fresh = checkpoint.with_suffix(".new.json")
    booster.save_model(fresh)
    fresh.replace(checkpoint)


def _resume(checkpoint: Path, run: dict[str, Any]) -> xgboost.Booster | None:
    """The booster of an earlier, unfinished or finished, run with the same settings."""
    if not checkpoint.exists():
        return None
    booster = xgboost.Booster(model_file=checkpoint)
    if any(booster.attr(name) != str(value) for name, value in run.items()):
        print("the checkpoint is of another run: starting anew")
        return None
    print(f"continuing after round {booster.num_boosted_rounds()}")
    return booster


if __name__ == "__main__":
    with refusals_told():
        main()
