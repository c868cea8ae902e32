"""Paragraphs and tables of an answer's page, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def paragraphs(lines: Iterable[str]) -> SafeString:
    """Each line that is not empty."""
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines if line))


def table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> SafeString:
    """Nothing where there are no rows."""
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((c,) for c in row)),) for row in rows),
    )
    if not body:
        return SafeString("")
    head = format_html_join("", "<th>{}</th>", ((one,) for one in heads))
    return format_html(
        "<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        title,
        head,
        body,
    )
