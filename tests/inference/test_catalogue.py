from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.manifest import sha256_of, write_manifest
from backend.twin.errors import ModelUntrusted
from tests.inference.tiny import CONFIG, KEY, TRUSTED, publish


def test_versions_come_in_order_with_their_card_and_digest(tmp_path: Path) -> None:
    for number in (10, 9):
        publish(tmp_path, number)
    publish(tmp_path, 1, model="another")
    found = read_catalogue(tmp_path, trusted=TRUSTED)
    assert [(one.model, one.version) for one in found] == [
        ("another", 1),
        ("tiny", 9),
        ("tiny", 10),
    ]
    assert {(one.verified, one.problem) for one in found} == {(True, None)}
    assert found[2].card["version"] == 10
    assert found[2].sha256 == sha256_of(tmp_path / "tiny" / "10" / "model.onnx")
    assert found[2].config.max_batch_size == 8


def test_a_config_may_leave_the_name_out(tmp_path: Path) -> None:
    publish(tmp_path, 1, config=CONFIG.replace('name: "tiny"', ""))
    (found,) = read_catalogue(tmp_path, trusted=TRUSTED)
    assert (found.verified, found.config.name) == (True, "tiny")


def test_only_numbered_folders_are_versions(tmp_path: Path) -> None:
    folder = publish(tmp_path, 1)
    for name in ("0", "01", "-1", "1.5", "draft"):
        shutil.copytree(folder, folder.parent / name)
    (folder.parent / "2").write_text("a file")
    (tmp_path / "README").touch()
    (tmp_path / "empty").mkdir()
    found = read_catalogue(tmp_path, trusted=TRUSTED)
    assert [one.version for one in found] == [1]


def test_no_repository_no_versions(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path / "nowhere", trusted=TRUSTED) == ()


def _card(content: object) -> Callable[[Path], object]:
    return lambda folder: (folder / "card.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda f: (f / "golden.npz").unlink(), "no golden.npz"),
        (lambda f: (f / "card.json").write_text("{"), "unreadable card.json"),
        (lambda f: (f / "card.json").write_bytes(b"\xff"), "unreadable card.json"),
        (_card([]), "card.json is not an object"),
        (_card({"model": "tiny", "version": 2}), "card.json is another version's"),
        (_card({"model": "other", "version": 1}), "card.json is another version's"),
    ],
)
def test_a_signed_folder_that_is_incomplete_is_not_verified(
    tmp_path: Path, edit: Callable[[Path], object], why: str
) -> None:
    publish(tmp_path, 1, edit=edit)
    (found,) = read_catalogue(tmp_path, trusted=TRUSTED)
    assert not found.verified
    assert found.problem == f"tiny/1: {why}"
    assert found.card == {}


def test_a_changed_graph_is_listed_with_the_digest_it_has(tmp_path: Path) -> None:
    folder = publish(tmp_path, 1)
    (folder / "model.onnx").write_bytes(b"other")
    publish(tmp_path, 2)
    first, second = read_catalogue(tmp_path, trusted=TRUSTED)
    assert (first.verified, second.verified) == (False, True)
    assert first.sha256 == sha256_of(folder / "model.onnx")
    assert "model.onnx was changed" in (first.problem or "")
    (folder / "model.onnx").unlink()
    assert read_catalogue(tmp_path, trusted=TRUSTED)[0].sha256 == ""


def test_a_version_cannot_pose_as_another(tmp_path: Path) -> None:
    """An old, signed version copied under a higher number must not come back."""
    folder = publish(tmp_path, 1)
    shutil.copytree(folder, folder.parent / "2")
    found = read_catalogue(tmp_path, trusted=TRUSTED)
    assert [one.verified for one in found] == [True, False]


def test_without_a_usable_config_no_version_is_verified(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    publish(tmp_path, 2)
    (tmp_path / "tiny" / "config.pbtxt").unlink()
    found = read_catalogue(tmp_path, trusted=TRUSTED)
    assert [one.problem for one in found] == ["tiny: no config.pbtxt"] * 2
    assert found[0].config.name == "tiny"


def test_a_manifest_by_a_stranger_is_not_verified(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    (found,) = read_catalogue(tmp_path, trusted=())
    assert not found.verified


def test_a_bad_trusted_key_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(ModelUntrusted, match=r"bad\.pem"):
        read_catalogue(tmp_path, trusted=[tmp_path])


def test_latest_is_the_highest_that_is_verified(tmp_path: Path) -> None:
    for number in (2, 10, 11):
        publish(tmp_path, number)
    (tmp_path / "tiny" / "11" / "extra").touch()
    folder = publish(tmp_path, 1, model="broken")
    np.savez(folder / "golden.npz", in_x=np.zeros(1))
    found = latest_verified(read_catalogue(tmp_path, trusted=TRUSTED))
    assert {model: one.version for model, one in found.items()} == {"tiny": 10}
    write_manifest(folder, KEY)
    again = read_catalogue(tmp_path, trusted=TRUSTED)
    assert latest_verified(reversed(again))["broken"].version == 1
    assert latest_verified(reversed(again))["tiny"].version == 10
