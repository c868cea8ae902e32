"""The laboratory's own phenotype and activity score, in the tables' terms."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.twin.pharmacogenomics.activity import nearest_key, read_score
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import (
    INDETERMINATE,
    NOT_SCORED,
    Warned,
    warned,
)
from backend.twin.pharmacogenomics.normalise import is_not_called
from backend.twin.pharmacogenomics.rules import Rule

_SHORT = {
    "PM": "poor",
    "LPM": "likely poor",
    "IM": "intermediate",
    "LIM": "likely intermediate",
    "NM": "normal",
    "EM": "extensive",
    "RM": "rapid",
    "UM": "ultrarapid",
}
_SPEED = re.compile(
    r"(?P<speed>(?:likely |possible )?"
    r"(?:ultra[- ]?rapid|rapid|normal|extensive|intermediate|poor))"
    r"(?: metaboli[sz]er)?"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the laboratory states itself; None is "not said" or not readable."""

    phenotype: str | None = None
    score: str | None = None
    warnings: tuple[Warned, ...] = ()


def stated(call: Call, rule: Rule) -> Stated:
    """The laboratory's phenotype and score, each of them a term of that gene's table.

    What is no such term is not used, with a warning; the term "n/a" beside anything
    else says nothing, and alone that a score could not be given.
    """
    warnings: list[Warned] = []
    phenotype = _phenotype(call, rule, warnings)
    return Stated(phenotype, _score(call, rule, warnings), tuple(warnings))


def _phenotype(call: Call, rule: Rule, warnings: list[Warned]) -> str | None:
    if call.phenotype is None or is_not_called(call.phenotype):
        return None
    term = read_phenotype(call.phenotype, rule.gene)
    if term == "Extensive Metabolizer":
        warnings.append(warned("old_term"))
        term = "Normal Metabolizer"
    if term in rule.terms:
        return term
    warnings.append(warned("unread_phenotype"))
    return None


def read_phenotype(text: str, gene: str) -> str | None:
    """CPIC's term for a phenotype as written; None where it is none.

    Terms: Caudle et al. 2017, doi:10.1038/gim.2016.87.
    """
    bare = re.sub(rf"^{gene}\b[ :]*", "", " ".join(text.split()), flags=re.IGNORECASE)
    words = _SHORT.get(bare.upper(), bare.lower())
    if words == INDETERMINATE.lower():
        return INDETERMINATE
    found = _SPEED.fullmatch(words)
    if found is None:
        return None
    speed = re.sub("ultra[- ]rapid", "ultrarapid", found["speed"])
    return f"{speed.title()} Metabolizer"


def _score(call: Call, rule: Rule, warnings: list[Warned]) -> str | None:
    text = call.activity_score
    if text is None or (rule.by != "score" and is_not_called(text)):
        return None
    if text.strip().lower() == NOT_SCORED:
        beside = call.diplotype or call.alleles or call.phenotype
        return None if beside else NOT_SCORED
    score = read_score(text)
    key = nearest_key(score, rule.keys) if score and rule.by == "score" else None
    if key is None:
        warnings.append(warned("unread_score"))
    elif key != str(score):
        warnings.append(warned("open_score", key))
    return key
