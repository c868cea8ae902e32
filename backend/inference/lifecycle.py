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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from backend.inference.card import Card, read_card
from backend.inference.catalogue import (
    CARD,
    GRAPH,
    LAST_VERSION,
    SIZES,
    ModelVersion,
    read_catalogue,
    version_number,
)
from backend.inference.config import CONFIG, read_config
from backend.inference.graph import config_of, config_text, read_graph
from backend.inference.manifest import MANIFEST, verify_manifest, write_manifest
from backend.inference.plain import copy_plain, read_json, read_plain
from backend.inference.validation import Limits, check_files, validate
from backend.twin.errors import ModelError, ModelRefused, ModelUntrusted

RETIRED = ".retired"
_NEW = ".new-"
Trusted = Iterable[Ed25519PublicKey | Path]
Announce = Callable[[ModelVersion], object]


def publish(
    candidate: Path,
    *,
    repository: Path,
    key: Ed25519PrivateKey,
    trusted: Trusted,
    version: int | None = None,
    announce: Announce = lambda _: None,
) -> ModelVersion:
    """Check a candidate's files, number and sign a copy, and put it into place.

    The copy's card gets the number: the next one, or `version` where earlier ones lie
    elsewhere. A first version brings `config.pbtxt` with it; later ones must fit that.
    `announce` is told of the version when nothing but its appearing is left to do.
    Raises ModelRefused (no such number is free), ModelUntrusted (any check, or a key
    that is not trusted) and what `announce` raises; then nothing was changed.
    """
    card = _card_of(candidate)
    check_files(candidate)
    with _alone(repository, card.model) as folder:
        number = _number(folder, version)
        fresh = Path(tempfile.mkdtemp(prefix=_NEW, dir=folder))
        _copy(candidate, fresh)
        card = _numbered(fresh, number, model=folder.name)
        validate(fresh)
        manifest = write_manifest(fresh, key)
        verify_manifest(fresh, trusted)
        found = _found(folder, fresh, card=card, sha256=manifest.files[GRAPH])
        for path in (*fresh.iterdir(), fresh, *folder.glob(f"{_NEW}{CONFIG}")):
            _open_to_servers(path)
            _sync(path)
        announce(found)
        _appear(folder, fresh, number)
    return found


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
        _folder(folder / RETIRED)
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


def _card_of(candidate: Path) -> Card:
    """The candidate's card, read within bounds and checked before anything is done."""
    if not candidate.is_dir():
        raise ModelUntrusted(f"no readable {CARD}: there is no such folder")
    return read_card(read_plain(candidate / CARD, limit=SIZES[CARD]))


@contextmanager
def _alone(repository: Path, model: str) -> Iterator[Path]:
    """The model's folder while nobody else changes the repository.

    Where we fail it is as before; what a killed publish left is swept away.
    """
    _folder(repository)
    folder = repository / model
    handle = os.open(repository, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        before = folder.exists()
        _folder(folder)
        try:
            yield folder
            before = True
        finally:
            _sweep(folder) if before else shutil.rmtree(folder)
    finally:
        os.close(handle)


def _folder(place: Path) -> None:
    """Made where it is not there; what somebody else made keeps its permissions."""
    if not place.exists():
        place.mkdir(parents=True, exist_ok=True)
        _open_to_servers(place)


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{_NEW}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _number(folder: Path, wanted: int | None) -> int:
    """The next number, above all that were ever given here."""
    names = [p.name for place in (folder, folder / RETIRED) for p in place.glob("*")]
    last = max((version_number(name) or 0 for name in names), default=0)
    number = last + 1 if wanted is None else wanted
    if not 1 <= number <= LAST_VERSION:
        raise ModelRefused(f"{folder.name}: numbers are 1 to {LAST_VERSION}")
    if number <= last:
        raise ModelRefused(f"{folder.name}: version {last} is there already")
    return number


def _copy(candidate: Path, fresh: Path) -> None:
    """A version's files but the manifest, which is another folder's."""
    for name in SIZES.keys() - {MANIFEST}:
        copy_plain(candidate / name, fresh / name, limit=SIZES[name])


def _numbered(fresh: Path, version: int, *, model: str) -> Card:
    """Write the number into the copied card; it must still be this model's."""
    content = read_plain(fresh / CARD, limit=SIZES[CARD])
    if read_card(content).model != model:
        raise ModelUntrusted(f"{CARD}: the card is of another model")
    text = json.dumps({**read_json(content), "version": version}, indent=1) + "\n"
    (fresh / CARD).write_text(text, encoding="utf-8")
    return read_card(text.encode())


def _found(folder: Path, fresh: Path, *, card: Card, sha256: str) -> ModelVersion:
    """The version as it will lie in its place."""
    return ModelVersion(
        model=folder.name,
        version=card.version,
        path=folder / str(card.version),
        config=_config(folder, card, fresh),
        card=read_json((fresh / CARD).read_bytes()),
        sha256=sha256,
        verified=True,
        problem=None,
    )


def _config(folder: Path, card: Card, fresh: Path) -> Any:
    """The model's configuration; a first version's is made, and laid beside its place.

    The graph was checked before.
    """
    if (folder / CONFIG).exists():
        return read_config(folder)
    graph = read_graph((fresh / GRAPH).read_bytes())
    config = config_of(card.model, graph, max_batch=max(card.parity.batches))
    text = config_text(config)
    (folder / f"{_NEW}{CONFIG}").write_text(text, encoding="utf-8")
    return config


def _appear(folder: Path, fresh: Path, number: int) -> None:
    """The configuration first, so that no version is ever seen without."""
    for staged in folder.glob(f"{_NEW}{CONFIG}"):
        staged.rename(folder / CONFIG)
    fresh.rename(folder / str(number))
    _sync(folder)


def _open_to_servers(path: Path) -> None:
    """Triton and the site read as other accounts, whatever our umask is."""
    path.chmod(0o755 if path.is_dir() else 0o644)


def _sync(path: Path) -> None:
    """Have a file or folder on the disk, not only in memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
