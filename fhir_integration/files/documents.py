"""One file as its JSON objects; of a file with lines never more than a line in memory.

A Bundle is read whole: its entries name each other.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple, cast

from fhir_integration.files.listing import Source
from fhir_integration.strict_json import Json, JsonFault, NotStrict, parse


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bytes of a file that is read whole, and of one line.

    A whole file takes some ten times its size in memory.
    """

    file: int = 64 * 1024 * 1024
    line: int = 32 * 1024 * 1024


class Document(NamedTuple):
    """One JSON object, or why there is none; `end` is where the next begins, bytes.

    `fault` is a JsonFault or one of this module's own words. `line` counts from 1; of
    a file without lines it is 1.
    """

    value: Json | None
    fault: str
    end: int
    line: int = 1


TOO_LONG = "too large to be read whole: split it, or write it as NDJSON"
TORN = "packed data end early or are damaged"
GONE = "cannot be opened"


def documents(
    source: Source, *, at: int, limits: Limits, after: int = 0
) -> Iterator[Document]:
    """The documents from byte `at` on (of unpacked data), which is `after` lines in.

    Blank lines are none. Never raises for what a file holds: a fault is a document
    without a value.
    """
    end, line = at, after
    large = JsonFault.TOO_LARGE if source.has_lines else TOO_LONG
    try:
        for line, (raw, end) in enumerate(
            _raw(source, at=at, limits=limits), after + 1
        ):
            if raw is None:
                yield Document(None, large, end, line)
            elif raw.strip() or not source.has_lines:
                yield _document(raw, end, limits=limits)._replace(line=line)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Document(None, TORN, end + 1, line + 1)
    except OSError:
        yield Document(None, GONE, end + 1, line + 1)


def raw_documents(source: Source, *, limits: Limits) -> Iterator[bytes]:
    """The same, unparsed; what is beyond the limit or damaged is left out in silence:
    it is said when the file is read in earnest.
    """
    try:
        for raw, _ in _raw(source, at=0, limits=limits):
            if raw is not None:
                yield raw
    except (EOFError, zlib.error, OSError):
        return


def _document(raw: bytes, end: int, *, limits: Limits) -> Document:
    try:
        return Document(parse(raw, max_bytes=max(limits.file, limits.line)), "", end)
    except NotStrict as refusal:
        return Document(None, refusal.fault, end)


def _raw(
    source: Source, *, at: int, limits: Limits
) -> Iterator[tuple[bytes | None, int]]:
    """Bytes of each document and where they end; None for what is beyond the limit."""
    with _opened(source) as file:
        if source.has_lines:
            file.seek(at)
            yield from _lines(file, limit=limits.line)
        elif at == 0:
            raw = file.read(limits.file + 1)
            yield (raw if len(raw) <= limits.file else None), max(len(raw), 1)


def _opened(source: Source) -> IO[bytes]:
    if source.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(source.path, "rb"))
    return source.path.open("rb")


def _lines(file: IO[bytes], *, limit: int) -> Iterator[tuple[bytes | None, int]]:
    end = file.tell()
    while line := file.readline(limit + 1):
        end += len(line)
        if len(line) <= limit or line.endswith(b"\n"):
            yield line, end
            continue
        while rest := file.readline(limit):
            end += len(rest)
            if rest.endswith(b"\n"):
                break
        yield None, end
