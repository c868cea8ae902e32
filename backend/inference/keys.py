"""Ed25519 keys of model versions: who may publish, and whom we believe.

Private keys stay with whoever exports models. Public keys of published models lie in
`trusted/` beside this file, one PEM each; a local export adds its own folder of keys.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from backend.twin.errors import ModelUntrusted

SHIPPED = Path(__file__).parent / "trusted"


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The private signing key at `path` (PEM), made on first use, owner-readable.

    Raises ModelUntrusted when the file holds anything else, or others may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: two exports at once must not each believe in a key of their own.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_private(path)
    key = Ed25519PrivateKey.generate()
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def publish_key(key: Ed25519PrivateKey | Ed25519PublicKey, folder: Path) -> Path:
    """Write the public half as `<key id>.pem` into a folder of trusted keys."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key_id(public)}.pem"
    path.write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    path.chmod(0o644)  # public, whatever the umask: servers of other accounts check
    return path


def trusted_keys(
    places: Iterable[Path | Ed25519PublicKey],
) -> tuple[Ed25519PublicKey, ...]:
    """All public keys of these places: keys, PEM files, or folders of `*.pem`.

    A place that does not exist adds nobody. Raises ModelUntrusted on a PEM file that
    holds no Ed25519 public key, because somebody meant it to count.
    """
    keys: list[Ed25519PublicKey] = []
    for place in places:
        if isinstance(place, Path):
            keys.extend(_read_public(path) for path in _pem_files(place))
        else:
            keys.append(place)
    return tuple(keys)


def key_id(key: Ed25519PublicKey) -> str:
    """A short name for a public key: the first 16 hex digits of its sha256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _pem_files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(place.glob("*.pem"))
    return [place] if place.exists() else []


def _read_private(path: Path) -> Ed25519PrivateKey:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        content = file.read()
    if mode & 0o077:
        raise ModelUntrusted(
            f"{path.name}: others may read this private key ({mode:o}); chmod 600 it"
        )
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ModelUntrusted(f"{path.name}: not a private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ModelUntrusted(f"{path.name}: not an Ed25519 private key")
    return key


def _read_public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ModelUntrusted(f"{path.name}: not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ModelUntrusted(f"{path.name}: not an Ed25519 public key")
    return key
