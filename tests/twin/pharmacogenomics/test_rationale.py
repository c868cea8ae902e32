"""Rationales are put together from coded facts, and say what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.twin.pharmacogenomics import rationale
from backend.twin.pharmacogenomics.advice_table import Guideline, Row, Source, tables

BY_AGE = "adults under 65 years: 10 mg/day; from 65 years: 5 mg/day"


def row(source: Source, drug: str, *keys: str) -> Row:
    """The row that answers those keys."""
    return next(
        row
        for (name, _, asked, _), row in tables()[source].cells.items()
        if (name, asked) == (drug, keys)
    )


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (None, BY_AGE),
        (64, "adults under 65 years: 10 mg/day"),
        (65, "from 65 years: 5 mg/day"),
    ],
)
def test_a_limit_by_age_is_the_person_s(age: int | None, expected: str) -> None:
    assert rationale.limit_at(BY_AGE, age) == expected


@pytest.mark.parametrize("limit", [None, "75 mg/day", "adults: 4 mg/day"])
def test_other_limits_hold_at_every_age(limit: str | None) -> None:
    assert rationale.limit_at(limit, 40) == limit


def test_no_limit_is_left_where_none_is_for_that_age() -> None:
    assert rationale.limit_at("from 15 years: 6 mg/day", 14) is None


def test_a_row_is_put_in_words() -> None:
    found = row("CPIC", "fluvoxamine", "0.0")
    assert rationale.of_row(found, found.limit) == (
        "Slower clearance is expected: higher concentrations and more side effects. "
        "Give 50 to 75 % of the usual starting dose. Raise the dose more slowly. "
        "Or choose another medicine. Prefer one that does not depend on CYP2D6."
    )


def test_alternatives_are_named() -> None:
    found = row("DPWG", "paroxetine", "Ultrarapid Metabolizer")
    assert rationale.of_row(found, found.limit).endswith(
        "Avoid this medicine. Prefer one that does not depend on CYP2D6. "
        "Examples: citalopram, sertraline."
    )


def test_every_row_can_be_put_in_words() -> None:
    said = {
        rationale.of_row(row, row.limit)
        for table in tables().values()
        for row in table.rows
    }
    assert not [one for one in said if "{" in one or "None" in one or "  " in one]
    assert all(one.endswith(".") for one in said)


def guideline(source: Source, drug: str) -> Guideline:
    return tables()[source].of(drug)[0]


def test_a_missing_result_is_said() -> None:
    cpic = guideline("CPIC", "carbamazepine")
    keys = {"HLA-A": "No Result", "HLA-B": "*15:02 negative"}
    assert list(rationale.on_keys(keys, cpic)) == [
        "HLA-A: no result; that is neither normal nor negative."
    ]
    assert (
        rationale.without_row(cpic, keys) == "CPIC makes no statement on this result."
    )
    assert rationale.without_row(cpic, dict.fromkeys(keys, "No Result")) == (
        "CPIC cannot be asked without a result."
    )


def test_the_label_s_sections_are_named() -> None:
    label = replace(guideline("FDA Label", "duloxetine"), note="Drug Interactions")
    assert list(rationale.on_keys({"CYP2D6": "Normal Metabolizer"}, label)) == [
        "FDA lists the gene in the label's section(s): Drug Interactions."
    ]


def test_fda_s_pairs_are_of_named_results_only() -> None:
    pair = guideline("FDA Assoc", "aripiprazole")
    assert rationale.without_row(pair, {"CYP2D6": "Normal Metabolizer"}) == (
        "FDA's table lists the pair, and not for this result."
    )
