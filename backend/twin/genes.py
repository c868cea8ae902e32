"""What a laboratory says of a patient's genes, before any rule reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

Alleles = Literal["star", "hla", "plain"]


@dataclass(frozen=True, slots=True)
class Gene:
    """One gene by its HGNC symbol and number, and how its alleles are written.

    `no_advice` says why no advice on a psychiatric drug may follow from it, and
    `source` who says so; empty where advice may.
    """

    symbol: str
    hgnc: int
    alleles: Alleles
    no_advice: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class GeneCall:
    """One gene's result; an empty text or None is "not said", never "normal".

    `gene` is the HGNC symbol (CYP2C19, HLA-B). `diplotype` is the text after the gene,
    as sent but for spaces ("*1/*17"); `phenotype` is a word of the closed list in
    `PHENOTYPES`; `activity` is the activity score (no unit). `ambiguous` holds every
    diplotype where the laboratory could not decide. Where an HLA gene was tested for
    one allele, `diplotype` names that allele alone and `phenotype` says whether it is
    there: a negative result names an allele that the patient does not have. "Extensive"
    (EM) is read as normal, its name since 2017; reports on CYP2D6 from before may have
    called so what is intermediate by today's activity score.
    """

    gene: str
    diplotype: str
    phenotype: str
    activity: float | None
    day: date | None
    source: str
    ambiguous: tuple[str, ...] = ()


PHENOTYPES = frozenset(
    {
        "ultrarapid",
        "rapid",
        "normal",
        "likely intermediate",
        "intermediate",
        "likely poor",
        "poor",
        "indeterminate",
        "increased function",
        "normal function",
        "decreased function",
        "poor function",
        "positive",  # an HLA allele is there
        "negative",
    }
)


@cache
def genes() -> Mapping[str, Gene]:
    """Every gene of the table by its symbol."""
    table = files("backend.twin.tables").joinpath("genes.toml").read_text("utf-8")
    rows = tomllib.loads(table)
    return MappingProxyType({key: Gene(symbol=key, **row) for key, row in rows.items()})


@cache
def symbols_by_hgnc() -> Mapping[int, str]:
    """The symbol of each HGNC number in the table."""
    return MappingProxyType({gene.hgnc: gene.symbol for gene in genes().values()})
