"""The benchmarks' page, of which each command writes one part."""

from __future__ import annotations

from pathlib import Path

import pytest

from export_scripts.page import commit, machine, parts, rewrite, with_part

PAGE = (
    "# Benchmarks\n\n## One\n\n    # no heading\n\n# Cost\n\nold\n\n# Speed\n\nfast\n"
)


def test_parts_begin_with_headings_of_the_first_order() -> None:
    found = parts(PAGE)
    assert list(found) == ["Benchmarks", "Cost", "Speed"]
    assert "## One" in found["Benchmarks"]
    assert parts("no heading\n") == {}


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        (PAGE, "# Cost\n\nnew\n", PAGE.replace("old", "new")),
        (PAGE, "# Speed\n\nslow\n", PAGE.replace("fast", "slow")),
        (PAGE, "# More\n", PAGE.replace("# Speed", "# More\n\n# Speed")),
        ("", "# Speed\n\nfast\n", "# Speed\n\nfast\n"),
        ("# One\n", "# Two\n", "# One\n\n# Two\n"),
    ],
)
def test_a_part_is_replaced_or_put_before_the_last(
    page: str, text: str, expected: str
) -> None:
    assert with_part(page, text) == expected


def test_a_file_is_made_or_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    rewrite(path, "# Speed\n\nfast\n")
    rewrite(path, "# Cost\n\nlow\n")
    assert path.read_text() == "# Cost\n\nlow\n\n# Speed\n\nfast\n"


def test_code_and_machine_are_said(tmp_path: Path) -> None:
    assert commit(Path(__file__).parent) != "unknown"
    assert commit(tmp_path) == "unknown"
    assert "Python 3." in machine()
