"""The signed manifest of a version folder: these files, byte for byte, by this key.

`manifest.json` lists the sha256 of every other file in the folder, the id of the key,
and an Ed25519 signature over both. Model and version are bound by the card, which is
one of the files: the catalogue compares it with the folder's place.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from backend.inference.keys import key_id, trusted_keys
from backend.inference.plain import read_json, read_plain
from backend.twin.errors import ModelUntrusted

MANIFEST = "manifest.json"
MANIFEST_BYTES = 1 << 20
_PURPOSE = (
    b"mindtwin model version, manifest 1\n"  # a signature serves no other purpose
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed: sha256 per file name, and the id of the key that signed."""

    files: Mapping[str, str]
    key: str


def write_manifest(folder: Path, private_key: Ed25519PrivateKey) -> Manifest:
    """Sign every file of a finished version folder; the last step before publishing.

    Raises ModelUntrusted where the folder holds anything but plain files.
    """
    manifest = Manifest(files=_digests(folder), key=key_id(private_key.public_key()))
    signature = private_key.sign(_signed_bytes(manifest))
    text = json.dumps(
        {
            "files": dict(manifest.files),
            "key": manifest.key,
            "signature": base64.b64encode(signature).decode(),
        },
        indent=1,
    )
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return manifest


def verify_manifest(
    folder: Path, trusted: Iterable[Ed25519PublicKey | Path]
) -> Manifest:
    """The folder's manifest, once its signature and every file in it are proven.

    Raises ModelUntrusted: no manifest, unknown key, bad signature, or a file that was
    changed, added or removed since, or cannot be read.
    """
    manifest, signature = _read(folder)
    key = next((k for k in trusted_keys(trusted) if key_id(k) == manifest.key), None)
    if key is None:
        raise ModelUntrusted(f"{_name(folder)}: signed by a key that is not trusted")
    try:
        key.verify(signature, _signed_bytes(manifest))
    except InvalidSignature as error:
        raise ModelUntrusted(f"{_name(folder)}: the signature does not fit") from error
    _compare(folder, manifest.files, _digests(folder))
    return manifest


def sha256_of(path: Path) -> str:
    """The sha256 of a file, hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    digests = {}
    try:
        for path in sorted(folder.iterdir()):
            if path.is_symlink() or not path.is_file():
                raise ModelUntrusted(
                    f"{_name(folder)}: {path.name} is not a plain file"
                )
            if path.name != MANIFEST:
                digests[path.name] = sha256_of(path)
    except OSError as error:  # gone meanwhile, or not ours to read
        word = type(error).__name__
        raise ModelUntrusted(f"{_name(folder)}: cannot be read ({word})") from error
    return digests


def _signed_bytes(manifest: Manifest) -> bytes:
    """One and only one byte string per content: sorted keys, no spaces, ASCII."""
    content = {"files": dict(manifest.files), "key": manifest.key}
    return _PURPOSE + json.dumps(content, sort_keys=True, separators=(",", ":")).encode(
        "ascii"
    )


def _read(folder: Path) -> tuple[Manifest, bytes]:
    try:
        content = read_json(read_plain(folder / MANIFEST, limit=MANIFEST_BYTES))
        files = {str(name): str(digest) for name, digest in content["files"].items()}
        signature = base64.b64decode(content["signature"], validate=True)
        return Manifest(files=files, key=str(content["key"])), signature
    except ModelUntrusted as error:
        raise ModelUntrusted(f"{_name(folder)}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUntrusted(f"{_name(folder)}: unreadable {MANIFEST}") from error


def _compare(folder: Path, signed: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise on the first file that is not what was signed, saying how."""
    for name in sorted(signed.keys() | found.keys()):
        if name not in found:
            raise ModelUntrusted(f"{_name(folder)}: {name} is missing")
        if name not in signed:
            raise ModelUntrusted(f"{_name(folder)}: {name} was added after signing")
        if signed[name] != found[name]:
            raise ModelUntrusted(f"{_name(folder)}: {name} was changed after signing")


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"
