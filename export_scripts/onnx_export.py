"""From a trained model to a signed version folder that both runtimes can serve.

    model_repository/<model>/config.pbtxt              generated from the graph
    model_repository/<model>/<version>/model.onnx      no paths, no traces in it
                                       card.json  golden.npz  manifest.json

What is proven here becomes a candidate folder; `backend.inference.lifecycle` checks it
again, numbers and signs it, and puts it into place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

from backend.inference import lifecycle
from backend.inference.catalogue import CARD, GOLDEN, GRAPH, ModelVersion
from backend.inference.golden import Golden
from backend.inference.graph import read_graph
from backend.inference.keys import load_or_make_key, publish_key
from backend.inference.onnx_session import session
from backend.inference.validation import worst_difference
from backend.twin.errors import ModelRefused
from backend.twin.features import Z_LIMIT
from export_scripts import compression
from export_scripts.cards import card, held_out, versions_of
from export_scripts.datasets import simulated_windows
from export_scripts.latency import answers, serving

REPOSITORY = Path("model_repository")
MAX_BATCH = 64
GOLDEN_ROWS = 72  # of the proof's rows, kept for the canary; the odd ones come first
PROOF_ROWS = 1000
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


@dataclass(frozen=True, eq=False, slots=True)
class Files:
    """An unsigned version: graph, card, known cases with their answers."""

    graph: onnx.ModelProto
    card: Mapping[str, Any]
    cases: Mapping[str, np.ndarray]
    expected: np.ndarray
    output: str = "quantiles"

    def write(self, folder: Path, *, rows: int = GOLDEN_ROWS) -> None:
        """Into this folder; of the known cases the first `rows`."""
        (folder / GRAPH).write_bytes(self.graph.SerializeToString())
        write_card(folder, self.card)
        golden: dict[str, Any] = {f"in_{n}": a[:rows] for n, a in self.cases.items()}
        golden[f"out_{self.output}"] = self.expected[:rows]
        np.savez_compressed(folder / GOLDEN, **golden)


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

    Raises ModelRefused where the graph differs from the training framework, is too
    large or costs too much when made smaller; and what `lifecycle.publish` raises.
    """
    export = smaller(replace(export, graph=bare(export.graph)), where.small)
    check(export.graph, size_limit=where.size_limit)
    difference = proven(export)
    print(f"parity {difference:.1e}")
    made = _card(export, difference)
    return published(Files(export.graph, made, export.cases, export.expected), where)


def published(files: Files, where: Places) -> Path:
    """Sign and try the files as the next version; returns its folder.

    Raises what `lifecycle.publish` raises.
    """
    with TemporaryDirectory() as place:
        files.write(Path(place))
        found = put(Path(place), where)
    print(f"published {found.model} version {found.version}")
    return found.path


def put(candidate: Path, where: Places) -> ModelVersion:
    """Sign and try a candidate's folder; raises what `lifecycle.publish` raises."""
    key = load_or_make_key(where.key)
    publish_key(key, where.trusted)
    return lifecycle.publish(
        candidate,
        repository=where.repository,
        key=key,
        trusted=[where.trusted],
        version=where.version,
    )


def write_card(folder: Path, content: Mapping[str, Any]) -> None:
    """The card as a candidate's file."""
    (folder / CARD).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


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
    """Raise ModelUntrusted for a graph not served, ModelRefused for a large one."""
    read_graph(graph.SerializeToString())
    if graph.ByteSize() > size_limit:
        raise ModelRefused(f"{graph.ByteSize()} bytes are over {size_limit}")


def parity(
    graph: onnx.ModelProto, cases: Mapping[str, np.ndarray], expected: np.ndarray
) -> float:
    """The largest difference from `expected` at batch 1 and at the largest batch.

    Infinite where one side has a number and the other has none.
    """
    golden = Golden(dict(cases), {"quantiles": expected}, tolerance=0.0)
    return worst_difference(session(graph.SerializeToString()), golden, MAX_BATCH)


def _card(export: Export, difference: float) -> dict[str, Any]:
    return card(
        model=export.model,
        names=list(export.cases),
        libraries=versions_of(export.libraries),
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
