"""What is known of one gene, and the warnings that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Basis = Literal[
    "diplotype", "laboratory phenotype", "laboratory activity score", "none"
]
NO_RESULT = "No Result"
INDETERMINATE = "Indeterminate"
NOT_SCORED = "n/a"

# Every code there is, with what it says; {} takes what was found.
WARNINGS = {
    "sub_allele": "read as its main allele, as far as the tables go: {}",
    "unknown_allele": "not in the table of alleles, so its function is unknown: {}",
    "renamed_allele": "old name that means another allele today, so unknown: {}",
    "open_copy_number": "read as the table's open-ended entry: {}",
    "copies_not_stated": "the number of copies is not stated: {}",
    "copies_not_placed": "which of the two alleles is multiplied is not stated",
    "alleles_differ": "the alleles listed one by one differ from the diplotype",
    "conflict": "the laboratory's {}, which is used; its alleles give {}",
    "score_conflict": "the laboratory's phenotype is used; its score {} gives {}",
    "conflicting_reports": "reports from different sources give different results",
    "ambiguous": "one of {} possible results",
    "unread_phenotype": "the laboratory's phenotype is no term of this gene's",
    "unread_alleles": "alleles beside the laboratory's word cannot be read: {}",
    "unread_score": "the laboratory's activity score is none of this gene's",
    "old_term": "extensive metabolizer is read as normal, its name since 2017",
    "score_not_stated": "a phenotype without its score: {} scores fit, all looked up",
    "open_score": "read as the table's open-ended score: {}",
    "low_resolution": "typed too coarsely to tell, so unknown: {}",
    "one_allele": "one allele of two is stated: nothing can be excluded",
    "old_hla_name": "HLA name without a colon, read as two fields: {}",
    "refused_call": "a result of this gene could not be read",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """What was done to a call that its reader must know: a code and words."""

    code: str
    text: str


def warned(code: str, *found: object) -> Warned:
    """The warning of that code, a key of `WARNINGS`, with what was found."""
    return Warned(code, WARNINGS[code].format(*found))


@dataclass(frozen=True, slots=True)
class GeneResult:
    """One gene's result, or one of several possible ones of an ambiguous call.

    `lookup_diplotype`: in the tables' spelling; None where none was given.
    `phenotype`: CPIC's term, "Indeterminate" or "No Result" (HLA: the status).
    `activity_score`: no unit, "n/a" where there is none, "≥" kept. `lookup_key`: what
    CPIC's tables are asked by: the score (CYP2D6, CYP2C9), the status (HLA), else the
    phenotype; "No Result" without a call. `lookup_keys`: every key that fits; more than
    one where a phenotype came without the score that CPIC asks by, and then
    `lookup_key` is the lowest. `statuses`: of an HLA gene, all that is known ("*15:02
    negative", "*15:11 positive"). `candidates`: the diplotypes that give this result.
    What current medication makes of it is in `adjusted_*`, None where nothing does.
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
