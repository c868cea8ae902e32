"""Which files of a folder are read, and what tells them from changed ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WHOLE = (".json",)
LINES = (".ndjson", ".jsonl", ".ndjson.gz")  # one object a line
_MARKED = 1024 * 1024  # bytes at a file's start that its mark covers


class NothingToRead(ValueError):
    """The path holds no FHIR file; the text names what is missing."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that is read; `name` is its path below the folder that was asked for."""

    name: str
    path: Path

    @property
    def has_lines(self) -> bool:
        """True for newline-delimited JSON."""
        return self.name.lower().endswith(LINES)

    def mark(self) -> str:
        """Tells the file from a changed one: size, time of change, first megabyte."""
        stated = self.path.stat()
        with self.path.open("rb") as file:
            start = hashlib.sha256(file.read(_MARKED)).hexdigest()
        return f"{stated.st_size} {stated.st_mtime_ns} {start}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to read in order of their names; `others` by suffix are not read."""

    sources: tuple[Source, ...]
    others: Mapping[str, int]


def listing(path: Path) -> Listing:
    """All FHIR files of a folder and its folders, or the one file.

    Raises NothingToRead where there is none.
    """
    if path.is_dir():
        found = sorted(one for one in path.rglob("*") if one.is_file())
        named = [Source(one.relative_to(path).as_posix(), one) for one in found]
    elif path.is_file():
        named = [Source(path.name, path)]
    else:
        raise NothingToRead("there is no such file or folder")
    sources = tuple(one for one in named if _is_read(one.name))
    if not sources:
        raise NothingToRead("no .json or .ndjson file is there")
    others = Counter(Path(one.name).suffix for one in named if not _is_read(one.name))
    return Listing(sources, dict(sorted(others.items())))


def _is_read(name: str) -> bool:
    return name.lower().endswith((*_WHOLE, *LINES))
