"""What lies in the model repository, version by version, and what of it is trusted.

    <repository>/<model>/config.pbtxt
    <repository>/<model>/<version>/{model.onnx, card.json, golden.npz, manifest.json}

Reading a catalogue never fails on one bad version, nor on one that goes away meanwhile:
it is listed, with its problem, and it is nobody's to serve.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tritonclient.grpc.model_config_pb2 import ModelConfig

from backend.inference.config import read_config
from backend.inference.keys import trusted_keys
from backend.inference.manifest import (
    MANIFEST,
    MANIFEST_BYTES,
    sha256_of,
    verify_manifest,
)
from backend.inference.plain import read_json, read_plain
from backend.twin.errors import ModelUntrusted

GRAPH, CARD, GOLDEN = "model.onnx", "card.json", "golden.npz"
MIB = 1 << 20
SIZES = {  # a version's files, and how large each may be (bytes)
    GRAPH: 400 * MIB,
    CARD: MIB,
    GOLDEN: 50 * MIB,
    MANIFEST: MANIFEST_BYTES,
}
LAST_VERSION = 2**31 - 1  # what every database and protocol can count to
_VERSION = re.compile(r"[1-9][0-9]{0,9}")  # Triton, too, passes over 0, 01 and words


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version folder. `problem` says in words why it is not `verified`.

    `config` is Triton's ModelConfig. `sha256` is the graph's as signed, or as found
    where the version is not verified ("" without a graph); an unproven card is empty.
    """

    model: str
    version: int
    path: Path
    config: Any
    card: Mapping[str, Any]
    sha256: str
    verified: bool
    problem: str | None


def read_catalogue(
    repository: Path, *, trusted: Iterable[Ed25519PublicKey | Path]
) -> tuple[ModelVersion, ...]:
    """Every version in the repository, by model and version.

    `trusted` are public keys, PEM files or folders of them. Raises ModelUntrusted only
    for an unreadable trusted key.
    """
    keys = trusted_keys(trusted)
    models = sorted(path for path in _folders(repository) if _versions(path))
    return tuple(version for model in models for version in _read_model(model, keys))


def latest_verified(versions: Iterable[ModelVersion]) -> dict[str, ModelVersion]:
    """The highest verified version of each model that has one."""
    latest: dict[str, ModelVersion] = {}
    for version in versions:
        known = latest.get(version.model)
        if version.verified and (known is None or version.version > known.version):
            latest[version.model] = version
    return latest


def version_number(name: str) -> int | None:
    """The version that a folder of this name holds; None where it is no version's."""
    number = int(name) if _VERSION.fullmatch(name) else 0
    return number if 1 <= number <= LAST_VERSION else None


def _folders(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []


def _versions(model_folder: Path) -> list[Path]:
    try:
        folders = _folders(model_folder)
    except OSError:  # gone meanwhile, or another account's: no version that we know of
        return []
    return sorted(
        (path for path in folders if version_number(path.name)),
        key=lambda path: int(path.name),
    )


def _read_model(folder: Path, keys: Sequence[Ed25519PublicKey]) -> list[ModelVersion]:
    try:
        config = read_config(folder)
    except ModelUntrusted as error:
        nothing = ModelConfig(name=folder.name)
        return [_refused(path, nothing, str(error)) for path in _versions(folder)]
    config.name = folder.name  # the file may leave it out
    return [_read_version(path, config, keys) for path in _versions(folder)]


def _read_version(
    path: Path, config: Any, keys: Sequence[Ed25519PublicKey]
) -> ModelVersion:
    try:
        files = verify_manifest(path, keys).files
        missing = {GRAPH, CARD, GOLDEN} - files.keys()
        if missing:
            raise ModelUntrusted(f"{_place(path)}: no {', '.join(sorted(missing))}")
        card = _read_card(path)
    except ModelUntrusted as error:
        return _refused(path, config, str(error))
    return ModelVersion(
        model=path.parent.name,
        version=int(path.name),
        path=path,
        config=config,
        card=card,
        sha256=files[GRAPH],
        verified=True,
        problem=None,
    )


def _read_card(path: Path) -> dict[str, Any]:
    """The card, which must name the very place it lies in.

    It is signed, so a folder signed as one version cannot pose as another.
    """
    try:
        card = read_json(read_plain(path / CARD, limit=SIZES[CARD]))
    except (ModelUntrusted, ValueError) as error:
        raise ModelUntrusted(f"{_place(path)}: unreadable {CARD}: {error}") from error
    if not isinstance(card, dict):
        raise ModelUntrusted(f"{_place(path)}: {CARD} is not an object")
    if (card.get("model"), card.get("version")) != (path.parent.name, int(path.name)):
        raise ModelUntrusted(f"{_place(path)}: {CARD} is another version's")
    return card


def _refused(path: Path, config: Any, problem: str) -> ModelVersion:
    return ModelVersion(
        model=path.parent.name,
        version=int(path.name),
        path=path,
        config=config,
        card={},
        sha256=_digest(path / GRAPH),
        verified=False,
        problem=problem,
    )


def _digest(graph: Path) -> str:
    try:
        return sha256_of(graph) if graph.is_file() else ""
    except OSError:
        return ""


def _place(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
