"""Real diplotypes for every key that guidelines ask by, found in allele data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path

from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import NO_RESULT, GeneResult
from backend.twin.pharmacogenomics.phenotype import gene_results

HLA = {
    ("HLA-A", "*31:01 positive"): "*02:01/*31:01",
    ("HLA-A", "*31:01 negative"): "*02:01/*24:02",
    ("HLA-B", "*15:02 positive"): "*07:02/*15:02",
    ("HLA-B", "*15:02 negative"): "*07:02/*08:01",
    ("HLA-B", "*15:11 positive"): "*07:02/*15:11",
    ("HLA-B", "1511 and 1502"): "*15:02/*15:11",
}


@cache
def diplotypes(folder: Path) -> Mapping[tuple[str, str], str]:
    """One diplotype for each gene and key: score, status, phenotype or itself."""
    found = dict(HLA)
    for gene, diplotype in _candidates(folder):
        one = _result(gene, diplotype)
        for key in (one.lookup_key, one.phenotype, one.lookup_diplotype):
            found.setdefault((gene, key or ""), diplotype)
    return found


def calls(folder: Path, keys: Mapping[str, str]) -> list[Call]:
    """Calls that lead to those keys by gene; a gene without a result gets no call."""
    return [
        Call(gene, diplotype=diplotypes(folder)[gene, key])
        for gene, key in keys.items()
        if key != NO_RESULT
    ]


def _candidates(folder: Path) -> Iterator[tuple[str, str]]:
    """Pairs of one allele per function and value, and all pairs of the first three."""
    by_gene: dict[str, dict[tuple[str, str], str]] = {}
    with (folder / "alleles.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            gene, allele, *kind = row.values()
            kinds = by_gene.setdefault(gene, {})
            kinds.setdefault((kind[0], kind[1]), allele)
            if allele in ("*1", "*2", "*3"):
                kinds[allele, ""] = allele
    for gene, alleles in by_gene.items():
        for one, other in combinations_with_replacement(alleles.values(), 2):
            yield gene, f"{one}/{other}"


def _result(gene: str, diplotype: str) -> GeneResult:
    results = gene_results([Call(gene, diplotype=diplotype)])
    return next(one for one in results if one.gene == gene)
