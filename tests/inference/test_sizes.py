"""No value that is asked with decides how much memory a graph takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from backend.inference.graph import ALLOWED, read_graph
from backend.inference.sizes import DECIDING, check_sizes
from backend.twin.errors import ModelUntrusted
from tests.inference.tiny import graph
from tests.versions import ROOT, SHIPPED_MODELS

Node = tuple[str, Sequence[str], str]
CONSTANTS = {"two": [2], "axes": [0], "start": 0, "step": 1}
# x as whole numbers, of 1 axis and of none: sizes that a caller would choose
VALUES: list[Node] = [
    ("ReduceMax", ["x"], "max"),
    ("Cast", ["max"], "number"),
    ("Reshape", ["number", "two_one"], "list"),
]


def made(nodes: Sequence[Node], *, older: bool = False) -> onnx.ModelProto:
    """A graph over x of shape [batch, 3]; `older` lists its constants as inputs."""
    model = onnx.load_model_from_string(graph())
    attributes: dict[str, dict[str, int]] = {
        "Cast": {"to": TensorProto.INT64},
        "ReduceMax": {"keepdims": 0},
    }
    for kind, given, name in nodes:
        node = helper.make_node(kind, given, [name], **attributes.get(kind, {}))
        model.graph.node.append(node)
    arrays = {**CONSTANTS, "two_one": [1], "pads": [0, 0, 1, 1]}
    for name, value in arrays.items():
        constant = numpy_helper.from_array(np.array(value, np.int64), name)
        model.graph.initializer.append(constant)
        if older:
            shape = constant.dims
            model.graph.input.append(
                helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            )
    return model


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("ConstantOfShape", ["list"]),
        ("Expand", ["x", "list"]),
        ("Tile", ["x", "list"]),
        ("Range", ["start", "number", "step"]),
        ("Range", ["number", "start", "step"]),
        ("Reshape", ["x", "list"]),
        ("Pad", ["x", "list"]),
        ("Resize", ["x", "", "", "list"]),
        ("Slice", ["x", "axes", "list"]),
        ("OneHot", ["two", "number", "two"]),
        ("TopK", ["x", "list"]),
        ("NonZero", ["x"]),
        ("Compress", ["x", "number"]),
    ],
)
def test_a_size_that_values_decide_is_refused(kind: str, given: list[str]) -> None:
    with pytest.raises(ModelUntrusted, match=f"^{kind}: a size depends on the values"):
        check_sizes(made([*VALUES, (kind, given, "z")]))


def test_a_graph_is_not_read_where_a_value_decides() -> None:
    content = made([*VALUES, ("ConstantOfShape", ["list"], "z")]).SerializeToString()
    with pytest.raises(ModelUntrusted, match="ConstantOfShape: a size depends"):
        read_graph(content)


@pytest.mark.parametrize(
    "nodes",
    [
        [("Shape", ["x"], "s"), ("ConstantOfShape", ["s"], "z")],
        [("Size", ["x"], "s"), ("Range", ["start", "s", "step"], "z")],
        [("Shape", ["x"], "s"), ("Mul", ["s", "two"], "t"), ("Expand", ["x", "t"], "")],
        [("Reshape", ["x", "two_one"], "z"), ("Pad", ["x", "pads"], "p")],
        # the padding's value is the caller's, its size is not
        [("ReduceMax", ["x"], "m"), ("Pad", ["x", "pads", "m"], "p")],
        # an output left out is not the input that is left out
        [("Dropout", ["x"], ""), ("Resize", ["x", "", "", "two"], "z")],
        [("EyeLike", ["x"], "e"), ("Cast", ["e"], "f"), ("NonZero", ["f"], "z")],
    ],
)
@pytest.mark.parametrize("older", [False, True])
def test_sizes_that_follow_from_sizes_are_read(nodes: list[Node], older: bool) -> None:
    check_sizes(made(nodes, older=older))


def test_every_operator_that_decides_is_on_the_list() -> None:
    assert DECIDING.keys() <= ALLOWED[""]


LOCAL = sorted((ROOT / "var" / "models").glob("*/*/model.onnx"))


@pytest.mark.parametrize(
    "path", [*sorted(SHIPPED_MODELS.glob("*/*/model.onnx")), *LOCAL]
)
def test_what_is_shipped_or_lies_here_is_read(path: Path) -> None:
    read_graph(path.read_bytes())
