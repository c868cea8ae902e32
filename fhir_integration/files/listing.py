"""Which files of a folder are read, and what tells them from changed ones."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_WHOLE = (".json",)
LINES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")  # one object a line
SUFFIXES = ", ".join((*_WHOLE, *LINES))
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
        """Tells the file from a changed one: size, time of change, first megabyte.

        One that cannot be opened is told when it is read.
        """
        try:
            stated = self.path.stat()
            with self.path.open("rb") as file:
                start = hashlib.sha256(file.read(_MARKED)).hexdigest()
        except OSError:
            return "closed"
        return f"{stated.st_size} {stated.st_mtime_ns} {start}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to read in order of their names; `others` by suffix are not read.

    `unread`: by path below the folder, why nothing there could be read or listed.
    """

    sources: tuple[Source, ...]
    others: Mapping[str, int]
    unread: Mapping[str, str] = field(default_factory=dict)


def listing(path: Path, *, besides: Path | None = None) -> Listing:
    """All FHIR files of a folder and its folders but `besides`, or the one file.

    Raises NothingToRead where there is none.
    """
    if path.is_dir():
        found, unread = _walked(path)
    elif path.is_file():
        found, unread = _sorted_out({path.name: path})
    else:
        raise NothingToRead("there is no such file or folder")
    own = None if besides is None else besides.resolve()
    found = {name: one for name, one in found.items() if one.resolve() != own}
    sources = [Source(name, one) for name, one in found.items() if _is_read(name)]
    if not sources:
        raise NothingToRead(f"no file that can be read is there ({SUFFIXES})")
    others = Counter(printable(Path(one).suffix) for one in found if not _is_read(one))
    return Listing(tuple(sources), dict(sorted(others.items())), unread)


def printable(name: str) -> str:
    """The name in characters that neither steer a terminal nor fail to be encoded.

    Two names never become one: a backslash is escaped as well.
    """
    return "".join(
        one
        if one.isprintable() and one != "\\"
        else one.encode("unicode_escape").decode("ascii")
        for one in name
    )


def _walked(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Every file by its name below the folder, in order, and what could not be read."""
    paths: dict[str, Path] = {}
    closed: dict[str, str] = {}

    def note(error: OSError) -> None:
        name = Path(str(error.filename)).relative_to(folder).as_posix()
        closed[printable(name)] = "a folder that cannot be opened"

    for at, folders, files in os.walk(folder, onerror=note):
        here = Path(at)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*files, *links):
            paths[(here / name).relative_to(folder).as_posix()] = here / name
    found, unread = _sorted_out(paths)
    return found, dict(sorted((unread | closed).items()))


def _sorted_out(paths: Mapping[str, Path]) -> tuple[dict[str, Path], dict[str, str]]:
    why = {name: _unread(paths[name]) for name in sorted(paths)}
    found = {name: paths[name] for name in why if not why[name]}
    return found, {printable(name): said for name, said in why.items() if said}


def _unread(path: Path) -> str:
    """Why it is not to be opened, or ""; a pipe would wait for ever."""
    if path.is_dir():
        return "a link to a folder"
    if not path.exists():
        return "a link that leads nowhere"
    if not path.is_file():
        return "no file"
    is_wanted = _is_read(path.name)
    return "" if os.access(path, os.R_OK) or not is_wanted else "cannot be opened"


def _is_read(name: str) -> bool:
    return name.lower().endswith((*_WHOLE, *LINES))
