"""Are the tables of medicines whole: nothing asked that no result or medicine can be?

What `make tables` prints of the catalogue, of inhibitors and of the safety rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator

from backend.twin.pharmacogenomics.checked_table import CheckedTable
from backend.twin.pharmacogenomics.drugs import Drug, drugs
from backend.twin.pharmacogenomics.inhibitors import Statement, actions, statements
from backend.twin.pharmacogenomics.rules import rules
from backend.twin.pharmacogenomics.safety_facts import GeneIs, Takes, TakesThat
from backend.twin.pharmacogenomics.safety_table import SafetyRule, safety_rules

# Enzymes whose inhibitors a safety rule asks for, though no advice goes by their genes.
_NO_GENE = frozenset({"CYP1A2"})


def drug_problems(
    catalogue: Iterable[Drug], asked: Iterable[SafetyRule]
) -> Iterator[str]:
    """Classes that no rule asks for, beside those that are for a reader alone."""
    used = {selector for rule in asked for selector in _selectors(rule)}
    for drug in catalogue:
        for name in drug.classes[1:]:
            if f"@{name}" not in used:
                yield f"{drug.name}: no rule asks for the class {name}"


def inhibitor_problems(rows: Iterable[Statement]) -> Iterator[str]:
    """Enzymes that nothing looks up, and medicines said to do both."""
    effects: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.enzyme not in rules() and row.enzyme not in _NO_GENE:
            yield f"{row.drug}: nothing asks for {row.enzyme}"
        if effects.setdefault((row.enzyme, row.drug), row.effect) != row.effect:
            yield f"{row.drug}: both an inhibitor and an inducer of {row.enzyme}"


def safety_problems(rows: Iterable[SafetyRule]) -> Iterator[str]:
    """Results that a gene cannot have, and enzymes of which no medicine is known."""
    for row in rows:
        for asked in row.when:
            if isinstance(asked, GeneIs) and not possible(asked.gene) >= {
                *asked.values
            }:
                yield f"{row.code}: no such result of {asked.gene}"
            if isinstance(asked, TakesThat) and not _is_known(asked):
                yield f"{row.code}: no {asked.effect} of {asked.enzyme} is known"


def _is_known(asked: TakesThat) -> bool:
    """Whether any medicine does that to the enzyme."""
    return bool(actions(asked.enzyme, drugs().values(), asked.effect))


def possible(gene: str) -> frozenset[str]:
    """Every phenotype or status that a result of the gene may have."""
    rule = rules().get(gene)
    if rule is None:
        return frozenset()
    statuses = {f"{one} positive" for one in rule.asked}
    return rule.terms | statuses


def _selectors(rule: SafetyRule) -> Iterator[str]:
    yield from rule.drugs
    for asked in rule.when:
        yield from asked.selectors if isinstance(asked, Takes) else ()


def toml_rows(text: str) -> list[str]:
    """A line for each block, whatever its layout."""
    return [f"{key}: {block}" for key, block in tomllib.loads(text).items()]


TABLES: tuple[CheckedTable, ...] = (
    CheckedTable(
        "drugs.toml",
        lambda: drug_problems(drugs().values(), safety_rules()),
        toml_rows,
    ),
    CheckedTable("inhibitors.csv", lambda: inhibitor_problems(statements())),
    CheckedTable("safety.toml", lambda: safety_problems(safety_rules()), toml_rows),
)
