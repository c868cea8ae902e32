"""The objects of a JSON file of any layout, one at a time: memory holds one of them.

One object, several one after the other (a line each, or not), or an array of them.
Only brackets and strings are looked at here; each object is parsed by its reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from fhir_integration.files.data_points import NotRead

LARGEST = 32 * 1024 * 1024  # bytes of one object
_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)
_NOT_JSON = "not JSON: something else stands between its objects"
_TORN = "not JSON: it ends within an object"
_TOO_LARGE = "one of its objects is too large to be read"


class Readable(Protocol):
    """Whatever gives bytes: a file, or one that is unpacked as it is read."""

    def read(self, size: int, /) -> bytes:
        """At most so many of the next bytes; none at the end."""


def objects(file: Readable, *, largest: int = LARGEST) -> Iterator[bytes]:
    """The text of each object. Raises NotRead where the file is of another layout."""
    yield from _Splitter(largest).split(file)


class _Splitter:
    """`depth` counts open brackets, `base` is 1 in an array of objects, else 0."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer = b""
        self._done = self._seen = 0  # bytes handed on, and bytes looked at
        self._depth = self._base = 0
        self._is_first = True

    def split(self, file: Readable) -> Iterator[bytes]:
        self._buffer = file.read(len(_BOM)).removeprefix(_BOM)
        is_more = True
        while is_more:
            yield from self._objects()
            if len(self._buffer) > self._largest:
                raise NotRead(_TOO_LARGE)
            # As much again as is held: the looking stays linear in a long string.
            more = file.read(max(_CHUNK, len(self._buffer)))
            self._buffer += more
            is_more = bool(more)
        if self._depth:
            raise NotRead(_TORN)
        self._check_gap(len(self._buffer))

    def _objects(self) -> Iterator[bytes]:
        for token in _TOKEN.finditer(self._buffer, self._seen):
            word = token[0]
            if word == b'"':  # its end is still to be read
                self._seen = token.start()
                break
            self._seen = token.end()
            if word in b"{[":
                self._open(token.start(), word)
            elif word in b"}]":
                yield from self._close(token.end(), word)
            elif self._depth <= self._base:
                raise NotRead(_NOT_JSON)
        else:
            self._seen = len(self._buffer)
        if self._depth <= self._base and self._done < self._seen:
            self._check_gap(self._seen)
            self._done = self._seen
        self._buffer = self._buffer[self._done :]
        self._seen -= self._done
        self._done = 0

    def _open(self, at: int, word: bytes) -> None:
        if self._depth == self._base:
            self._check_gap(at)
            self._done = at
            if word == b"[":
                if not self._is_first:
                    raise NotRead(_NOT_JSON)
                self._base, self._done = 1, at + 1
            self._is_first = False
        self._depth += 1

    def _close(self, end: int, word: bytes) -> Iterator[bytes]:
        if self._depth == self._base:  # of the array, or of nothing
            self._check_gap(end - 1)
            if self._depth == 0 or word == b"}":
                raise NotRead(_NOT_JSON)
            self._base = 0
            self._done = end
        self._depth -= 1
        if self._depth == self._base and self._done < end:
            yield self._buffer[self._done : end]
            self._done = end

    def _check_gap(self, until: int) -> None:
        """Nothing but white space and commas may stand beside objects."""
        if self._buffer[self._done : until].strip(b" \t\r\n,"):
            raise NotRead(_NOT_JSON)
