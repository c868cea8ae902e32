"""New versions of a published model for tests: the same answers, moved by a constant.

So a test can tell two versions apart by their numbers, and knows by how much.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import helper, numpy_helper

from backend.inference.manifest import MANIFEST, write_manifest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED_MODELS = ROOT / "model_repository"
OUTPUT = "quantiles"


def numbers(repository: Path, model: str) -> list[int]:
    """The versions of a model that lie in the repository, ascending."""
    return sorted(int(p.name) for p in (repository / model).glob("[1-9]*"))


def shipped_version(model: str) -> int:
    """The newest version of a model that this repository ships."""
    return numbers(SHIPPED_MODELS, model)[-1]


def next_version(
    repository: Path, model: str, *, shift: float = 0.01, key: Ed25519PrivateKey
) -> int:
    """Add a signed, complete version whose quantiles are higher by `shift` (z units).

    Made from the newest version; its number is returned. It appears all at once.
    """
    last = numbers(repository, model)[-1]
    fresh = repository / model / f".test-{last + 1}"
    shutil.copytree(repository / model / str(last), fresh)
    (fresh / MANIFEST).unlink()
    graph = onnx.load_model(fresh / "model.onnx")
    (fresh / "model.onnx").write_bytes(shifted(graph, shift).SerializeToString())
    (fresh / "golden.npz").write_bytes(shifted_golden(fresh / "golden.npz", shift))
    card = json.loads((fresh / "card.json").read_text()) | {"version": last + 1}
    (fresh / "card.json").write_text(json.dumps(card))
    write_manifest(fresh, key)
    fresh.rename(fresh.with_name(str(last + 1)))
    return last + 1


def shifted(graph: onnx.ModelProto, shift: float) -> onnx.ModelProto:
    """The graph with `shift` added to its quantiles; may be done again and again."""
    moved = onnx.ModelProto()
    moved.CopyFrom(graph)
    before, by = (
        f"{OUTPUT}_{word}_{len(graph.graph.node)}" for word in ("before", "by")
    )
    for node in moved.graph.node:
        node.output[:] = [before if name == OUTPUT else name for name in node.output]
    constant = numpy_helper.from_array(np.float32(shift).reshape(()), by)
    moved.graph.initializer.append(constant)
    moved.graph.node.append(helper.make_node("Add", [before, by], [OUTPUT]))
    return moved


def shifted_golden(path: Path, shift: float) -> bytes:
    """The golden case of a shifted graph, as the file's bytes."""
    with np.load(path, allow_pickle=False) as arrays:
        case = {name: arrays[name] for name in arrays.files}
    case[f"out_{OUTPUT}"] = case[f"out_{OUTPUT}"] + np.float32(shift)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **case)
    return buffer.getvalue()
