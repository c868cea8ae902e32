"""Whether the tables of alleles, phenotypes and genes are whole and fit each other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from itertools import combinations_with_replacement

from backend.twin.genes import genes
from backend.twin.pharmacogenomics.activity import read_score, total
from backend.twin.pharmacogenomics.alleles import (
    Allele,
    GeneAlleles,
    allele_tables,
    read_alleles,
)
from backend.twin.pharmacogenomics.checked_table import CheckedTable
from backend.twin.pharmacogenomics.gene_result import NOT_SCORED
from backend.twin.pharmacogenomics.rules import Rule, pair, read_rules, rules

FUNCTIONS = frozenset(
    f"{word} function"
    for word in ("No", "Decreased", "Normal", "Increased", "Uncertain", "Unknown")
)
OPEN = frozenset({"Uncertain function", "Unknown function"})
SUM_OF_PARTS = "sum of parts"


def key(rule: Rule, one: Allele, other: Allele) -> str:
    """What the rule is asked by for two alleles."""
    if rule.by == "score":
        return total(one.value, other.value)
    return pair(one.function, other.function)


def allele_problems() -> Iterator[str]:
    """Alleles with a function that is no term, a value amiss or a sum that is wrong."""
    for gene, table in allele_tables().items():
        if gene not in rules():
            yield f"{gene} has alleles and no rule"
            continue
        for one in table.alleles.values():
            for why in _amiss(one, rules()[gene], table):
                yield f"{gene} {one.name}: {why}"


def _amiss(one: Allele, rule: Rule, table: GeneAlleles) -> Iterator[str]:
    if one.function not in FUNCTIONS:
        yield f"{one.function} is no term"
    is_scored = read_score(one.value) is not None
    if is_scored != (rule.by == "score" and one.function not in OPEN):
        yield f"a value of {one.value} does not go with {one.function}"
    if one.source == SUM_OF_PARTS and _sum(one, table) != one.value:
        yield f"its parts add up to {_sum(one, table)}"


def _sum(one: Allele, table: GeneAlleles) -> str:
    value = "0.0"
    for part in one.name.split("+"):
        value = total(value, _value(part, table))
    return value


def _value(part: str, table: GeneAlleles) -> str:
    """Of copies that have no row of their own, each counts."""
    if part in table.alleles:
        return table.alleles[part].value
    star, _, count = part.partition("x")
    value = "0.0"
    for _ in range(int(count)):
        value = total(value, table.alleles[star].value)
    return value


def phenotype_problems() -> Iterator[str]:
    """Pairs of alleles without a phenotype, and keys that no pair of alleles gives."""
    for gene, rule in rules().items():
        if rule.by == "presence":
            yield from [] if rule.asked else [f"{gene} asks for no allele"]
            continue
        table = allele_tables().get(gene)
        alleles = table.alleles.values() if table else ()
        pairs = combinations_with_replacement(alleles, 2)
        reached = {key(rule, one, other) for one, other in pairs}
        for missing in sorted(reached - set(rule.keys)):
            yield f"{gene}: no phenotype for {missing}"
        for orphan in sorted(set(rule.keys) - reached):
            yield f"{gene}: no two alleles give {orphan}"


def gene_problems() -> Iterator[str]:
    """Genes with a rule that are not listed or the reverse; reasons without source."""
    for gene in sorted(rules().keys() - genes().keys()):
        yield f"{gene} has a rule and is not listed"
    for one in genes().values():
        if not one.no_advice and one.symbol not in rules():
            yield f"{one.symbol}: neither a rule nor a reason why it is not used"
        if bool(one.no_advice) != bool(one.source):
            yield f"{one.symbol}: a reason and its source come together"


def allele_rows(text: str) -> Iterable[str]:
    """A line per allele."""
    for gene, table in read_alleles(text).items():
        yield f"{gene} as of {table.version}"
        for one in table.alleles.values():
            value = "" if one.value == NOT_SCORED else f", {one.value}"
            yield f"{gene} {one.name}: {one.function}{value} ({one.source})"


def phenotype_rows(text: str) -> Iterable[str]:
    """A line per score, pair of functions or HLA allele."""
    for gene, rule in read_rules(text).items():
        yield f"{gene} as of {rule.version} ({rule.source}) by {rule.by}"
        yield from (f"{gene} {one}: {term}" for one, term in rule.phenotypes.items())
        yield from (f"{gene} {allele}" for allele in rule.asked)


def gene_rows(text: str) -> Iterable[str]:
    """A line per gene."""
    for gene, row in tomllib.loads(text).items():
        yield f"{gene}: " + ", ".join(f"{name} {what}" for name, what in row.items())


TABLES = (
    CheckedTable("alleles.toml", allele_problems, allele_rows),
    CheckedTable("phenotypes.toml", phenotype_problems, phenotype_rows),
    CheckedTable("genes.toml", gene_problems, gene_rows),
)
