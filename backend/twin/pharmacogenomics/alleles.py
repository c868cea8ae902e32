"""The table of alleles: clinical function and activity value of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from backend.twin.pharmacogenomics.gene_result import NOT_SCORED


@dataclass(frozen=True, slots=True)
class Allele:
    """An allele, or several copies or kinds on one chromosome that count as one.

    `function` is CPIC's term, `value` its activity value (no unit, "n/a" for none).
    """

    gene: str
    name: str
    function: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class GeneAlleles:
    """A gene's alleles by name, as of `version` (the day of CPIC's table).

    `renamed`: old names whose letter stood for what is another allele today, so that
    cutting the letter off would change the meaning.
    """

    version: str
    alleles: Mapping[str, Allele]
    renamed: frozenset[str]


@cache
def allele_tables() -> Mapping[str, GeneAlleles]:
    """Every gene of `tables/alleles.toml`, read once."""
    text = files("backend.twin.tables").joinpath("alleles.toml").read_text("utf-8")
    return MappingProxyType(read_alleles(text))


def read_alleles(text: str) -> dict[str, GeneAlleles]:
    """Alleles out of TOML text, by gene. Raises ValueError where one comes twice."""
    return {gene: _gene(gene, block) for gene, block in tomllib.loads(text).items()}


def _gene(gene: str, block: Mapping[str, list[dict[str, str]]]) -> GeneAlleles:
    found = [
        Allele(
            gene=gene,
            name=name,
            function=group["function"],
            value=group.get("value", NOT_SCORED),
            source=group["source"],
        )
        for group in block["groups"]
        for name in group["alleles"].split()
    ]
    by_name = {one.name: one for one in found}
    if len(by_name) < len(found):
        raise ValueError(f"alleles.toml [{gene}]: an allele comes twice")
    return GeneAlleles(
        version=str(block["version"]),
        alleles=MappingProxyType(by_name),
        renamed=frozenset(str(name) for name in block.get("renamed", ())),
    )
