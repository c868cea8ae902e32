from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

import pytest

from backend.twin.genes import Gene, genes
from backend.twin.pharmacogenomics import gene_tables
from backend.twin.pharmacogenomics.alleles import Allele, GeneAlleles, allele_tables
from backend.twin.pharmacogenomics.checked_table import text_of
from backend.twin.pharmacogenomics.gene_tables import (
    allele_problems,
    allele_rows,
    gene_problems,
    gene_rows,
    phenotype_problems,
    phenotype_rows,
)
from backend.twin.pharmacogenomics.rules import Rule, rules


def test_the_tables_are_whole() -> None:
    assert [*allele_problems(), *phenotype_problems(), *gene_problems()] == []


@pytest.mark.parametrize(
    ("name", "rows", "count"),
    [
        ("alleles.toml", allele_rows, 361 + 6),
        ("phenotypes.toml", phenotype_rows, 70 + 8 + 3),
        ("genes.toml", gene_rows, 12),
    ],
)
def test_every_row_has_a_line_of_its_own(
    name: str, rows: Callable[[str], Iterable[str]], count: int
) -> None:
    lines = list(rows(text_of(name)))
    assert len(lines) == len(set(lines)) == count


def test_lines_say_what_a_change_would_change() -> None:
    assert "CYP2D6 *41: Decreased function, 0.25 (CPIC)" in allele_rows(
        text_of("alleles.toml")
    )
    assert "CYP2D6 1.25: Normal Metabolizer" in phenotype_rows(
        text_of("phenotypes.toml")
    )


def alleles_with(gene: str, *more: Allele) -> dict[str, GeneAlleles]:
    table = allele_tables()[gene]
    own = MappingProxyType({**table.alleles, **{one.name: one for one in more}})
    return {gene: replace(table, alleles=own)}


def allele(name: str, function: str, value: str, source: str = "CPIC") -> Allele:
    return Allele("CYP2D6", name, function, value, source)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (allele("*1", "Usual function", "1.0"), "*1: Usual function is no term"),
        (allele("*1", "Normal function", "n/a"), "n/a does not go with Normal"),
        (allele("*1", "Uncertain function", "1.0"), "1.0 does not go with Uncertain"),
        (
            allele("*36+*10x2", "Decreased function", "0.25", "sum of parts"),
            "*36+*10x2: its parts add up to 0.5",
        ),
        (
            allele("*17x3+*36", "Normal function", "1.0", "sum of parts"),
            "*17x3+*36: its parts add up to 1.5",
        ),
    ],
)
def test_an_allele_amiss_is_named(
    monkeypatch: pytest.MonkeyPatch, wrong: Allele, says: str
) -> None:
    made = alleles_with("CYP2D6", wrong)
    monkeypatch.setattr(gene_tables, "allele_tables", lambda: made)
    assert any(says in problem for problem in allele_problems())


def test_values_are_for_genes_with_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"CYP2C19": alleles_with("CYP2D6")["CYP2D6"], "CYP1A2": None}
    monkeypatch.setattr(gene_tables, "allele_tables", lambda: made)
    problems = list(allele_problems())
    assert problems[-1] == "CYP1A2 has alleles and no rule"
    assert "CYP2C19 *1: a value of 1.0 does not go with Normal function" in problems


def rules_with(gene: str, phenotypes: dict[str, str]) -> dict[str, Rule]:
    return {gene: replace(rules()[gene], phenotypes=MappingProxyType(phenotypes))}


@pytest.mark.parametrize("gene", ["CYP2C9", "CYP2C19", "CYP2D6", "CYP3A5"])
def test_a_missing_and_an_orphan_key_are_named(
    gene: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phenotypes = dict(rules()[gene].phenotypes)
    missing = min(phenotypes)
    del phenotypes[missing]
    made = rules_with(gene, {**phenotypes, "9.9": "Poor Metabolizer"})
    monkeypatch.setattr(gene_tables, "rules", lambda: made)
    assert list(phenotype_problems()) == [
        f"{gene}: no phenotype for {missing}",
        f"{gene}: no two alleles give 9.9",
    ]


def test_a_rule_needs_alleles_and_a_listed_gene(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = {
        "HLA-C": replace(rules()["HLA-A"], gene="HLA-C", asked=()),
        "CYP1B1": replace(rules()["CYP3A4"], gene="CYP1B1"),
    }
    monkeypatch.setattr(gene_tables, "rules", lambda: made)
    problems = list(phenotype_problems())
    assert problems[0] == "HLA-C asks for no allele"
    assert "CYP1B1: no two alleles give No + No" in problems
    assert list(gene_problems())[:3] == [
        "CYP1B1 has a rule and is not listed",
        "HLA-C has a rule and is not listed",
        "CYP2B6: neither a rule nor a reason why it is not used",
    ]


def test_a_reason_needs_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {**genes(), "ABC": Gene("ABC", 1, "plain", "no use")}
    monkeypatch.setattr(gene_tables, "genes", lambda: made)
    assert list(gene_problems()) == ["ABC: a reason and its source come together"]
