"""Versions come and go as files: published, verified, retired. Channels know nothing.

    <repository>/<model>/<version>/            complete, signed, never written to again
    <repository>/<model>/.retired/<version>/   out of every server's sight, bytes kept

A version appears by one rename, after all its checks, or not at all; Triton passes over
folders whose names are no numbers. Numbers only rise, and none is given twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from backend.inference.catalogue import (
    CARD,
    GRAPH,
    ModelVersion,
    read_catalogue,
)
from backend.inference.config import CONFIG
from backend.inference.graph import config_of, config_text, read_graph
from backend.inference.manifest import MANIFEST, verify_manifest, write_manifest
from backend.inference.validation import Limits, validate
from backend.twin.errors import ModelError, ModelRefused, ModelUntrusted

RETIRED = ".retired"
_NEW = ".new-"
Trusted = Iterable[Ed25519PublicKey | Path]


def publish(
    candidate: Path,
    *,
    repository: Path,
    key: Ed25519PrivateKey,
    trusted: Trusted,
    version: int | None = None,
    limits: Limits | None = None,
) -> ModelVersion:
    """Check a candidate's files, number and sign a copy, and put it into place.

    The copy's card gets the number: the next one, or `version` where earlier ones lie
    elsewhere. A first version brings `config.pbtxt` with it; later ones must fit that.
    Raises ModelRefused (the number was given before) and ModelUntrusted (any check, or
    a key that is not trusted); then nothing was changed.
    """
    model, trusted = _model_of(candidate), tuple(trusted)
    with _alone(repository, model) as folder:
        number = _number(folder, version)
        fresh = Path(tempfile.mkdtemp(prefix=_NEW, dir=folder))
        _copy(candidate, fresh, version=number)
        validate(fresh, limits=limits)
        write_manifest(fresh, key)
        verify_manifest(fresh, trusted)
        if not (folder / CONFIG).exists():
            _place(folder / CONFIG, _first_config(folder, fresh))
        for path in (*fresh.iterdir(), fresh):
            _sync(path)
        fresh.chmod(0o755)  # made for its owner alone, and servers read it
        fresh.rename(folder / str(number))
        _sync(folder)
    found = read_catalogue(repository, trusted=trusted)
    return next(v for v in found if (v.model, v.version) == (model, number))


def verify(
    repository: Path, trusted: Trusted, *, limits: Limits | None = None
) -> Sequence[ModelVersion]:
    """Every version of the repository, checked as at publishing; see `problem`."""
    return tuple(
        _verified(found, limits)
        for found in read_catalogue(repository, trusted=trusted)
    )


def retire(repository: Path, model: str, version: int) -> Path:
    """Take a version out of the servers' sight; its bytes stay, under `.retired`.

    Whoever calls makes sure that nothing points at it. Raises ModelRefused where there
    is no such version.
    """
    place = repository / model / str(version)
    if not place.is_dir():
        raise ModelRefused(f"{model}: there is no version {version}")
    with _alone(repository, model) as folder:
        (folder / RETIRED).mkdir(exist_ok=True)
        place.rename(folder / RETIRED / place.name)
        _sync(folder)
    return folder / RETIRED / place.name


def _verified(found: ModelVersion, limits: Limits | None) -> ModelVersion:
    if not found.verified:
        return found
    try:
        validate(found.path, limits=limits)
    except ModelError as error:
        problem = f"{found.model}/{found.version}: {error}"
        return replace(found, verified=False, problem=problem)
    return found


def _model_of(candidate: Path) -> str:
    """The model's name on the card, safe to be a folder's."""
    try:
        card = json.loads((candidate / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUntrusted(f"no readable {CARD}") from error
    model = card.get("model") if isinstance(card, dict) else None
    if not isinstance(model, str) or not model.isidentifier() or not model.isascii():
        raise ModelUntrusted(f"{CARD}: model is not a name")
    return model


@contextmanager
def _alone(repository: Path, model: str) -> Iterator[Path]:
    """The model's folder while nobody else changes the repository.

    Where we fail it is as before; what a killed publish left is swept away.
    """
    repository.mkdir(parents=True, exist_ok=True)
    folder = repository / model
    handle = os.open(repository, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        before = folder.exists()
        folder.mkdir(exist_ok=True)
        try:
            yield folder
            before = True
        finally:
            _sweep(folder) if before else shutil.rmtree(folder)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{_NEW}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _number(folder: Path, wanted: int | None) -> int:
    """The next number, above all that were ever given here."""
    places = (folder, folder / RETIRED)
    given = [int(p.name) for place in places for p in place.glob("[0-9]*")]
    last = max(given, default=0)
    if wanted is not None and wanted <= last:
        raise ModelRefused(f"{folder.name}: version {last} is there already")
    return wanted or last + 1


def _copy(candidate: Path, fresh: Path, *, version: int) -> None:
    """Every file of the candidate but a manifest, which is another folder's."""
    for path in sorted(candidate.iterdir()):
        if path.is_symlink() or not path.is_file():
            raise ModelUntrusted(f"{path.name} is not a plain file")
        if path.name != MANIFEST:
            shutil.copyfile(path, fresh / path.name)
    card = json.loads((fresh / CARD).read_text(encoding="utf-8"))
    text = json.dumps({**card, "version": version}, indent=1) + "\n"
    (fresh / CARD).write_text(text, encoding="utf-8")


def _first_config(folder: Path, fresh: Path) -> str:
    """What a first version's `config.pbtxt` says; the graph was checked before."""
    graph = read_graph((fresh / GRAPH).read_bytes())
    card = json.loads((fresh / CARD).read_text(encoding="utf-8"))
    batch = max(card["parity"]["batches"])
    return config_text(config_of(folder.name, graph, max_batch=batch))


def _place(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(f"{_NEW}{path.name}")
    fresh.write_text(text, encoding="utf-8")
    _sync(fresh)
    fresh.rename(path)


def _sync(path: Path) -> None:
    """Have a file or folder on the disk, not only in memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
