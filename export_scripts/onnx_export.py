"""From a trained model to a signed version folder that both runtimes can serve.

    model_repository/<model>/config.pbtxt              generated from the graph
    model_repository/<model>/<version>/model.onnx      no paths, no traces in it
                                       card.json  golden.npz  manifest.json

A version is complete or absent: it is built beside and moved into place, and it is
never written to again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import load_or_make_key, publish_key
from backend.inference.manifest import write_manifest
from backend.twin.errors import ModelRefused, ModelUntrusted
from backend.twin.features import Z_LIMIT
from export_scripts import compression
from export_scripts.cards import card, held_out
from export_scripts.datasets import simulated_windows
from export_scripts.latency import answers, serving, session

REPOSITORY = Path("model_repository")
MAX_BATCH = 64
GOLDEN_ROWS = 72  # of the proof's rows, kept for the canary; the odd ones come first
PROOF_ROWS = 1000
DOMAINS = {"", "ai.onnx.ml"}  # nothing that needs code of its own
SIZE_LIMIT = 20_000_000  # bytes of a committed graph


@dataclass(frozen=True, slots=True)
class Export:
    """A trained model with its evidence.

    `cases` are input arrays and `expected` the training framework's answer to them;
    `tolerance` is the largest difference allowed, z units.
    """

    model: str
    graph: onnx.ModelProto
    cases: Mapping[str, np.ndarray]
    expected: np.ndarray
    tolerance: float
    metrics: Mapping[str, Any]
    training: Mapping[str, Any]
    libraries: Sequence[str]
    compression: Mapping[str, Any] | None = None  # the card's part, where there is one


@dataclass(frozen=True, slots=True)
class Places:
    """Where versions, the private key and the trusted keys lie, and how small to be."""

    repository: Path
    key: Path
    trusted: Path
    version: int | None = None  # the next one unless given
    size_limit: int = SIZE_LIMIT
    small: compression.Choice = field(default_factory=compression.Choice)


def add_places(parser: argparse.ArgumentParser) -> None:
    """The options that say where to publish, and how small."""
    parser.add_argument("--repository", type=Path, help="default: by kind of model")
    parser.add_argument(
        "--version", type=int, help="its number, where earlier ones lie elsewhere"
    )
    parser.add_argument("--key", type=Path, default=Path("var/keys/export.pem"))
    parser.add_argument("--trusted", type=Path, default=Path("var/keys/trusted"))
    compression.add_options(parser)


def places(options: argparse.Namespace, *, size_limit: int = SIZE_LIMIT) -> Places:
    """The places named on the command line, and how small the model shall be."""
    return Places(
        repository=options.repository or REPOSITORY,
        key=options.key,
        trusted=options.trusted,
        version=options.version,
        size_limit=size_limit,
        small=compression.choice(options),
    )


def proof_cases(
    names: Sequence[str], *, seed: int, rows: int = PROOF_ROWS
) -> dict[str, np.ndarray]:
    """Inputs to prove a graph on: simulated windows, the odd ones first.

    Row 0 is all zeros, 1 and 2 are the far ends of the range, 3 is NaN; where a model
    takes `features`, a tenth of the next half is NaN as well.
    """
    rng = np.random.default_rng([seed, PROOF_ROWS])
    arrays = simulated_windows(rng, rows).arrays
    cases = {name: getattr(arrays, name).copy() for name in names}
    for name, array in cases.items():
        array[:3] = np.array([0.0, Z_LIMIT, -Z_LIMIT]).reshape(
            3, *[1] * (array.ndim - 1)
        )
        if name != "anchor":
            array[3] = np.nan
    if "features" in cases:
        some = cases["features"][4 : rows // 2]
        some[rng.random(some.shape) < 0.1] = np.nan
    return cases


def publish(export: Export, where: Places) -> Path:
    """Prove, write, sign and try the next version; returns its folder.

    Raises ModelRefused where the graph is not what we serve or differs from the
    training framework, where its inputs are not those of the versions before it, and
    where making it smaller costs too much.
    """
    export = smaller(replace(export, graph=bare(export.graph)), where.small)
    check(export.graph, size_limit=where.size_limit)
    difference = proven(export)
    graph = export.graph
    folder = where.repository / export.model
    folder.mkdir(parents=True, exist_ok=True)
    last = max((int(p.name) for p in folder.glob("[0-9]*")), default=0)
    version = where.version or last + 1
    if version <= last:
        raise ModelRefused(f"{export.model}: version {last} is there already")
    _write_config(folder, config_of(export.model, graph), first=last == 0)
    fresh = folder / f".new-{version}"
    shutil.rmtree(fresh, ignore_errors=True)  # what a killed export left
    fresh.mkdir()
    (fresh / "model.onnx").write_bytes(graph.SerializeToString())
    _write_card(fresh, export, version=version, difference=difference)
    _write_golden(fresh, export)
    key = load_or_make_key(where.key)
    write_manifest(fresh, key)
    publish_key(key, where.trusted)
    fresh.rename(folder / str(version))
    EmbeddedServer(
        where.repository, versions={export.model: [version]}, trusted=[where.trusted]
    ).canary(export.model, version)
    print(f"published {export.model} version {version}, parity {difference:.1e}")
    return folder / str(version)


def proven(export: Export) -> float:
    """The graph's largest difference from what is expected of it, z units.

    Raises ModelRefused where that is over the tolerance.
    """
    difference = parity(export.graph, export.cases, export.expected)
    if not difference <= export.tolerance:
        raise ModelRefused(f"{export.model}: ONNX differs by {difference:.2e}")
    return difference


def smaller(export: Export, chosen: compression.Choice) -> Export:
    """The same model with a compressed graph and that graph's figures, where chosen.

    Its golden answers are the smaller graph's, for the training framework never had
    its weights; parity before and the cost stand in the card. Raises ModelRefused where
    parity fails or the cost is over the limits.
    """
    if not chosen.anything:
        return export
    difference = proven(export)
    graph, part = compression.compressed(export.graph, chosen)
    print(f"compressed: {part['after']['bytes']} of {part['before']['bytes']} bytes")
    return replace(
        export,
        graph=graph,
        expected=answers(graph, export.cases),
        metrics=held_out(
            lambda inputs: answers(graph, inputs),
            list(export.cases),
            count=export.metrics["people"],
        ),
        compression={**part, "parity_before": difference},
    )


def bare(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without the exporter's traces, which carry paths of this machine."""
    stripped = onnx.ModelProto()
    stripped.CopyFrom(graph)
    for part in (stripped, stripped.graph, *stripped.graph.node):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for value in (
        *stripped.graph.input,
        *stripped.graph.output,
        *stripped.graph.initializer,
    ):
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    stripped.graph.ClearField("value_info")
    stripped.ClearField("functions")
    return stripped


def check(graph: onnx.ModelProto, *, size_limit: int = SIZE_LIMIT) -> None:
    """Raise ModelRefused unless the graph is one file of standard operators."""
    onnx.checker.check_model(graph, full_check=True)
    foreign = {node.domain for node in graph.graph.node} - DOMAINS
    if foreign:
        raise ModelRefused(f"operators of {sorted(foreign)} are not served")
    if any(tensor.external_data for tensor in graph.graph.initializer):
        raise ModelRefused("weights outside the file are not served")
    if graph.ByteSize() > size_limit:
        raise ModelRefused(f"{graph.ByteSize()} bytes are over {size_limit}")


def parity(
    graph: onnx.ModelProto, cases: Mapping[str, np.ndarray], expected: np.ndarray
) -> float:
    """The largest difference from `expected` at batch 1 and at the largest batch.

    Infinite where one side has a number and the other has none.
    """
    ready = session(graph)
    worst = 0.0
    for size in (1, MAX_BATCH):
        for start in range(0, len(expected), size):
            rows = slice(start, start + size)
            part = {name: array[rows] for name, array in cases.items()}
            answer = ready.run(["quantiles"], part)[0]
            worst = max(worst, _difference(np.asarray(answer), expected[rows]))
    return worst


def config_of(model: str, graph: onnx.ModelProto) -> str:
    """Triton's configuration of the graph, as text; the same for every version."""
    config = ModelConfig(name=model, backend="onnxruntime", max_batch_size=MAX_BATCH)
    for tensor in graph.graph.input:
        config.input.add(name=tensor.name, data_type="TYPE_FP32", dims=_dims(tensor))
    for tensor in graph.graph.output:
        config.output.add(name=tensor.name, data_type="TYPE_FP32", dims=_dims(tensor))
    config.instance_group.add(count=1, kind=ModelInstanceGroup.KIND_AUTO)
    config.dynamic_batching.SetInParent()  # no delay: a single caller never waits
    warm_up = config.model_warmup.add(name="zeros", batch_size=1)
    for tensor in config.input:
        entry = warm_up.inputs[tensor.name]
        entry.data_type, entry.zero_data = tensor.data_type, True
        entry.dims.extend(tensor.dims)
    return str(text_format.MessageToString(config))


def _difference(answer: np.ndarray, expected: np.ndarray) -> float:
    if answer.shape != expected.shape:
        return float("inf")
    if (np.isnan(answer) != np.isnan(expected)).any():
        return float("inf")
    return float(np.nan_to_num(np.abs(answer - expected)).max())


def _dims(tensor: Any) -> list[int]:
    """Sizes after the batch, all of them fixed."""
    return [dim.dim_value for dim in tensor.type.tensor_type.shape.dim[1:]]


def _write_config(folder: Path, text: str, *, first: bool) -> None:
    path = folder / "config.pbtxt"
    if first:
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise ModelRefused(
            f"{folder.name}: other inputs than the published versions; "
            "publish under a new name"
        )


def _write_card(
    folder: Path, export: Export, *, version: int, difference: float
) -> None:
    content = card(
        model=export.model,
        version=version,
        names=list(export.cases),
        libraries=export.libraries,
        parts={
            "metrics": export.metrics,
            "training": {
                "origin": "simulated",
                "real_people": 0,
                "source": "backend/twin/simulation/diaries.py",
                "licence": "Apache-2.0",
                **export.training,
            },
            "parity": {
                "tolerance": export.tolerance,
                "max_abs": difference,
                "rows": len(export.expected),
                "batches": [1, MAX_BATCH],
            },
            "serving": serving(export.graph, export.cases),
            **({"compression": export.compression} if export.compression else {}),
        },
    )
    text = json.dumps(content, indent=1) + "\n"
    (folder / "card.json").write_text(text, encoding="utf-8")


def _write_golden(folder: Path, export: Export) -> None:
    golden: dict[str, Any] = {
        f"in_{n}": a[:GOLDEN_ROWS] for n, a in export.cases.items()
    }
    golden["out_quantiles"] = export.expected[:GOLDEN_ROWS]
    if len(golden["out_quantiles"]) < MAX_BATCH:
        raise ModelUntrusted(f"{export.model}: a golden case needs {MAX_BATCH} rows")
    np.savez_compressed(folder / "golden.npz", **golden)
