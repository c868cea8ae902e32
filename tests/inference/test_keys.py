from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from backend.inference.keys import (
    key_id,
    load_or_make_key,
    publish_key,
    trusted_keys,
)
from backend.twin.errors import ModelUntrusted

ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
WRONG_PRIVATE = ELLIPTIC.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
WRONG_PUBLIC = ELLIPTIC.public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)


def test_a_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "signing.pem"
    first, second = load_or_make_key(path), load_or_make_key(path)
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = load_or_make_key(tmp_path / "other.pem")
    assert other.private_bytes_raw() != first.private_bytes_raw()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o601])
def test_a_private_key_that_others_may_use_is_refused(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "signing.pem"
    load_or_make_key(path)
    path.chmod(mode)
    says = rf"signing\.pem: others may read this private key \({mode:o}\); chmod 600"
    with pytest.raises(ModelUntrusted, match=says):
        load_or_make_key(path)
    path.chmod(0o400)
    load_or_make_key(path)


def test_a_public_key_is_everybodys_to_read(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = publish_key(Ed25519PrivateKey.generate(), tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("content", [b"", b"no key", WRONG_PRIVATE, WRONG_PUBLIC])
def test_a_file_that_is_no_private_key_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ModelUntrusted, match=r"signing\.pem: not an? .*private key"):
        load_or_make_key(path)
    assert path.read_bytes() == content


def test_an_encrypted_private_key_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        BestAvailableEncryption,
    )

    sealed = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    path = tmp_path / "signing.pem"
    path.write_bytes(sealed)
    path.chmod(0o600)
    with pytest.raises(ModelUntrusted, match="not a private key"):
        load_or_make_key(path)


def test_published_keys_are_trusted_by_folder_by_file_and_by_themselves(
    tmp_path: Path,
) -> None:
    private, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    path = publish_key(private, tmp_path / "trusted")
    publish_key(other.public_key(), tmp_path / "trusted")
    (tmp_path / "trusted" / "README").write_text("not a key")
    assert path.stem == key_id(private.public_key())
    ids = {key_id(key) for key in trusted_keys([tmp_path / "trusted"])}
    assert ids == {key_id(private.public_key()), key_id(other.public_key())}
    by_file = trusted_keys([path, other.public_key()])
    assert [key_id(key) for key in by_file] == [
        key_id(private.public_key()),
        key_id(other.public_key()),
    ]


def test_a_place_that_does_not_exist_adds_nobody(tmp_path: Path) -> None:
    assert trusted_keys([tmp_path / "nowhere", tmp_path / "none.pem"]) == ()


@pytest.mark.parametrize("content", [b"no key", WRONG_PUBLIC, WRONG_PRIVATE])
def test_a_pem_that_is_no_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(ModelUntrusted, match=r"bad\.pem"):
        trusted_keys([tmp_path])
