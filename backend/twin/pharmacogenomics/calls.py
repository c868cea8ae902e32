"""What a laboratory says of one gene, as delivered, before any table reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One statement on one gene; None is "not said", never "normal".

    `gene`: HGNC symbol (CYP2D6, HLA-B). `diplotype`: both alleles as written
    ("*1/*4", "CYP2D6*1x2/*36+*10"). `phenotype`: the laboratory's own, in words.
    `activity_score`: the laboratory's own, no unit ("1.25", "≥3.0"). `alleles`: the
    alleles one by one where the laboratory lists them. Several calls of one gene are
    possibilities of one ambiguous result. `source`: where it came from, for people.
    """

    gene: str
    diplotype: str | None = None
    phenotype: str | None = None
    activity_score: str | None = None
    alleles: tuple[str, ...] | None = None
    source: str = ""


Genotype = tuple[Call, ...]
