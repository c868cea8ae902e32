"""A graph small enough to read: quantiles = anchor, repeated for every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from backend.twin.trajectory import HORIZON
from export_scripts.cards import held_out
from export_scripts.onnx_export import Export, Places
from export_scripts.real_windows import Answered, Bench, answered
from tests.export_scripts.made_diaries import bench_of

ROWS = HORIZON + 1  # the days, and last their mean
GAIN = {"crps_gain_percent": {"mean": 1.0, "low": 0.5, "high": 1.5}}
TRAINING = {"seed": 1, "windows": 7}


@cache
def metrics() -> dict[str, Any]:
    """A card's figures of climatology, with a gain that is made up."""
    found = held_out(
        lambda inputs: np.repeat(inputs["anchor"][:, None], ROWS, axis=1),
        ("anchor",),
        count=50,
    )
    return found | GAIN


@pytest.fixture
def repeating_graph() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Unsqueeze", ["anchor", "axis"], ["row"]),
        helper.make_node("Tile", ["row", "times"], ["quantiles"]),
    ]
    constants = {"axis": [1], "times": [1, ROWS, 1]}
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "repeat",
        [tensor("anchor", TensorProto.FLOAT, ["batch", 11])],
        [tensor("quantiles", TensorProto.FLOAT, ["batch", ROWS, 11])],
        [
            numpy_helper.from_array(np.array(value, dtype=np.int64), name)
            for name, value in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


@pytest.fixture
def export_of(repeating_graph: onnx.ModelProto) -> Callable[..., Export]:
    """An export of the repeating graph, with parts replaced."""

    def made(rows: int = 80, **parts: Any) -> Export:
        anchor = np.random.default_rng(1).normal(size=(rows, 11)).astype(np.float32)
        anchor[0] = np.nan
        whole = {
            "model": "repeat",
            "graph": repeating_graph,
            "cases": {"anchor": anchor},
            "expected": np.repeat(anchor[:, None], ROWS, axis=1),
            "tolerance": 1e-6,
            "metrics": metrics(),
            "training": TRAINING,
            "libraries": ("numpy",),
        }
        return Export(**{**whole, **parts})

    return made


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return Places(
        repository=tmp_path / "repository",
        key=tmp_path / "keys" / "export.pem",
        trusted=tmp_path / "keys" / "trusted",
    )


@pytest.fixture(scope="package")
def made_bench(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The benchmark's modules over made-up diaries."""
    return bench_of(shared, tmp_path_factory.mktemp("diaries"))


@pytest.fixture(scope="package")
def made_answers(made_bench: Bench) -> Answered:
    """What the served path and the plain baselines answer on them."""
    return answered(made_bench, made_bench.windows.load(made_bench.data))
