"""What a table owes its reader: a version, a source, rows that can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files

_VERSION = re.compile(r'^#?\s*version\s*[:=]?\s*"?([\w.-]+)', re.MULTILINE | re.I)
_SOURCE = re.compile(r"\bsources?\b", re.I)


def plain_rows(text: str) -> list[str]:
    """Every line that says something; for a table of one row a line."""
    return [line for line in text.splitlines() if line.strip() and line[0] != "#"]


def csv_rows(text: str) -> list[str]:
    """Every row below the names of the columns."""
    return plain_rows(text)[1:]


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A file under `tables/` (`name`, with its folder) and how to check it.

    `problems` says what is wrong with it, naming the row; nothing where it is whole. It
    may raise ValueError, as reading does. `rows` makes comparable lines of a version's
    text, so that a change of layout alone shows no change.
    """

    name: str
    problems: Callable[[], Iterable[str]] = tuple
    rows: Callable[[str], Iterable[str]] = csv_rows


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table as it was found: versions stated in it, rows, problems, changed rows.

    `came` and `went` are rows since the version it was compared with; both None where
    there was none to compare with.
    """

    name: str
    versions: tuple[str, ...]
    rows: int
    problems: tuple[str, ...]
    came: tuple[str, ...] | None = None
    went: tuple[str, ...] | None = None


def text_of(name: str) -> str:
    """The table's text, as installed."""
    return files("backend.twin.tables").joinpath(name).read_text(encoding="utf-8")


def checked(table: CheckedTable, text: str, before: str | None) -> TableReport:
    """The report on a table of that text; `before` is its text in another version."""
    versions = tuple(dict.fromkeys(_VERSION.findall(text)))
    rows = _rows(table, text)
    own = [] if versions else ["states no version"]
    own += [] if _SOURCE.search(text) else ["states no source"]
    earlier = None if before is None else _rows(table, before)
    return TableReport(
        name=table.name,
        versions=versions,
        rows=len(rows),
        problems=(*own, *_problems(table)),
        came=None if earlier is None else _beyond(rows, earlier),
        went=None if earlier is None else _beyond(earlier, rows),
    )


def _rows(table: CheckedTable, text: str) -> tuple[str, ...]:
    """A version that cannot be read in today's structure is compared line by line."""
    try:
        return tuple(table.rows(text))
    except (ValueError, KeyError, TypeError):
        return tuple(plain_rows(text))


def _problems(table: CheckedTable) -> tuple[str, ...]:
    try:
        return tuple(table.problems())
    except ValueError as error:
        return (str(error),)


def _beyond(rows: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(row for row in rows if row not in known)
