"""What a laboratory says of a patient's genes, before any rule reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class GeneCall:
    """One gene's result; an empty text or None is "not said", never "normal".

    `gene` is the HGNC symbol (CYP2C19, HLA-B). `diplotype` is the text after the gene,
    as sent but for spaces ("*1/*17"); `phenotype` is a word of the closed list in
    `PHENOTYPES`; `activity` is the activity score (no unit). `ambiguous` holds every
    diplotype where the laboratory could not decide.
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
        "intermediate",
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
