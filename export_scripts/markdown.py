"""Tables of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines: titles, a rule, one line per row; an empty line after it."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def share(value: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * value:.1f}"
