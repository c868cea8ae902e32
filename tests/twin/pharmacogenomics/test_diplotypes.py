"""Every diplotype there is, against the public tables that ours were made from.

The expected answers are computed here from those files alone, in other arithmetic.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from backend.twin.pharmacogenomics.alleles import allele_tables
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.rules import rules

SCORED = {"CYP2D6", "CYP2C9"}
STAR = {gene for gene, rule in rules().items() if rule.by != "presence"}
Alleles = dict[str, dict[str, tuple[str, str]]]  # gene, allele: function, value


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def public(shared: Path) -> Alleles:
    found: Alleles = {}
    for row in rows(shared / "data" / "pgx" / "alleles.csv"):
        said = (row["cpic_clinical_function"], row["activity_value"])
        found.setdefault(row["gene"], {})[row["allele"]] = said
    return found


@pytest.fixture(scope="module")
def tandem(shared: Path) -> dict[str, str]:
    found = rows(shared / "data" / "pgx" / "alleles_cyp2d6_tandem.csv")
    return {row["allele"].replace(" ", ""): row["activity_value"] for row in found}


@pytest.fixture(scope="module")
def terms(shared: Path) -> dict[tuple[str, str, str], str]:
    found = rows(shared / "data" / "pgx" / "phenotype_rules.csv")
    return {(row["gene"], row["key1"], row["key2"]): row["phenotype"] for row in found}


def test_every_allele_has_the_public_function_and_value(
    public: Alleles, tandem: Mapping[str, str]
) -> None:
    ours = {
        gene: {
            name: (one.function, one.value if gene in SCORED else "")
            for name, one in table.alleles.items()
            if one.source != "sum of parts"
        }
        for gene, table in allele_tables().items()
    }
    assert ours == public
    assert sum(map(len, ours.values())) == 350
    sums = {
        name: one.value
        for name, one in allele_tables()["CYP2D6"].alleles.items()
        if one.source == "sum of parts"
    }
    assert sums == tandem
    assert len(sums) == 11


def test_every_rule_is_the_public_one(
    terms: Mapping[tuple[str, str, str], str],
) -> None:
    ours = {
        (gene, *spelled(gene, key)): term
        for gene, rule in rules().items()
        for key, term in rule.phenotypes.items()
    }
    assert ours == terms
    assert len(ours) == 70


def spelled(gene: str, key: str) -> tuple[str, str]:
    if gene in SCORED:
        return key, ""
    one, other = key.split(" + ")
    return f"{one} function", f"{other} function"


def summed(one: str, other: str) -> str:
    """The public files' own notation: at least one decimal, "≥" kept."""
    if "n/a" in (one, other):
        return "n/a"
    number = Decimal(one.strip("≥")) + Decimal(other.strip("≥"))
    text = f"{number.normalize():f}"
    is_open = "≥" in one + other
    return "≥" * is_open + (text if "." in text else f"{text}.0")


def one_result(gene: str, diplotype: str) -> GeneResult:
    found = [one for one in gene_results([Call(gene, diplotype)]) if one.gene == gene]
    assert len(found) == 1, diplotype
    return found[0]


@pytest.mark.parametrize("gene", sorted(STAR))
def test_every_diplotype_follows_from_the_public_tables(
    gene: str,
    public: Alleles,
    tandem: Mapping[str, str],
    terms: Mapping[tuple[str, str, str], str],
) -> None:
    alleles = dict(public[gene])
    if gene == "CYP2D6":
        alleles |= {name: ("", value) for name, value in tandem.items()}
    for one, other in combinations_with_replacement(alleles, 2):
        found = one_result(gene, f"{one}/{other}")
        (first, value), (second, added) = alleles[one], alleles[other]
        if gene in SCORED:
            score = summed(value, added)
            term = terms[gene, score, ""]
            expected = (term, score, score)
        else:
            term = terms.get((gene, first, second)) or terms[gene, second, first]
            expected = (term, "n/a", term)
        got = (found.phenotype, found.activity_score, found.lookup_key)
        assert got == expected, (one, other)
        assert found.lookup_keys == (found.lookup_key,)
        assert (found.warnings, found.basis) == ((), "diplotype")
        assert sorted((found.lookup_diplotype or "").split("/")) == sorted((one, other))


def test_there_are_about_twenty_thousand_diplotypes() -> None:
    counts = {gene: len(table.alleles) for gene, table in allele_tables().items()}
    assert counts == {
        "CYP2B6": 48,
        "CYP2C19": 36,
        "CYP2C9": 75,
        "CYP2D6": 184,
        "CYP3A4": 12,
        "CYP3A5": 6,
    }
    assert sum(n * (n + 1) // 2 for n in counts.values()) == 21_811


def test_every_key_is_one_that_the_recommendations_are_asked_by(shared: Path) -> None:
    asked: dict[str, set[str]] = {}
    for row in rows(shared / "data" / "pgx" / "recommendations.csv"):
        if row["source"] == "CPIC":
            for gene, key in (row["gene1"], row["key1"]), (row["gene2"], row["key2"]):
                asked.setdefault(gene, set()).add(key)
    for gene in ("CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6"):
        rule = rules()[gene]
        ours = {key for term in rule.terms for key in rule.keys_of(term)}
        assert ours | {"No Result"} == asked[gene]
