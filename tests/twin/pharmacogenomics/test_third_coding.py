"""Every dose of CPIC and DPWG, coded from their texts before the table was seen.

`third_coding.csv`: a row is one coded fact for sets of keys. `settled` is what counts
where the coder's word was another, and `comment` what the text says to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics.advice import Advice
from tests.twin.pharmacogenomics.guideline_cells import lines, population, read

Row = Mapping[str, str]
_LIMIT = re.compile(r"([\d.]+ (?:mg/kg/day|mg/day|mg/month|mg/2 weeks|x usual dose))")
_AGE = re.compile(r"age (<|>=) (\d+)")
_PARTS = {"any": {"all", "start and maintenance"}}


def coded() -> list[dict[str, str]]:
    """The rows, with what was settled in place of the coder's own word."""
    rows = read(Path(__file__).with_name("third_coding.csv"))
    settled = ([p for p in row["settled"].split(";") if p] for row in rows)
    return [
        {**row, **dict(pair.split("=") for pair in pairs)}
        for row, pairs in zip(rows, settled, strict=True)
    ]


def cell_of(row: Row) -> tuple[str, ...]:
    names = ("source", "drug", "gene_1", "keys_1", "gene_2", "keys_2", "population")
    return tuple(row[name] for name in names)


CELLS = [
    (key, list(rows)) for key, rows in groupby(sorted(coded(), key=cell_of), cell_of)
]


def each_key(row: Row) -> Iterator[dict[str, str]]:
    """The keys by gene of every cell that a row is about."""
    genes = [gene for gene in (row["gene_1"], row["gene_2"]) if gene]
    asked = (row[f"keys_{at}"].split(" | ") for at, _ in enumerate(genes, start=1))
    yield from (dict(zip(genes, keys, strict=True)) for keys in product(*asked))


def ages(rows: Sequence[Row]) -> list[int | None]:
    """Both sides of every age that a limit depends on; unknown where none does."""
    found = {int(n) for row in rows for _, n in _AGE.findall(row["limit_condition"])}
    return sorted({age for n in found for age in (n - 1, n)}) or [None]


def holds(row: Row, age: int | None) -> bool:
    sides = _AGE.findall(row["limit_condition"])
    return all(((age or 0) < int(years)) == (side == "<") for side, years in sides)


def limits_in(said: str | None) -> set[str]:
    plain = (said or "").replace(" per ", "/").replace(" times the ", " x ")
    return {*_LIMIT.findall(plain)}


def factor(line: Advice) -> str:
    ends = (line.dose_factor, line.dose_factor_to)
    return "-".join(f"{one:g}" for one in ends if one is not None)


@pytest.mark.parametrize(
    "rows",
    [rows for _, rows in CELLS],
    ids=["-".join(filter(None, key))[:60] for key, _ in CELLS],
)
def test_the_engine_says_what_was_coded(rows: list[Row], shared: Path) -> None:
    first = rows[0]
    who = population(first["population"], first["drug"])
    for keys, age in product(each_key(first), ages(rows)):
        asked = who if age is None else replace(who, age_years=age)
        (line,) = lines(
            shared / "data" / "pgx",
            first["source"],
            drug=first["drug"],
            keys=keys,
            who=asked,
        )
        assert_dose(line, rows)
        now = {one["dose_limit"] for one in rows if holds(one, age)}
        assert limits_in(line.dose_limit) == now - {""}


def assert_dose(line: Advice, rows: Sequence[Row]) -> None:
    """One action, class, factor and scheme for all rows of a cell."""
    assert {line.action} == {row["action"] for row in rows}
    graded = rows[0]["classification"] or line.classification  # none by DPWG
    assert line.classification == graded
    given = {row["dose_factor"] for row in rows} - {""} or {""}
    assert given == {factor(line)}
    part = rows[-1]["part"]
    assert line.dose_part in _PARTS.get(part, {part}) or not factor(line)
    starts = {row["start_dose"] for row in rows} - {""}
    assert all((line.dose_scheme or "").startswith(f"start {one}") for one in starts)
    assert starts or line.dose_scheme is None


def test_every_dose_is_coded() -> None:
    dosed = [
        keys
        for _, rows in CELLS
        if any(
            row[name]
            for row in rows
            for name in ("dose_factor", "dose_limit", "start_dose")
        )
        for keys in each_key(rows[0])
    ]
    assert len(dosed) >= 300


def test_a_word_that_was_settled_is_explained() -> None:
    assert all(bool(row["settled"]) <= bool(row["comment"]) for row in coded())
