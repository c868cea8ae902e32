"""Files and JSON that somebody else wrote, within bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.inference import plain
from backend.inference.plain import copy_plain, open_plain, read_json, read_plain
from backend.twin.errors import ModelUntrusted


def test_a_small_plain_file_is_read_and_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"four")
    assert read_plain(tmp_path / "a", limit=4) == b"four"
    copy_plain(tmp_path / "a", tmp_path / "b", limit=4)
    assert (tmp_path / "b").read_bytes() == b"four"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no a"),
        (os.mkfifo, "a is not a plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "a is not a plain file"),
        (lambda path: path.mkdir(), "a is not a plain file"),
        (lambda path: path.write_bytes(b"12345"), "a is larger than 4 bytes"),
    ],
)
def test_nothing_else_is_even_waited_for(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    make(tmp_path / "a")
    with pytest.raises(ModelUntrusted, match=f"^{says}$"):
        read_plain(tmp_path / "a", limit=4)
    with pytest.raises(ModelUntrusted, match=f"^{says}$"):
        copy_plain(tmp_path / "a", tmp_path / "b", limit=4)
    assert not (tmp_path / "b").exists()


def test_what_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")

    def grow(found: Path, *, limit: int) -> object:
        file = open_plain(found, limit=limit)
        path.write_bytes(b"12345")
        return file

    monkeypatch.setattr(plain, "open_plain", grow)
    for attempt in (
        lambda: read_plain(path, limit=4),
        lambda: copy_plain(path, tmp_path / "b", limit=4),
    ):
        path.write_bytes(b"1")
        with pytest.raises(ModelUntrusted, match="a is larger than 4 bytes"):
            attempt()


def test_a_file_that_is_not_ours_to_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ModelUntrusted, match=r"^a cannot be read$"):
        read_plain(tmp_path / "a", limit=4)


@pytest.mark.parametrize(
    "content",
    [b"{}", b'{"a": [1, -2.5, true, null, "\\u00e9"]}', b"9223372036854775807", b"1e3"],
)
def test_plain_json_is_read(content: bytes) -> None:
    read_json(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe{", "utf-8"),
        ("{}".encode("utf-16"), "utf-8"),
        (b"[NaN]", "not finite"),
        (b'{"a": -Infinity}', "not finite"),
        (b"[1e999]", "not finite"),
        (b"[9223372036854775808]", "too large"),
        (b"[" + b"1" * 5000 + b"]", "."),
        (b'["a\\u0000b"]', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'["\\ud800"]', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (b"[" * 40 + b"]" * 40, "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
    ],
)
def test_json_that_no_database_keeps_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_json(content)
