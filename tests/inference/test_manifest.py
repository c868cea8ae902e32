from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from backend.inference.keys import key_id, publish_key
from backend.inference.manifest import (
    MANIFEST,
    sha256_of,
    verify_manifest,
    write_manifest,
)
from backend.twin.errors import ModelUntrusted

KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
TRUSTED = (KEY.public_key(),)
FILES = {"model.onnx": b"graph" * 9, "card.json": b"{}", "golden.npz": b"\0" * 20}


def version(place: Path) -> Path:
    folder = place / "tiny" / "1"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    write_manifest(folder, KEY)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return version(tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return version(tmp_path_factory.mktemp("kept"))


def test_what_was_signed_verifies(folder: Path, tmp_path: Path) -> None:
    found = verify_manifest(folder, TRUSTED)
    assert set(found.files) == set(FILES)
    assert found.files["model.onnx"] == sha256_of(folder / "model.onnx")
    assert found.key == key_id(KEY.public_key())
    publish_key(STRANGER, tmp_path / "trusted")
    publish_key(KEY, tmp_path / "trusted")
    assert verify_manifest(folder, [tmp_path / "trusted"]) == found


def test_signing_again_changes_nothing(folder: Path) -> None:
    before = (folder / MANIFEST).read_bytes()
    write_manifest(folder, KEY)
    assert (folder / MANIFEST).read_bytes() == before


def _edit_digest(folder: Path) -> None:
    (folder / "card.json").write_bytes(b"[]")
    content = json.loads((folder / MANIFEST).read_text())
    content["files"]["card.json"] = sha256_of(folder / "card.json")
    (folder / MANIFEST).write_text(json.dumps(content))


def _take_name(folder: Path) -> None:
    """A stranger signs, and claims to be the key that is trusted."""
    write_manifest(folder, STRANGER)
    content = json.loads((folder / MANIFEST).read_text())
    content["key"] = key_id(KEY.public_key())
    (folder / MANIFEST).write_text(json.dumps(content))


def _symlink(folder: Path) -> None:
    target = folder.parent / "elsewhere"
    target.write_bytes(FILES["card.json"])
    (folder / "card.json").unlink()
    (folder / "card.json").symlink_to(target)


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"x"), "model.onnx was changed"),
        (lambda f: (f / "golden.npz").unlink(), "golden.npz is missing"),
        (lambda f: (f / "extra.bin").touch(), "extra.bin was added"),
        (lambda f: (f / "sub").mkdir(), "sub is not a plain file"),
        (_symlink, "card.json is not a plain file"),
        (lambda f: (f / MANIFEST).unlink(), "no manifest.json"),
        (lambda f: write_manifest(f, STRANGER), "key that is not trusted"),
        (_edit_digest, "signature does not fit"),
        (_take_name, "signature does not fit"),
        (lambda f: (f / MANIFEST).write_bytes(b"\xff"), "unreadable"),
        (lambda f: (f / MANIFEST).write_text("[]"), "unreadable"),
        (lambda f: (f / MANIFEST).write_text("[" * 200_000), "unreadable"),
        (lambda f: os.truncate(f / MANIFEST, 1 << 21), "manifest.json is larger than"),
        (lambda f: (f / MANIFEST).write_text("{}"), "unreadable"),
        (lambda f: (f / MANIFEST).write_text('{"files": []}'), "unreadable"),
        (
            lambda f: (f / MANIFEST).write_text(
                '{"files": {}, "key": "", "signature": "?"}'
            ),
            "unreadable",
        ),
    ],
)
def test_a_folder_that_is_not_as_signed_is_refused(
    folder: Path, edit: Callable[[Path], object], why: str
) -> None:
    edit(folder)
    with pytest.raises(ModelUntrusted, match=f"tiny/1: .*{why}"):
        verify_manifest(folder, TRUSTED)


def test_nobody_trusted_nothing_verified(folder: Path) -> None:
    with pytest.raises(ModelUntrusted, match="not trusted"):
        verify_manifest(folder, ())


def test_a_manifest_that_is_a_folder_is_refused(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()
    with pytest.raises(ModelUntrusted, match=r"manifest\.json is not a plain"):
        verify_manifest(folder, TRUSTED)


def test_only_plain_files_are_signed(folder: Path) -> None:
    (folder / "sub").mkdir()
    with pytest.raises(ModelUntrusted, match="sub is not a plain file"):
        write_manifest(folder, KEY)


def test_a_manifest_says_nothing_about_another_folder(folder: Path) -> None:
    other = shutil.copytree(folder, folder.parent / "2")
    (other / "model.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelUntrusted, match=r"model\.onnx was changed"):
        verify_manifest(other, TRUSTED)


@given(name=st.sampled_from(sorted([*FILES, MANIFEST])), data=st.data())
def test_no_flipped_bit_goes_unnoticed(
    kept: Path, name: str, data: st.DataObject
) -> None:
    signed = verify_manifest(kept, TRUSTED)
    before = (kept / name).read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    flipped = before[:at] + bytes([before[at] ^ bit]) + before[at + 1 :]
    (kept / name).write_bytes(flipped)
    try:
        if name == MANIFEST:  # may be spelled otherwise (white space), never mean it
            with suppress(ModelUntrusted):
                assert verify_manifest(kept, TRUSTED) == signed
        else:
            with pytest.raises(ModelUntrusted, match="changed after signing"):
                verify_manifest(kept, TRUSTED)
    finally:
        (kept / name).write_bytes(before)
