from __future__ import annotations

from collections.abc import Iterable

import pytest

from backend.twin.pharmacogenomics.checked_table import (
    CheckedTable,
    TableReport,
    checked,
    plain_rows,
)

NOW = "# Version 2 (2026). Sources: SOURCES.md\n\ngene,key\nA,1\nB,2\n"


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("# version: 2024-03-25\n# source: x", ("2024-03-25",)),
        ("# Version 1 (November 2026). Sources: y", ("1",)),
        (
            'version = "2025-11-05"\nsource = "x"\nversion = "2024-08-27"',
            ("2025-11-05", "2024-08-27"),
        ),
    ],
)
def test_versions_are_read_where_tables_state_them(
    text: str, versions: tuple[str, ...]
) -> None:
    report = checked(CheckedTable("t.csv"), text, None)
    assert (report.versions, report.problems) == (versions, ())


def test_a_table_states_its_version_and_source() -> None:
    report = checked(CheckedTable("t.csv"), "a,b\n1,2\n", None)
    assert report.problems == ("states no version", "states no source")


def test_rows_that_came_and_went() -> None:
    before = "# Version 1. Sources: none\ngene,key\nB,2\nA,0\n"
    assert checked(CheckedTable("t.csv"), NOW, before) == TableReport(
        name="t.csv", versions=("2",), rows=2, problems=(), came=("A,1",), went=("A,0",)
    )
    assert checked(CheckedTable("t.csv"), NOW, None).came is None
    assert checked(CheckedTable("t.csv"), NOW, NOW).came == ()


def fussy(text: str) -> list[str]:
    if "A,0" in text:
        raise ValueError("t.csv: A has no 0")
    return plain_rows(text)


def test_a_version_of_another_structure_is_compared_by_lines() -> None:
    report = checked(CheckedTable("t.csv", rows=fussy), NOW, "A,0\nB,2\n")
    assert (report.came, report.went) == (("gene,key", "A,1"), ("A,0",))


def wrong() -> Iterable[str]:
    return ["A has no advice"]


def unreadable() -> Iterable[str]:
    raise ValueError("t.csv: A comes twice")


def test_problems_are_told_whether_returned_or_raised() -> None:
    told = [
        checked(CheckedTable("t.csv", problems), NOW, None).problems
        for problems in (wrong, unreadable)
    ]
    assert told == [("A has no advice",), ("t.csv: A comes twice",)]
