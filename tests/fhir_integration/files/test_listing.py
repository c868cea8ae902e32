"""What of a folder is read, what is named as not read, and how names are said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fhir_integration.files import listing as module
from fhir_integration.files.documents import Limits
from fhir_integration.files.first_look import pointed_at
from fhir_integration.files.listing import NothingToRead, Source, listing, printable
from tests.fhir_integration.files.made_files import counted, lines, score


def closed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Files of these names cannot be opened, whoever runs the tests."""
    real = os.access

    def access(path: Any, mode: int) -> bool:
        return Path(path).name not in names and real(path, mode)

    monkeypatch.setattr(module.os, "access", access)


def test_whatever_is_no_file_is_named_and_the_rest_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "f"
    lines(folder / "a.ndjson", [score("a", 1)])
    lines(folder / "b.ndjson", [score("b", 2)])
    (folder / "secret.txt").touch()
    os.mkfifo(folder / "pipe.json")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    (folder / "linked").symlink_to(tmp_path)
    closed(monkeypatch, "b.ndjson", "secret.txt")
    found = listing(folder)
    assert [one.name for one in found.sources] == ["a.ndjson"]
    assert found.others == {".txt": 1}
    assert found.unread == {
        "b.ndjson": "cannot be opened",
        "gone.json": "a link that leads nowhere",
        "linked": "a link to a folder",
        "pipe.json": "no file",
    }
    assert counted(folder, tmp_path / "spool").used == 1


def test_a_folder_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(tmp_path / "a.ndjson", [score("a", 1)])
    (tmp_path / "in" / "closed").mkdir(parents=True)
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "no", str(path))
        return real(path)

    monkeypatch.setattr(module.os, "scandir", scandir)
    found = listing(tmp_path)
    assert [one.name for one in found.sources] == ["a.ndjson"]
    assert found.unread == {"in/closed": "a folder that cannot be opened"}


def test_a_file_that_is_closed_after_it_was_listed_is_a_fault(tmp_path: Path) -> None:
    one = Source("a.json", tmp_path / "a.json")
    assert one.mark() == "closed"


def test_a_single_file_that_cannot_be_opened_is_nothing_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    closed(monkeypatch, "a.ndjson")
    with pytest.raises(NothingToRead, match=r"\.jsonl, \.ndjson\.gz"):
        listing(path)


def test_a_report_that_lies_among_the_files_is_none_of_them(tmp_path: Path) -> None:
    lines(tmp_path / "a.ndjson", [score("a", 1)])
    (tmp_path / "report.json").write_bytes(b"{}")
    found = listing(tmp_path, besides=tmp_path / "x" / ".." / "report.json")
    assert [one.name for one in found.sources] == ["a.ndjson"]
    assert found.others == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a/Müller 1.json", "a/Müller 1.json"),
        ("x\x1b[2J\n\x07.json", "x\\x1b[2J\\n\\x07.json"),
        (os.fsdecode(b"Smith_\xff.json"), "Smith_\\udcff.json"),
        ("\u202ejson.txt", "\\u202ejson.txt"),
        ("a\\x1b", "a\\\\x1b"),
    ],
)
def test_a_name_is_said_in_characters_that_steer_nothing(name: str, said: str) -> None:
    assert printable(name) == said
    said.encode()


def test_files_of_any_name_are_read(tmp_path: Path) -> None:
    for raw in (b"Smith_\xff.ndjson", b"x\x1b[2J\n.ndjson", b"x.\x1b\xff"):
        path = tmp_path / "f" / os.fsdecode(raw)
        lines(path, [score("a", 1)])
    assert counted(tmp_path / "f", tmp_path / "spool").resources == 2
    assert listing(tmp_path / "f").others == {".\\x1b\\udcff": 1}


def test_a_first_look_passes_over_what_is_gone(tmp_path: Path) -> None:
    gone = Source("a.json", tmp_path / "a.json")
    assert list(pointed_at(gone, limits=Limits())) == []
