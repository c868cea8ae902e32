"""A smaller graph, and what it costs: quantized or pruned weights, or a refusal.

Works on the weight matrices of an ONNX graph (the second input of MatMul and Gemm),
whatever framework made it. Weights alone are made smaller; the arithmetic stays in
float32, so a person's answer does not depend on who else is in the batch. Dynamic
quantization scales activations by the whole batch's range and breaks that:
docs/methods/compression.md has the figures.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from backend.twin.errors import ModelRefused
from backend.twin.trajectory import HORIZON, MEDIAN
from export_scripts.cards import HELD_OUT_SEED, inside_scale
from export_scripts.command_line import share
from export_scripts.datasets import quantile_loss, simulated_windows
from export_scripts.latency import answers
from export_scripts.tier_a import DIARIES, People, tier_a_people

CRPS_LIMIT = 0.5  # per cent that the loss may rise by
BETWEEN_LIMIT = 2.0  # per cent of the spread between people that may be distorted
SIMULATED = 2000  # people
INT8_MAX = 127  # symmetric: -128 is left out, so that zero stays zero


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do to the weights: `quantize` none, float16 or int8; share to `prune`."""

    quantize: str = "none"
    prune: float = 0.0
    diaries: Path = DIARIES

    @property
    def anything(self) -> bool:
        """Whether the graph is to be changed at all."""
        return self.quantize != "none" or self.prune > 0


class Cost(NamedTuple):
    """What compression did to the answers, per cent; see `cost`."""

    crps: float
    between: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that make a model smaller."""
    parser.add_argument(
        "--quantize", choices=("none", "float16", "int8"), default="none"
    )
    parser.add_argument(
        "--prune", type=share, default=0.0, metavar="SHARE", help="of weights, 0 to 1"
    )


def choice(options: argparse.Namespace) -> Choice:
    """What was chosen on the command line."""
    return Choice(options.quantize, options.prune)


def compressed(
    graph: onnx.ModelProto, chosen: Choice
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The smaller graph, and the card's `compression` part.

    Raises ModelRefused where there is nothing to compress, or where the smaller graph
    costs more than the limits allow.
    """
    small = pruned(graph, chosen.prune) if chosen.prune else graph
    small = quantized(small, chosen.quantize) if chosen.quantize != "none" else small
    costs = {
        name: cost(_answers(graph, people), _answers(small, people), people)
        for name, people in _samples(chosen.diaries).items()
    }
    why = refusal(costs)
    if why:
        raise ModelRefused(f"compressed model: {why}")
    return small, {
        "quantize": chosen.quantize,
        "prune": chosen.prune,
        "zero_weights_percent": round(100 * sparsity(small), 1),
        "before": sizes(graph),
        "after": sizes(small),
        "cost_percent": {
            name: {part: round(value, 3) for part, value in found._asdict().items()}
            for name, found in costs.items()
        },
        "limits_percent": {"crps": CRPS_LIMIT, "between": BETWEEN_LIMIT},
    }


def quantized(graph: onnx.ModelProto, kind: str = "int8") -> onnx.ModelProto:
    """The graph with its weight matrices stored as int8 or float16.

    int8: w = q * s with one scale per output channel, s = max |w| / 127, written as
    Cast and Mul, float16 as Cast; standard operators that ONNX Runtime computes once,
    when it loads the graph. So the file is smaller, not the memory or the time taken.
    Raises ModelRefused where the graph has no weight matrix.
    """
    small, nodes = _copy(graph), []
    for tensor, axis in _weights(small, "quantize"):
        nodes += _half(tensor) if kind == "float16" else _int8(small, tensor, axis)
    kept = list(small.graph.node)
    del small.graph.node[:]
    small.graph.node.extend([*nodes, *kept])  # made before they are used
    return small


def pruned(graph: onnx.ModelProto, share: float) -> onnx.ModelProto:
    """The graph with the `share` of smallest weights, over all matrices, set to zero.

    Magnitude pruning (Han et al. 2015, arXiv:1506.02626) without retraining. Zeros take
    as much room as other numbers: only what packs the file gains. Raises ModelRefused
    for a share outside 0 to 1 and where the graph has no weight matrix.
    """
    if not 0 < share < 1:
        raise ModelRefused(f"a share of {share} cannot be pruned: between 0 and 1")
    small = _copy(graph)
    tensors = [tensor for tensor, _ in _weights(small, "prune")]
    arrays = [numpy_helper.to_array(tensor) for tensor in tensors]
    limit = np.quantile(np.concatenate([np.abs(a).ravel() for a in arrays]), share)
    for tensor, array in zip(tensors, arrays, strict=True):
        kept = np.where(np.abs(array) > limit, array, np.float32(0))
        tensor.CopyFrom(numpy_helper.from_array(kept, tensor.name))
    return small


def cost(original: np.ndarray, smaller: np.ndarray, people: People) -> Cost:
    """What it costs to answer `smaller` instead: quantiles [window, day.., level].

    `crps`: rise of the mean quantile loss. `between`: how far people's levels move, as
    a share of how far apart they are. A person's level is the mean of the median over
    the fourteen days and the person's windows, z units; the root mean square of its
    change over people is divided by the standard deviation over people before. Each
    person weighs the same in both.
    """
    before, after = _crps(original, people), _crps(smaller, people)
    levels, moved = _levels(original, people), _levels(smaller, people)
    distortion = np.sqrt(((moved - levels) ** 2).mean()) / levels.std()
    return Cost(100 * (after / before - 1), float(100 * distortion))


def refusal(costs: Mapping[str, Cost]) -> str | None:
    """Why a compressed graph must not be published, in one line; None where it may.

    `costs` by the people they were measured on. A cost that is no number is refused.
    """
    for name, found in costs.items():
        if not found.crps <= CRPS_LIMIT:
            return f"CRPS rises by {found.crps:.2f} % on {name} (limit {CRPS_LIMIT})"
        if not found.between <= BETWEEN_LIMIT:
            return (
                f"between-patient error is {found.between:.2f} % on {name} "
                f"(limit {BETWEEN_LIMIT})"
            )
    return None


def sparsity(graph: onnx.ModelProto) -> float:
    """Share of the stored numbers that are zero, in tensors of two axes or more."""
    arrays = [
        numpy_helper.to_array(t) for t in graph.graph.initializer if len(t.dims) > 1
    ]
    total = sum(array.size for array in arrays)
    return sum(int((array == 0).sum()) for array in arrays) / total if total else 0.0


def sizes(graph: onnx.ModelProto) -> dict[str, int]:
    """Bytes of the file, and of the file packed by zlib (level 9)."""
    raw = graph.SerializeToString()
    return {"bytes": len(raw), "zlib_bytes": len(zlib.compress(raw, 9))}


def _samples(diaries: Path) -> dict[str, People]:
    """Simulated people held out of training; real ones where their diaries are."""
    rng = np.random.default_rng(HELD_OUT_SEED)
    simulated = People(simulated_windows(rng, SIMULATED), np.arange(SIMULATED))
    if not diaries.is_dir():
        return {"simulated people": simulated}
    return {"simulated people": simulated, "real diaries": tier_a_people(diaries)}


def _answers(graph: onnx.ModelProto, people: People) -> np.ndarray:
    arrays = people.windows.arrays
    return answers(graph, {t.name: getattr(arrays, t.name) for t in graph.graph.input})


def _crps(quantiles: np.ndarray, people: People) -> float:
    inside = inside_scale(quantiles, people.windows)[:, :HORIZON]
    loss = quantile_loss(inside, people.windows.target[:, :HORIZON])
    return float(_by_person(np.nanmean(loss, axis=1), people.person).mean())


def _levels(quantiles: np.ndarray, people: People) -> np.ndarray:
    inside = inside_scale(quantiles, people.windows)[:, :HORIZON, MEDIAN]
    return _by_person(inside.mean(1), people.person)


def _by_person(values: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Means [person] of values [window]."""
    means: np.ndarray = np.bincount(person, values) / np.bincount(person)
    return means


def _copy(graph: onnx.ModelProto) -> onnx.ModelProto:
    copied = onnx.ModelProto()
    copied.CopyFrom(graph)
    return copied


def _weights(graph: onnx.ModelProto, verb: str) -> list[tuple[TensorProto, int]]:
    """Float32 weight matrices and the axis of their output channels."""
    axes = {}
    for node in graph.graph.node:
        if node.op_type in {"MatMul", "Gemm"}:
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            axes[node.input[1]] = 0 if turned else 1
    found = [
        (tensor, axes[tensor.name])
        for tensor in graph.graph.initializer
        if tensor.name in axes
        and len(tensor.dims) == 2
        and tensor.data_type == TensorProto.FLOAT
    ]
    if not found:
        raise ModelRefused(f"nothing to {verb}: the graph has no weight matrix")
    return found


def _half(tensor: TensorProto) -> list[onnx.NodeProto]:
    """Store `tensor` as float16; the nodes that give it back under its own name."""
    name, array = tensor.name, numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}_half"))
    return [helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)]


def _int8(
    graph: onnx.ModelProto, tensor: TensorProto, axis: int
) -> list[onnx.NodeProto]:
    """Store `tensor` as int8; the nodes that give it back under its own name."""
    name, array = tensor.name, numpy_helper.to_array(tensor)
    largest = np.abs(array).max(axis=1 - axis, keepdims=True)
    scale = np.where(largest > 0, largest / INT8_MAX, 1).astype(np.float32)
    whole = np.rint(array / scale).astype(np.int8)
    tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
    graph.graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
    return [
        helper.make_node("Cast", [tensor.name], [f"{name}_cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]),
    ]
