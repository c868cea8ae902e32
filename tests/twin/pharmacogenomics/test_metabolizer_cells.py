"""13 medicines in poor and ultrarapid metabolizers: "lower" and "raise" are no rule."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics.advice import Advice, advise
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.population import Population

ADULT = Population(age_years=40)
Row = Mapping[str, str]


def rows() -> list[Row]:
    """What each source says, coded by hand from the guidelines."""
    table = Path(__file__).with_name("metabolizer_cells.csv")
    with table.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def said(row: Row) -> list[Advice]:
    calls = [one.split() for one in row["calls"].split(";")]
    results = gene_results([Call(gene, diplotype=pair) for gene, pair in calls])
    return [
        one
        for one in advise(row["drug"], results, ADULT)
        if one.source == row["source"]
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda one: "-".join(one.values())[:60])
def test_each_source_says_what_its_guideline_says(row: Row) -> None:
    found = said(row)
    factor = float(row["dose_factor"]) if row["dose_factor"] else None
    expected = (
        row["action"],
        row["classification"],
        factor,
        row["dose_limit"] or None,
    )
    assert {
        (one.action, one.classification, one.dose_factor, one.dose_limit)
        for one in found
    } == {expected}
    assert all(row["citation"] in one.citation for one in found)


def test_all_26_cells_are_there(shared: Path) -> None:
    table = shared / "data" / "pgx" / "original_rule_vs_guidelines.csv"
    with table.open(encoding="utf-8") as lines:
        asked = [(row["drug"], row["phenotype"]) for row in csv.DictReader(lines)]
    coded = [key for key, _ in groupby(rows(), _cell)]
    assert coded == asked
    assert len(asked) == 26


def _cell(row: Row) -> tuple[str, str]:
    return row["drug"], row["phenotype"]


def test_no_ultrarapid_gets_an_increase_from_any_source() -> None:
    fast = [row for row in rows() if "UM" in row["phenotype"]]
    assert not [one for row in fast for one in said(row) if "increase" in one.action]
