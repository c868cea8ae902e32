"""Publishing: proven, signed, complete, immutable, or not at all."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.twin.errors import ModelRefused, ModelUntrusted
from backend.twin.trajectory import HORIZON
from export_scripts.onnx_export import (
    MAX_BATCH,
    Export,
    Places,
    add_places,
    bare,
    check,
    parity,
    places,
    proof_cases,
    publish,
)

Make = Callable[..., Export]


def test_a_published_version_is_whole_and_trusted(
    export_of: Make, where: Places
) -> None:
    folder = publish(export_of(), where)
    assert folder == where.repository / "repeat" / "1"
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx",
        "card.json",
        "golden.npz",
        "manifest.json",
    }
    (found,) = read_catalogue(where.repository, trusted=[where.trusted])
    assert found.verified, found.problem
    assert found.card["parity"] == {
        "tolerance": 1e-6,
        "max_abs": 0.0,
        "rows": 80,
        "batches": [1, MAX_BATCH],
    }
    assert found.card["training"]["origin"] == "simulated"


def test_a_published_version_answers(export_of: Make, where: Places) -> None:
    publish(export_of(), where)
    server = EmbeddedServer(where.repository, trusted=[where.trusted])
    anchor = np.arange(11, dtype=np.float32)[None]
    answer = server.infer("repeat", 1, {"anchor": anchor}, timeout_s=5)
    np.testing.assert_array_equal(
        answer["quantiles"][0], np.tile(anchor, (HORIZON + 1, 1))
    )


def test_the_next_version_has_the_next_number_and_leaves_the_first(
    export_of: Make, where: Places
) -> None:
    first = publish(export_of(), where)
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    second = publish(export_of(), where)
    assert second.name == "2"
    assert json.loads((second / "card.json").read_text())["version"] == 2
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before


def test_a_version_may_go_on_from_another_repository_but_never_back(
    export_of: Make, where: Places
) -> None:
    later = replace(where, version=7)
    assert publish(export_of(), later).name == "7"
    with pytest.raises(ModelRefused, match="version 7 is there already"):
        publish(export_of(), later)
    assert publish(export_of(), where).name == "8"


def test_the_command_line_says_where_and_how_small(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_places(parser)
    found = places(parser.parse_args([]), size_limit=5)
    assert (found.repository, found.size_limit) == (Path("model_repository"), 5)
    assert found.version is None
    asked = ["--repository", str(tmp_path), "--version", "3", "--quantize", "int8"]
    found = places(parser.parse_args(asked))
    assert (found.repository, found.version) == (tmp_path, 3)
    assert found.small.quantize == "int8"


def test_a_graph_that_differs_from_the_training_framework_is_refused(
    export_of: Make, where: Places
) -> None:
    good = export_of()
    wrong = good.expected.copy()
    wrong[-1, 3, 2] += 0.01
    with pytest.raises(ModelRefused, match=r"differs by 1\.00e-02"):
        publish(export_of(expected=wrong), where)
    assert not where.repository.exists()


@pytest.mark.parametrize("change", ["number for nan", "shape"])
def test_parity_is_infinite_where_answers_cannot_be_compared(
    export_of: Make, change: str
) -> None:
    export = export_of()
    expected = np.nan_to_num(export.expected)
    if change == "shape":
        expected = export.expected[:, :7]
    assert parity(export.graph, export.cases, expected) == float("inf")


def test_other_inputs_need_another_name(
    export_of: Make, where: Places, repeating_graph: onnx.ModelProto
) -> None:
    publish(export_of(), where)
    path = where.repository / "repeat" / "config.pbtxt"
    path.write_text(path.read_text().replace("dims: 11", "dims: 12"))
    with pytest.raises(ModelUntrusted, match=r"anchor is \[12\] wide"):
        publish(export_of(), where)


def test_a_golden_case_fills_a_batch(export_of: Make, where: Places) -> None:
    with pytest.raises(ModelUntrusted, match="golden case needs 64"):
        publish(export_of(rows=10), where)


def test_foreign_operators_are_refused(repeating_graph: onnx.ModelProto) -> None:
    node = helper.make_node("Magic", ["row"], ["spell"], domain="com.example")
    repeating_graph.graph.node.append(node)
    repeating_graph.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(ModelUntrusted, match=r"com\.example\.Magic"):
        check(repeating_graph)


def test_a_graph_over_the_limit_is_refused(export_of: Make, where: Places) -> None:
    with pytest.raises(ModelRefused, match="over 10"):
        publish(export_of(), replace(where, size_limit=10))
    assert not where.repository.exists()


def test_no_path_of_the_machine_is_left_in_a_graph(
    repeating_graph: onnx.ModelProto,
) -> None:
    for part in (repeating_graph, repeating_graph.graph.node[0]):
        entry = part.metadata_props.add()
        entry.key, entry.value = "stack_trace", "/home/somebody/model.py"
    repeating_graph.graph.input[0].doc_string = "/home/somebody"
    assert b"/home/" in repeating_graph.SerializeToString()
    assert b"/home/" not in bare(repeating_graph).SerializeToString()


def test_proof_cases_hold_the_odd_ones_first() -> None:
    cases = proof_cases(("features", "anchor"), seed=1, rows=100)
    features, anchor = cases["features"], cases["anchor"]
    assert (features[0] == 0).all()
    assert (features[1] == 12).all()
    assert (features[2] == -12).all()
    assert np.isnan(features[3]).all()
    assert np.isfinite(anchor).all()
    own = np.isnan(features[50:])  # a feature of one day that is absent
    assert own.any(axis=(1, 2)).mean() > 0.5
    assert own.mean() + 0.05 < np.isnan(features[4:50]).mean() < own.mean() + 0.15
