"""Files as documents: lines, whole files, packed files, and what is wrong with them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from fhir_integration.files.documents import (
    GONE,
    TOO_LONG,
    TORN,
    Document,
    Limits,
    documents,
    raw_documents,
)
from fhir_integration.files.listing import NothingToRead, Source, listing
from fhir_integration.strict_json import JsonFault

SMALL = Limits(file=40, line=20)


def source(folder: Path, name: str, content: bytes) -> Source:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return Source(name, path)


def read(one: Source, at: int = 0, limits: Limits = SMALL) -> list[Document]:
    return list(documents(one, at=at, limits=limits))


LINES = b'{"a":1}\n\n  \r\n{"a":2}\r\n[]\n{"a":3}'


@pytest.mark.parametrize("name", ["a.ndjson", "a.JSONL", "a.ndjson.gz"])
def test_each_line_is_a_document_and_tells_where_the_next_begins(
    tmp_path: Path, name: str
) -> None:
    one = source(tmp_path, name, LINES)
    whole = read(one)
    assert whole == [
        Document({"a": 1}, "", 8, line=1),
        Document({"a": 2}, "", 22, line=4),
        Document(None, JsonFault.NOT_AN_OBJECT, 25, line=5),
        Document({"a": 3}, "", 32, line=6),
    ]
    for number, last in enumerate(whole):
        rest = documents(one, at=last.end, after=last.line, limits=SMALL)
        assert list(rest) == whole[number + 1 :]


@pytest.mark.parametrize("length", [21, 39, 40, 41, 200])
def test_a_line_beyond_the_limit_is_passed_over(tmp_path: Path, length: int) -> None:
    line = b'"' + b"x" * (length - 2) + b'"'
    one = source(tmp_path, "a.ndjson", b'{"a":1}\n' + line + b'\n{"a":2}\n')
    assert read(one) == [
        Document({"a": 1}, "", 8, line=1),
        Document(None, JsonFault.TOO_LARGE, 9 + length, line=2),
        Document({"a": 2}, "", 17 + length, line=3),
    ]
    assert list(raw_documents(one, limits=SMALL)) == [b'{"a":1}\n', b'{"a":2}\n']


def test_a_last_line_beyond_the_limit_ends_the_file(tmp_path: Path) -> None:
    one = source(tmp_path, "a.ndjson", b"x" * 50)
    assert read(one) == [Document(None, JsonFault.TOO_LARGE, 50)]


@pytest.mark.parametrize(
    ("content", "value", "fault"),
    [
        (b'{\n"a": 1\n}\n', {"a": 1}, ""),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, ""),
        (b"", None, JsonFault.SYNTAX),
        (b'{"a": 1', None, JsonFault.SYNTAX),
        (b'{"a":' + b" " * 40 + b"1}", None, TOO_LONG),
    ],
)
def test_a_file_without_lines_is_one_document(
    tmp_path: Path, content: bytes, value: object, fault: str
) -> None:
    one = source(tmp_path, "a.json", content)
    (document,) = read(one)
    assert document[:2] == (value, fault)
    assert read(one, at=document.end) == []


def test_damaged_packed_data_are_a_fault_after_what_is_whole(tmp_path: Path) -> None:
    one = source(tmp_path, "a.ndjson.gz", LINES)
    packed = one.path.read_bytes()
    for damaged in (packed[:-9], packed[:-8] + b"x" * 8, b"no gzip"):
        one.path.write_bytes(damaged)
        assert read(one)[-1].fault == TORN
        assert LINES.startswith(b"".join(raw_documents(one, limits=SMALL)))


def test_a_file_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    one = source(tmp_path, "a.ndjson", LINES)
    one.path.unlink()
    assert read(one) == [Document(None, GONE, 1)]
    assert list(raw_documents(one, limits=SMALL)) == []


def test_a_folder_is_listed_in_order_and_the_rest_counted(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.NDJSON", "a/b.jsonl", "z.ndjson.gz", "x.csv", "y"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = listing(tmp_path)
    names = [one.name for one in found.sources]
    assert names == ["a/b.jsonl", "a/c.NDJSON", "b.json", "z.ndjson.gz"]
    assert found.others == {"": 1, ".csv": 1}
    assert [one.has_lines for one in found.sources] == [True, True, False, True]


@pytest.mark.parametrize("name", ["", "nothing", "x.csv"])
def test_where_nothing_can_be_read_it_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").touch()
    with pytest.raises(NothingToRead):
        listing(tmp_path / name)


def test_a_mark_tells_a_changed_file(tmp_path: Path) -> None:
    one = source(tmp_path, "a.json", b'{"a": 1}')
    first = one.mark()
    assert one.mark() == first
    os.utime(one.path, ns=(1, 1))
    touched = one.mark()
    one.path.write_bytes(b'{"a": 2}')
    os.utime(one.path, ns=(1, 1))
    assert len({first, touched, one.mark()}) == 3
