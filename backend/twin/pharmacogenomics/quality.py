"""How much of what the asked medicines depend on the genetic data says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from backend.twin.pharmacogenomics.advice_table import tables
from backend.twin.pharmacogenomics.gene_result import (
    INDETERMINATE,
    NO_RESULT,
    GeneResult,
)
from backend.twin.pharmacogenomics.rules import rules

State = Literal["called", "ambiguous", "indeterminate", "unreadable", "missing"]
Level = Literal["complete", "partial", "none", "not needed"]


@dataclass(frozen=True, slots=True)
class GeneState:
    """One gene: what became of its calls, and which asked medicines go by it."""

    gene: str
    state: State
    medications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GeneticQuality:
    """`level` over the genes that an asked medicine goes by, each called plainly."""

    level: Level
    genes: tuple[GeneState, ...]


def genetic_quality(
    results: Sequence[GeneResult], medications: Sequence[str]
) -> GeneticQuality:
    """What the results say of every gene that advice is looked up by."""
    needed = {one: _genes_of(one) for one in medications}
    states = tuple(
        GeneState(
            gene,
            _state([one for one in results if one.gene == gene]),
            tuple(one for one in medications if gene in needed[one]),
        )
        for gene in rules()
    )
    return GeneticQuality(_level([one for one in states if one.medications]), states)


@cache
def _genes_of(medication: str) -> frozenset[str]:
    return frozenset(
        gene
        for table in tables().values()
        for guideline in table.of(medication)
        for gene in guideline.genes
    )


def _state(found: Sequence[GeneResult]) -> State:
    phenotypes = {one.phenotype for one in found}
    if len(found) > 1:
        return "ambiguous"
    if phenotypes <= {NO_RESULT}:
        codes = {warning.code for one in found for warning in one.warnings}
        return "unreadable" if "refused_call" in codes else "missing"
    return "indeterminate" if INDETERMINATE in phenotypes else "called"


def _level(needed: Sequence[GeneState]) -> Level:
    if not needed:
        return "not needed"
    called = [one.state == "called" for one in needed]
    if all(called):
        return "complete"
    return "partial" if any(called) else "none"
