"""What became of each gene's calls, and whether that suffices for what is asked."""

from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.quality import genetic_quality

FULL = (Call("CYP2C19", diplotype="*1/*1"), Call("CYP2B6", diplotype="*1/*1"))


@pytest.mark.parametrize(
    ("diplotypes", "state"),
    [
        (["*1/*4"], "called"),
        (["*1/*4", "*1/*1"], "ambiguous"),
        (["*1/*22"], "indeterminate"),
        (["nonsense"], "unreadable"),
        (["no call"], "missing"),
        ([], "missing"),
    ],
)
def test_each_gene_has_a_state(diplotypes: list[str], state: str) -> None:
    results = gene_results([Call("CYP2D6", diplotype=one) for one in diplotypes])
    found = {one.gene: one for one in genetic_quality(results, ["paroxetine"]).genes}
    assert found["CYP2D6"].state == state
    assert found["CYP2D6"].medications == ("paroxetine",)
    assert found["CYP2C9"].medications == ()


@pytest.mark.parametrize(
    ("calls", "asked", "level"),
    [
        (FULL, ["sertraline"], "complete"),
        (FULL[:1], ["sertraline"], "partial"),
        ((), ["sertraline"], "none"),
        ((), ["lithium"], "not needed"),
    ],
)
def test_the_level_is_of_the_genes_that_are_needed(
    calls: tuple[Call, ...], asked: list[str], level: str
) -> None:
    assert genetic_quality(gene_results(calls), asked).level == level
