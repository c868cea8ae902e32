"""Smaller weights: honest sizes, one row at a time, refused where they cost much."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from backend.inference.embedded import EmbeddedServer
from backend.twin.errors import ModelRefused
from backend.twin.features import WindowArrays, schema_hash
from backend.twin.trajectory import HORIZON, LEVELS
from export_scripts import compression, tier_a
from export_scripts.cards import held_out
from export_scripts.compression import (
    Choice,
    Cost,
    cost,
    pruned,
    quantized,
    refusal,
    sizes,
    sparsity,
)
from export_scripts.datasets import Windows
from export_scripts.latency import answers
from export_scripts.onnx_export import (
    Export,
    Places,
    check,
    parity,
    proof_cases,
    publish,
)
from export_scripts.tier_a import People

ROOT = Path(__file__).resolve().parents[2]
ROWS = HORIZON + 1  # the days, and last their mean
NOWHERE = Path("no/diaries/here")
FOUR = np.arange(4)


def dense(seed: int = 1, noise: float = 0.02) -> onnx.ModelProto:
    """quantiles = anchor + what a matrix product each way makes of it."""
    rng = np.random.default_rng(seed)
    wide = ROWS * len(LEVELS)
    first = (noise * rng.normal(size=(11, 40))).astype(np.float32)
    first[:, 7] = 0.0  # a channel of nothing
    arrays = {
        "first": first,
        "second": (noise * rng.normal(size=(wide, 40))).astype(np.float32),
        "shape": np.array([-1, ROWS, len(LEVELS)]),
        "axis": np.array([1]),
    }
    nodes = [
        helper.make_node("MatMul", ["anchor", "first"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "second"], ["flat"], transB=1),
        helper.make_node("Reshape", ["flat", "shape"], ["correction"]),
        helper.make_node("Unsqueeze", ["anchor", "axis"], ["start"]),
        helper.make_node("Add", ["start", "correction"], ["quantiles"]),
    ]
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "dense",
        [tensor("anchor", TensorProto.FLOAT, ["batch", 11])],
        [tensor("quantiles", TensorProto.FLOAT, ["batch", ROWS, 11])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def weight(graph: onnx.ModelProto, name: str) -> np.ndarray:
    (found,) = [t for t in graph.graph.initializer if t.name == name]
    return numpy_helper.to_array(found)


def export(graph: onnx.ModelProto) -> Export:
    anchor = proof_cases(("anchor",), seed=1, rows=80)
    return Export(
        model="dense",
        graph=graph,
        cases=anchor,
        expected=answers(graph, anchor),
        tolerance=1e-4,
        metrics=held_out(lambda x: answers(graph, x), ["anchor"], count=50),
        training={"seed": 1, "windows": 7},
        libraries=("numpy",),
    )


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "SIMULATED", 100)


@pytest.mark.parametrize(
    ("kind", "smaller", "near"), [("float16", 0.6, 1e-3), ("int8", 0.4, 1e-2)]
)
def test_quantized_weights_are_smaller_near_and_served(
    kind: str, smaller: float, near: float
) -> None:
    graph = dense()
    small = quantized(graph, kind)
    check(small)
    assert sizes(small)["bytes"] < smaller * sizes(graph)["bytes"]
    anchor = {"anchor": np.random.default_rng(2).normal(size=(9, 11)).astype("f4")}
    before, after = answers(graph, anchor), answers(small, anchor)
    assert 0 < np.abs(after - before).max() < near


@pytest.mark.parametrize("axis", [("first", 0), ("second", 1)])
def test_no_int8_weight_is_off_by_more_than_half_a_step(axis: tuple[str, int]) -> None:
    name, reduced = axis
    graph = dense()
    small = quantized(graph, "int8")
    back = weight(small, f"{name}_int8") * weight(small, f"{name}_scale")
    step = np.abs(weight(graph, name)).max(axis=reduced, keepdims=True) / 127
    assert (np.abs(back - weight(graph, name)) <= step / 2 + 1e-7).all()


@pytest.mark.parametrize("small", [quantized(dense()), pruned(dense(), 0.3)])
def test_a_row_never_depends_on_the_rows_beside_it(small: onnx.ModelProto) -> None:
    cases = proof_cases(("anchor",), seed=1, rows=80)
    cases["anchor"][3] = np.nan  # one bad neighbour
    alone = answers(small, cases, batch=1)
    assert parity(small, cases, alone) < 1e-6
    assert np.isnan(alone).any(axis=(1, 2)).sum() == 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_smallest_weights_are_pruned_and_only_packing_gains(share: float) -> None:
    graph = dense()
    small = pruned(graph, share)
    check(small)
    assert sparsity(small) == pytest.approx(share, abs=0.01)
    kept = [weight(small, name) for name in ("first", "second")]
    gone = [weight(graph, name)[weight(small, name) == 0] for name in ("first",)]
    assert min(np.abs(k[k != 0]).min() for k in kept) > max(abs(g).max() for g in gone)
    assert sizes(small)["bytes"] == sizes(graph)["bytes"]
    assert sizes(small)["zlib_bytes"] < sizes(graph)["zlib_bytes"]


@pytest.mark.parametrize("share", [-0.1, 0.0, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ModelRefused, match="between 0 and 1"):
        pruned(dense(), share)


@pytest.mark.parametrize("chosen", [Choice("int8"), Choice(prune=0.5)])
def test_a_graph_without_matrices_has_nothing_to_compress(
    repeating_graph: onnx.ModelProto, chosen: Choice
) -> None:
    with pytest.raises(ModelRefused, match="the graph has no weight matrix"):
        compression.compressed(repeating_graph, chosen)
    assert sparsity(repeating_graph) == 0


def people(target: np.ndarray, person: np.ndarray = FOUR) -> People:
    """Windows of a scale from -5 to 5 z units with the given future."""
    count = len(target)
    empty = np.zeros((count, 0))
    arrays = WindowArrays(
        np.full(count, 5.0), np.ones(count), *[empty] * (len(WindowArrays._fields) - 2)
    )
    return People(Windows(arrays, target, np.full(count, 10.0)), person)


def flat(levels: Any) -> np.ndarray:
    """Every quantile of every day at the person's level: [window, 14, 11]."""
    return np.tile(np.asarray(levels, float)[:, None, None], (1, HORIZON, 11))


def test_what_changes_nothing_costs_nothing() -> None:
    target = np.tile(FOUR[:, None] / 3.0, (1, HORIZON))
    assert cost(flat(FOUR), flat(FOUR), people(target)) == (0, 0)


@pytest.mark.parametrize("columns", [HORIZON, ROWS])
def test_the_fortnights_own_row_costs_nothing(columns: int) -> None:
    """Real diaries have fourteen targets, simulated ones their mean as well."""
    before = np.concatenate([flat(FOUR), flat(FOUR)[:, :1]], axis=1)
    wild = before.copy()
    wild[:, HORIZON] = 4.9
    target = np.tile(FOUR[:, None] / 3.0, (1, columns))
    assert cost(before, wild, people(target)) == (0, 0)
    wild[:, 0] = 4.9
    assert min(cost(before, wild, people(target))) > 1


def test_between_patient_error_is_the_shift_over_the_spread() -> None:
    target = np.zeros((4, HORIZON))
    found = cost(flat([1, 2, 3, 4]), flat([1.1, 1.9, 3.1, 3.9]), people(target))
    assert found.between == pytest.approx(100 * 0.1 / np.std([1, 2, 3, 4]))
    assert found.crps == pytest.approx(0)  # as much nearer as further


def test_people_weigh_alike_however_many_windows_they_have() -> None:
    person = np.array([0, 0, 0, 1])
    target = np.zeros((4, HORIZON))
    found = cost(flat([1, 1, 1, 2]), flat([2, 2, 2, 1]), people(target, person))
    assert found.crps == pytest.approx(0)
    assert found.between == pytest.approx(100 * 1 / np.std([1, 2]))


def test_days_without_a_rating_do_not_count() -> None:
    target = np.zeros((4, HORIZON))
    target[:, 3:] = np.nan
    wild = flat([1, 2, 3, 4])
    wild[:, 3:] = 5
    assert cost(flat([1, 2, 3, 4]), wild, people(target)).crps == pytest.approx(0)


@pytest.mark.parametrize(
    ("crps", "between", "said"),
    [
        (0.5, 2.0, None),
        (-3.0, 0.0, None),
        (0.51, 0.0, "CRPS rises by 0.51 % on somebody"),
        (0.0, 2.01, "between-patient error is 2.01 % on somebody"),
        (float("nan"), 0.0, "CRPS"),
        (0.0, float("nan"), "between-patient"),
    ],
)
def test_each_limit_refuses(crps: float, between: float, said: str | None) -> None:
    found = refusal({"easy": Cost(0.0, 0.0), "somebody": Cost(crps, between)})
    assert found is None if said is None else said in (found or "")


@pytest.mark.usefixtures("few")
def test_a_compressed_version_is_published_with_its_figures(where: Places) -> None:
    chosen = Choice("int8", prune=0.001, diaries=NOWHERE)
    places = replace(where, small=chosen)
    publish(export(dense()), places)
    server = EmbeddedServer(where.repository, trusted=[where.trusted])
    server.canary("dense", 1)
    card = server.catalogue[0].card
    part = card["compression"]
    assert (part["quantize"], part["prune"]) == ("int8", 0.001)
    assert part["after"]["bytes"] == card["serving"]["size_bytes"]
    assert part["after"]["bytes"] < part["before"]["bytes"]
    assert part["parity_before"] < 1e-4
    assert set(part["cost_percent"]) == {"simulated people"}
    assert part["cost_percent"]["simulated people"]["between"] > 0
    assert card["metrics"]["people"] == 50


@pytest.mark.usefixtures("few")
def test_what_costs_too_much_is_not_published(where: Places) -> None:
    chosen = Choice(prune=0.9, diaries=NOWHERE)
    places = replace(where, small=chosen)
    with pytest.raises(ModelRefused, match=r"compressed model: .* on simulated people"):
        publish(export(dense(noise=0.3)), places)
    assert not where.repository.exists()


def test_the_options_name_the_choice() -> None:
    parser = argparse.ArgumentParser()
    compression.add_options(parser)
    assert not compression.choice(parser.parse_args([])).anything
    asked = parser.parse_args(["--quantize", "int8", "--prune", "0.2"])
    assert compression.choice(asked) == Choice("int8", 0.2)


def test_the_shipped_transformer_is_small_at_next_to_no_cost(
    shared: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On simulated people and on real diaries."""
    monkeypatch.setattr(tier_a, "PEOPLE_EACH", 10)
    folder = max((ROOT / "model_repository" / "symptom_transformer").glob("[0-9]*"))
    card = json.loads((folder / "card.json").read_text())
    if card["feature_schema_hash"] != schema_hash():
        pytest.skip("the shipped version reads inputs of another schema")
    graph = onnx.load(folder / "model.onnx")
    chosen = Choice("int8", diaries=shared / "data" / "symptoms")
    part = compression.compressed(graph, chosen)[1]
    assert part["after"]["bytes"] < 0.6 * part["before"]["bytes"]
    assert set(part["cost_percent"]) == {"simulated people", "real diaries"}
