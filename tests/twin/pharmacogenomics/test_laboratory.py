from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.laboratory import read_phenotype, stated
from backend.twin.pharmacogenomics.rules import rules


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Poor Metabolizer", "Poor Metabolizer"),
        ("poor metaboliser", "Poor Metabolizer"),
        ("poor", "Poor Metabolizer"),
        ("PM", "Poor Metabolizer"),
        ("um", "Ultrarapid Metabolizer"),
        ("CYP2C19 Rapid Metabolizer", "Rapid Metabolizer"),
        ("CYP2C19: IM", "Intermediate Metabolizer"),
        ("ultra-rapid  metabolizer", "Ultrarapid Metabolizer"),
        ("Ultra rapid", "Ultrarapid Metabolizer"),
        ("Likely Poor Metabolizer", "Likely Poor Metabolizer"),
        ("LIM", "Likely Intermediate Metabolizer"),
        ("Possible Intermediate Metabolizer", "Possible Intermediate Metabolizer"),
        ("EM", "Extensive Metabolizer"),
        ("indeterminate", "Indeterminate"),
        ("slow", None),
        ("not a poor metabolizer", None),
        ("intermediate to poor metabolizer", None),
        ("", None),
    ],
)
def test_phenotypes_as_written(text: str, term: str | None) -> None:
    assert read_phenotype(text, "CYP2C19") == term


@pytest.mark.parametrize(
    ("gene", "phenotype", "score", "expected", "codes"),
    [
        ("CYP2D6", None, None, (None, None), []),
        ("CYP2D6", "PM", "0", ("Poor Metabolizer", "0.0"), []),
        ("CYP2D6", "EM", None, ("Normal Metabolizer", None), ["old_term"]),
        ("CYP2D6", "Rapid Metabolizer", "1", (None, "1.0"), ["unread_phenotype"]),
        ("CYP2D6", "No Result", "1.25", (None, "1.25"), []),
        ("CYP2D6", None, "≥3", (None, "≥3.0"), []),
        ("CYP2D6", None, "5", (None, "≥5.0"), ["open_score"]),
        ("CYP2D6", None, "0.3", (None, None), ["unread_score"]),
        ("CYP2D6", None, "high", (None, None), ["unread_score"]),
        ("CYP2D6", None, "N/A", (None, "n/a"), []),
        ("CYP2D6", "PM", "n/a", ("Poor Metabolizer", None), []),
        ("CYP2C9", None, "1.25", (None, None), ["unread_score"]),
        ("CYP2C19", "RM", "n/a", ("Rapid Metabolizer", None), []),
        ("CYP2C19", None, "1.0", (None, None), ["unread_score"]),
        ("CYP3A4", "UM", None, (None, None), ["unread_phenotype"]),
    ],
)
def test_only_terms_of_the_genes_own_table_count(
    *,
    gene: str,
    phenotype: str | None,
    score: str | None,
    expected: tuple[str | None, str | None],
    codes: list[str],
) -> None:
    call = Call(gene, phenotype=phenotype, activity_score=score)
    said = stated(call, rules()[gene])
    assert (said.phenotype, said.score) == expected
    assert [one.code for one in said.warnings] == codes


def test_no_score_beside_alleles_says_nothing() -> None:
    call = Call("CYP2D6", "*1/*4", activity_score="n/a")
    assert stated(call, rules()["CYP2D6"]).score is None
