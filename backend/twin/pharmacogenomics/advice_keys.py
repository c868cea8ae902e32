"""By which keys each source is asked about a gene's result.

CPIC by activity score, phenotype or HLA status, as its tables are; DPWG and FDA by
phenotype or status. Where current medication changes a result, the changed one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.twin.pharmacogenomics.advice_table import Source
from backend.twin.pharmacogenomics.gene_result import GeneResult

_LIKELY = {
    "Likely Poor Metabolizer": "Poor Metabolizer",
    "Likely Intermediate Metabolizer": "Intermediate Metabolizer",
}
# DPWG knows no rapid CYP2C19: one increased allele is normal there.
_DPWG = MappingProxyType({**_LIKELY, "Rapid Metabolizer": "Normal Metabolizer"})
_FDA = MappingProxyType(_LIKELY)
_BOTH = frozenset({"*15:02 positive", "*15:11 positive"})
BOTH = "1511 and 1502"  # DPWG's own key for carriers of both alleles
CARRIER = "*3 carrier"


@dataclass(frozen=True, slots=True)
class Asked:
    """Keys that stand for one statement on a gene, any of which may be true.

    `is_extra`: asked beside the gene's main key, and nothing is said where no row has
    it. `result` is what they come from.
    """

    keys: tuple[str, ...]
    result: GeneResult
    is_extra: bool = False


def asked(source: Source, result: GeneResult) -> tuple[Asked, ...]:
    """What `source` is asked about that result, the main key first."""
    if source == "CPIC":
        return (Asked(_cpic(result), result),)
    names = _DPWG if source == "DPWG" else _FDA
    extras = _beside_hla(result) if result.statuses else _beside_cyp2c9(result)
    return (
        Asked((_main(result, names),), result),
        *(Asked((key,), result, is_extra=True) for key in extras),
    )


def genetic_key(source: Source, result: GeneResult) -> str:
    """The main key by the genes alone, whatever is taken."""
    if source == "CPIC":
        return " or ".join(result.lookup_keys)
    names = _DPWG if source == "DPWG" else _FDA
    return names.get(result.phenotype, result.phenotype)


def _cpic(result: GeneResult) -> tuple[str, ...]:
    if result.adjusted_lookup_key is not None:
        return (result.adjusted_lookup_key,)
    return result.lookup_keys


def _main(result: GeneResult, names: Mapping[str, str]) -> str:
    if result.gene.startswith("HLA"):
        return result.lookup_key
    phenotype = result.adjusted_phenotype or result.phenotype
    return names.get(phenotype, phenotype)


def _beside_hla(result: GeneResult) -> Iterator[str]:
    """Statuses of further alleles, and DPWG's key for two at once."""
    yield from (one for one in result.statuses if one != result.lookup_key)
    if set(result.statuses) >= _BOTH:
        yield BOTH


def _beside_cyp2c9(result: GeneResult) -> Iterator[str]:
    """DPWG grades CYP2C9 by pairs of alleles too; a label asks for carriers of *3."""
    if result.gene != "CYP2C9":
        return
    if result.adjusted_phenotype is None:
        yield from result.candidates
    if any("*3" in one.split("/") for one in result.candidates):
        yield CARRIER
