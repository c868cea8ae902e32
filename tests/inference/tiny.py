"""Tiny real models for the tests of inference: y = factor * x + 1, and signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper

from backend.inference.manifest import write_manifest

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
TRUSTED = (KEY.public_key(),)
WIDTH = 3
CONFIG = """
name: "tiny"
backend: "onnxruntime"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 3 ] } ]
"""


def graph(
    factor: float = 2.0,
    *,
    kind: int = TensorProto.FLOAT,
    shape: Sequence[int | str] = ("batch", WIDTH),
    output: str = "y",
) -> bytes:
    """ONNX with one input x and two outputs: `output`, and `unused`, twice x."""
    x = helper.make_tensor_value_info("x", kind, shape)
    outputs = [
        helper.make_tensor_value_info(n, kind, shape) for n in (output, "unused")
    ]
    constants = [
        helper.make_tensor("factor", kind, [], [factor]),
        helper.make_tensor("one", kind, [], [1.0]),
    ]
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "one"], [output]),
        helper.make_node("Add", ["x", "x"], ["unused"]),
    ]
    return _model(nodes, [x], outputs, constants)


def slow_graph() -> bytes:
    """x goes round a loop that takes some tenths of a second."""
    shape = ("batch", WIDTH)
    value = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("x", "y", "a", "b")
    ]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Sin", ["a"], ["b"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            value[2],
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), value[3]],
    )
    constants = [helper.make_tensor("turns", TensorProto.INT64, [], [100_000])]
    loop = helper.make_node("Loop", ["turns", "", "x"], ["y"], body=body)
    return _model([loop], value[:1], value[1:2], constants)


def failing_graph() -> bytes:
    """Gathers column 7 where there are three: loads, and fails when it runs."""
    shape = ("batch", WIDTH)
    index = helper.make_tensor_value_info("x", TensorProto.INT64, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    table = helper.make_tensor("table", TensorProto.FLOAT, [2], [0.0, 1.0])
    return _model(
        [helper.make_node("Gather", ["table", "x"], ["y"])], [index], [y], [table]
    )


def golden(factor: float = 2.0, rows: int = 20) -> dict[str, np.ndarray]:
    """More rows than one batch takes, with a NaN, and their answers by numpy."""
    x = np.linspace(-2, 2, rows * WIDTH, dtype=np.float32).reshape(rows, WIDTH)
    x[0, 0] = np.nan
    return {"in_x": x, "out_y": np.float32(factor) * x + np.float32(1)}


def card(model: str, version: int) -> dict[str, object]:
    """The few lines of a card that serving reads."""
    return {"model": model, "version": version, "parity": {"tolerance": 1e-5}}


def publish(
    repository: Path,
    version: int,
    *,
    model: str = "tiny",
    config: str = CONFIG,
    onnx_model: bytes | None = None,
    cases: Mapping[str, np.ndarray] | None = None,
    edit: Callable[[Path], object] = lambda folder: None,
) -> Path:
    """A version folder, signed; `edit` may change it just before it is signed."""
    folder = repository / model / str(version)
    folder.mkdir(parents=True)
    (folder.parent / "config.pbtxt").write_text(config.replace("tiny", model))
    (folder / "model.onnx").write_bytes(onnx_model or graph())
    (folder / "card.json").write_text(json.dumps(card(model, version)))
    np.savez(folder / "golden.npz", **(cases or golden()))
    edit(folder)
    write_manifest(folder, KEY)
    return folder


def _model(nodes: list, inputs: list, outputs: list, constants: list) -> bytes:
    made = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(made, opset_imports=opset, ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
