"""The advice tables are whole, and no row of them can be lost unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from backend.twin.pharmacogenomics import advice_check
from backend.twin.pharmacogenomics.advice_check import (
    TABLES,
    group_problems,
    problems,
    word_problems,
)
from backend.twin.pharmacogenomics.advice_table import (
    FILES,
    Guideline,
    Row,
    Source,
    Table,
    read_table,
    tables,
    text,
)
from backend.twin.pharmacogenomics.table_check import TABLES as ALL_TABLES


def test_the_tables_are_whole() -> None:
    assert {one.name: list(one.problems()) for one in TABLES} == {
        one.name: [] for one in TABLES
    }


def test_the_check_of_all_tables_knows_them() -> None:
    assert {*TABLES} <= {*ALL_TABLES}


def each_row() -> Iterator[tuple[Source, int]]:
    for source, name in FILES.items():
        lines = text(name).splitlines()
        start = next(at for at, line in enumerate(lines) if line.startswith("drugs,"))
        yield from ((source, at) for at in range(start + 1, len(lines)))


@pytest.mark.parametrize(("source", "at"), [*each_row()])
def test_a_row_cannot_be_lost(source: Source, at: int) -> None:
    lines = text(FILES[source]).splitlines()
    del lines[at]
    table = read_table(source, text(f"{FILES[source]}_guidelines"), "\n".join(lines))
    assert any(one.startswith("no row answers") for one in problems(table))


def with_row(**changed: object) -> Table:
    """CPIC's table with its first row changed."""
    table = tables()["CPIC"]
    row = replace(table.rows[0], **changed)  # type: ignore[arg-type]
    return replace(table, rows=(row, *table.rows[1:]))


ALTERNATIVE = "an alternative, and yet the action is to dose as usual or higher"


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"action": "standard_dosing"}, ALTERNATIVE),
        ({"action": "increased_dosing"}, ALTERNATIVE),
        (
            {"alternate_drug": False},
            "the action is an alternative that the source does not name",
        ),
        ({"factor": 0.5, "steps": ("factor",)}, "a dose and no change of dose"),
        (
            {"factor": 30.0, "dose_change": True, "steps": ("factor",)},
            "a dose factor out of bounds",
        ),
        (
            {
                "factor": 0.7,
                "factor_to": 0.5,
                "dose_change": True,
                "steps": ("factor",),
            },
            "a dose factor out of bounds",
        ),
        (
            {
                "action": "reduced_dosing",
                "factor": 1.5,
                "dose_change": True,
                "steps": ("factor",),
            },
            "a reduction above the usual dose",
        ),
        ({"steps": ("limit",)}, "the words do not fit its facts"),
        ({"steps": ("factor",)}, "the words do not fit its facts"),
        ({"steps": ("no such",)}, "the words do not fit its facts"),
        ({"because": ("no such",)}, "the words do not fit its facts"),
        ({"because": ()}, "the words do not fit its facts"),
    ],
)
def test_facts_that_contradict_each_other_are_named(
    changed: dict[str, object], wrong: str
) -> None:
    found = list(problems(with_row(**changed)))
    assert [one.rpartition(": ")[2] for one in found] == [wrong]
    assert found[0].startswith("sertraline at Poor Metabolizer / ")


def with_guideline(**changed: object) -> Table:
    table = tables()["DPWG"]
    one = replace(table.guidelines[0], **changed)  # type: ignore[arg-type]
    return replace(table, guidelines=(one, *table.guidelines[1:]))


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"drugs": ("moonshine",)}, "not in the catalogue of medicines: moonshine"),
        ({"version": ""}, "no version or citation"),
        ({"citation": ""}, "no version or citation"),
        ({"keys": ("Fast",)}, "no result of CYP2D6 is Fast"),
    ],
)
def test_what_is_wrong_with_a_guideline_is_named(
    changed: dict[str, object], wrong: str
) -> None:
    found = list(problems(with_guideline(**changed)))
    assert found[0].endswith(wrong)


def test_a_cell_that_no_guideline_asks_for_is_an_orphan() -> None:
    found = list(problems(with_guideline(keys=("Poor Metabolizer",))))
    assert found == [
        f"an orphan: no guideline asks for amitriptyline at CYP2D6 {one} Metabolizer"
        " (general)"
        for one in ("Intermediate", "Normal", "Ultrarapid")
    ]


def test_an_unused_sentence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    words = advice_check.rationale.words()
    odd = {**words, "steps": {**words["steps"], "sing": "Sing to it."}}
    monkeypatch.setattr(advice_check.rationale, "words", lambda: odd)
    assert list(word_problems()) == ["no row uses steps.sing"]


def test_a_group_of_impossible_keys_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        advice_check, "groups", lambda: {("low", "CYP2D6"): ("0.5", "9.9")}
    )
    assert list(group_problems()) == ["@low: no result of CYP2D6 is 9.9"]


def test_every_row_says_where_it_is_from() -> None:
    assert all(
        isinstance(one, Row) and one.strength
        for table in tables().values()
        for one in table.rows
    )
    assert all(
        isinstance(one, Guideline) and one.citation
        for table in tables().values()
        for one in table.guidelines
    )
