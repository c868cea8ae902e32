"""From calls to one phenotype and lookup key per gene, in the terms of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from backend.twin.pharmacogenomics.calls import Call

Basis = Literal[
    "diplotype", "laboratory phenotype", "laboratory activity score", "none"
]
NO_RESULT = "No Result"
INDETERMINATE = "Indeterminate"
NOT_SCORED = "n/a"


@dataclass(frozen=True, slots=True)
class Warned:
    """What was done to a call that its reader must know: a code and words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class GeneResult:
    """One gene's result, or one of several possible ones of an ambiguous call.

    `lookup_diplotype`: in the tables' spelling; None where none was given.
    `phenotype`: CPIC's term, "Indeterminate" or "No Result" (HLA: the status).
    `activity_score`: no unit, "n/a" where there is none, "≥" kept. `lookup_key`: what
    CPIC's tables are asked by: the score (CYP2D6, CYP2C9), the status (HLA), else the
    phenotype; "No Result" without a call. `lookup_keys`: every key that fits, where
    a phenotype came without the score that CPIC asks by; else the one. `statuses`: of
    an HLA gene, all that is known ("*15:02 negative", "*15:11 positive").
    `candidates`: the diplotypes that give this result. What current medication makes
    of it is in `adjusted_*`, None where nothing was adjusted.
    """

    gene: str
    lookup_diplotype: str | None = None
    phenotype: str = NO_RESULT
    activity_score: str = NOT_SCORED
    lookup_key: str = NO_RESULT
    lookup_keys: tuple[str, ...] = (NO_RESULT,)
    statuses: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    basis: Basis = "none"
    adjusted_phenotype: str | None = None
    adjusted_activity_score: str | None = None
    adjusted_lookup_key: str | None = None
    adjusted_because: tuple[str, ...] = ()


def gene_results(calls: Sequence[Call]) -> tuple[GeneResult, ...]:
    """At least one result per gene that advice is looked up by, called or not."""
    raise NotImplementedError
