from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference import catalogue
from backend.inference.catalogue import (
    ModelVersion,
    latest_verified,
    read_catalogue,
)
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
    for name in ("0", "01", "-1", "1.5", "draft", "3.bak", "2147483648", "9" * 99):
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
        (lambda f: (f / "card.json").write_text("{"), "unreadable card.json: no JSON"),
        (
            lambda f: (f / "card.json").write_text("[" * 200_000),
            "unreadable card.json: nested too deeply",
        ),
        (
            lambda f: (f / "card.json").write_text('{"a": NaN}'),
            "unreadable card.json: a number is not finite",
        ),
        (
            lambda f: (f / "card.json").write_text('{"a": "\\u0000"}'),
            "unreadable card.json: a text holds NUL or half a character",
        ),
        (
            lambda f: os.truncate(f / "card.json", 1 << 21),
            "unreadable card.json: card.json is larger than 1048576 bytes",
        ),
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


def _gone(folder: Path) -> None:
    """As where somebody retires the version between listing and reading it."""
    shutil.rmtree(folder)


def _deep(folder: Path) -> None:
    (folder / "manifest.json").write_text("[" * 200_000)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_deep, "unreadable manifest.json"),
        (_gone, "no manifest.json"),
        (lambda f: os.truncate(f / "manifest.json", 1 << 31), "larger than"),
    ],
)
def test_a_bad_folder_costs_no_other_version(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], object],
    why: str,
) -> None:
    for number in (1, 2):
        publish(tmp_path, number)
    real = catalogue._read_version

    def read(path: Path, *rest: Any) -> ModelVersion:
        if path.name == "2":
            spoil(path)
        return real(path, *rest)

    monkeypatch.setattr(catalogue, "_read_version", read)
    first, second = read_catalogue(tmp_path, trusted=TRUSTED)
    assert (first.verified, second.verified) == (True, False)
    assert why in (second.problem or "")


def test_files_of_another_account_cost_no_other_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        publish(tmp_path, number)
    publish(tmp_path, 1, model="closed")
    real_open, real_list = Path.open, Path.iterdir

    def may_not(path: Path, *given: Any, **named: Any) -> Any:
        if path.parts[-2:] == ("2", "model.onnx"):
            raise PermissionError(13, "denied", str(path))
        return real_open(path, *given, **named)

    def may_not_list(path: Path) -> Any:
        if path.name == "closed":
            raise PermissionError(13, "denied", str(path))
        return real_list(path)

    monkeypatch.setattr(Path, "open", may_not)
    monkeypatch.setattr(Path, "iterdir", may_not_list)
    first, second = read_catalogue(tmp_path, trusted=TRUSTED)
    assert (first.verified, second.verified) == (True, False)
    assert second.problem == "tiny/2: cannot be read (PermissionError)"
    assert second.sha256 == ""


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
