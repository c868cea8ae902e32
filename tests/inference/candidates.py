"""Candidates for the tests of publishing: a copy of what is shipped, and what is wrong.

A candidate is an unsigned folder; every edit changes one in place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from backend.inference.manifest import MANIFEST
from tests.versions import SHIPPED_MODELS, numbers

KEY = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
TRUSTED = (KEY.public_key(),)
TRANSFORMER, TREES = "symptom_transformer", "symptom_xgboost"
Edit = Callable[[Path], object]


def candidate(place: Path, model: str = TRANSFORMER) -> Path:
    """The newest shipped version, unsigned, in a folder of its own."""
    newest = SHIPPED_MODELS / model / str(numbers(SHIPPED_MODELS, model)[-1])
    folder = shutil.copytree(newest, place / f"candidate-{model}")
    (folder / MANIFEST).unlink()
    return Path(folder)


def edit_card(change: Callable[[dict[str, Any]], object]) -> Edit:
    """An edit of the card's content."""

    def edit(folder: Path) -> None:
        card = json.loads((folder / "card.json").read_text())
        change(card)
        (folder / "card.json").write_text(json.dumps(card))

    return edit


def edit_graph(change: Callable[[onnx.ModelProto], object]) -> Edit:
    """An edit of the graph."""

    def edit(folder: Path) -> None:
        graph = onnx.load_model(folder / "model.onnx")
        change(graph)
        (folder / "model.onnx").write_bytes(graph.SerializeToString())

    return edit


def edit_golden(change: Callable[[dict[str, np.ndarray]], object]) -> Edit:
    """An edit of the golden case."""

    def edit(folder: Path) -> None:
        with np.load(folder / "golden.npz") as arrays:
            case = {name: arrays[name] for name in arrays.files}
        change(case)
        np.savez_compressed(folder / "golden.npz", **case)

    return edit


def bomb(gigabytes: float) -> Edit:
    """A graph of some hundred bytes with the right inputs, and no end of zeros."""

    def edit(folder: Path) -> None:
        graph = onnx.load_model(folder / "model.onnx").graph
        nodes = [
            helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
            helper.make_node("ReduceSum", ["zeros"], ["nothing"], keepdims=0),
            helper.make_node("Unsqueeze", ["anchor", "axis"], ["row"]),
            helper.make_node("Tile", ["row", "times"], ["rows"]),
            helper.make_node("Add", ["rows", "nothing"], ["quantiles"]),
        ]
        constants = {"size": [int(gigabytes * 2**28)], "axis": [1], "times": [1, 15, 1]}
        made = helper.make_graph(
            nodes,
            "bomb",
            graph.input,
            graph.output,
            [numpy_helper.from_array(np.array(v), n) for n, v in constants.items()],
        )
        opset = [helper.make_opsetid("", 18)]
        model = helper.make_model(made, opset_imports=opset, ir_version=10)
        (folder / "model.onnx").write_bytes(model.SerializeToString())

    return edit


def swell(graph: onnx.ModelProto) -> None:
    """The same answers, and 8 GiB more for whoever asks with an anchor above 40."""
    made, add = graph.graph.node, helper.make_node
    for node in made:
        node.output[:] = ["before" if n == "quantiles" else n for n in node.output]
    constants = {"limit": np.float32(40), "many": np.float32(2**31)}
    for name, value in {**constants, "flat": np.array([1])}.items():
        constant = numpy_helper.from_array(np.asarray(value), name)
        graph.graph.initializer.append(constant)
    made.extend(
        [
            add("ReduceMax", ["anchor"], ["most"], keepdims=0),
            add("Greater", ["most", "limit"], ["over"]),
            add("Cast", ["over"], ["one"], to=TensorProto.FLOAT),
            add("Mul", ["one", "many"], ["large"]),
            add("Cast", ["large"], ["whole"], to=TensorProto.INT64),
            add("Reshape", ["whole", "flat"], ["size"]),
            add("ConstantOfShape", ["size"], ["zeros"]),
            add("ReduceSum", ["zeros"], ["nothing"], keepdims=0),
            add("Add", ["before", "nothing"], ["quantiles"]),
        ]
    )


def fold_targets(graph: onnx.ModelProto) -> None:
    """What public converters make of several targets: every tree counts for one."""
    (trees,) = [n for n in graph.graph.node if n.op_type == "TreeEnsembleRegressor"]
    (targets,) = [a for a in trees.attribute if a.name == "target_ids"]
    targets.ints[:] = [0] * len(targets.ints)


def wider(graph: onnx.ModelProto) -> None:
    """One more column asked of `context`, which the graph cuts off again."""
    (given,) = [i for i in graph.graph.input if i.name == "context"]
    size = given.type.tensor_type.shape.dim[1].dim_value
    given.type.tensor_type.shape.dim[1].dim_value = size + 1
    _put_before(graph, "context", "Slice", {"from": [0], "to": [size], "at": [1]})


def double(graph: onnx.ModelProto) -> None:
    """`anchor` in double precision, cast back inside."""
    (given,) = [i for i in graph.graph.input if i.name == "anchor"]
    given.type.tensor_type.elem_type = TensorProto.DOUBLE
    _put_before(graph, "anchor", "Cast", {}, to=TensorProto.FLOAT)


def _put_before(
    graph: onnx.ModelProto,
    name: str,
    operator: str,
    constants: dict[str, list[int]],
    **attributes: int,
) -> None:
    for node in graph.graph.node:
        node.input[:] = [f"{name}_own" if n == name else n for n in node.input]
    names = [f"{name}_{part}" for part in constants]
    for each, value in zip(names, constants.values(), strict=True):
        array = np.array(value, dtype=np.int64)
        graph.graph.initializer.append(numpy_helper.from_array(array, each))
    node = helper.make_node(operator, [name, *names], [f"{name}_own"], **attributes)
    graph.graph.node.insert(0, node)
