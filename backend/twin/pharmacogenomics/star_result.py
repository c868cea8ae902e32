"""The possible results of one call of a gene with star alleles.

The laboratory's phenotype goes before its activity score, and that before what our
tables make of the diplotype: it may know more than it writes. A difference is never
silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.activity import total
from backend.twin.pharmacogenomics.alleles import allele_tables
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import (
    NO_RESULT,
    NOT_SCORED,
    GeneResult,
    Warned,
    warned,
)
from backend.twin.pharmacogenomics.laboratory import Stated, stated
from backend.twin.pharmacogenomics.normalise import Diplotype, Normalised, normalised
from backend.twin.pharmacogenomics.rules import Rule, pair


def star_results(call: Call, rule: Rule) -> tuple[GeneResult, ...]:
    """One result per diplotype that the call may mean; () where it was not called.

    Raises CallRefused, saying why.
    """
    said = stated(call, rule)
    read = _alleles(call, rule, said)
    derived = [from_diplotype(one, rule) for one in read.diplotypes]
    warnings = (*said.warnings, *read.warnings)
    if said.phenotype is None and said.score is None:
        if said.warnings and not derived:
            raise CallRefused("unread", "neither alleles nor a phenotype can be read")
        told = [replace(one, warnings=warnings) for one in derived if warnings]
        return tuple(told or derived)
    return tuple(_as_stated(derived, said, rule, warnings))


def _alleles(call: Call, rule: Rule, said: Stated) -> Normalised:
    """What the alleles may mean; the laboratory's word holds if they are unreadable.

    Not if they are of another gene: the word may then be of that one, too.
    """
    try:
        return normalised(call, rule.gene)
    except CallRefused as error:
        is_said = said.phenotype is not None or said.score is not None
        if error.code == "another-gene" or not is_said:
            raise
        return Normalised(warnings=(warned("unread_alleles", error),))


def from_diplotype(diplotype: Diplotype, rule: Rule) -> GeneResult:
    """What the tables make of two alleles, in either order."""
    table = allele_tables()[rule.gene].alleles
    one, other = (table.get(name) for name in diplotype)
    score = NOT_SCORED
    if one is None or other is None:
        key = NOT_SCORED
    elif rule.by == "score":
        key = score = total(one.value, other.value)
    else:
        key = pair(one.function, other.function)
    phenotype = rule.phenotype(key)
    lookup = key if rule.by == "score" else phenotype
    return GeneResult(
        gene=rule.gene,
        lookup_diplotype="/".join(diplotype),
        phenotype=phenotype,
        activity_score=score,
        lookup_key=lookup,
        lookup_keys=(lookup,),
        candidates=("/".join(diplotype),),
        basis="diplotype",
    )


def _as_stated(
    derived: list[GeneResult], said: Stated, rule: Rule, warnings: Iterable[Warned]
) -> Iterator[GeneResult]:
    """The laboratory's statement, with the diplotypes that fit it if any do."""
    phenotype, score = said.phenotype, said.score
    more = list(warnings)
    if (
        phenotype is not None
        and score is not None
        and rule.phenotype(score) != phenotype
    ):
        more.append(warned("score_conflict", score, rule.phenotype(score)))
        score = None
    term = phenotype or rule.phenotype(score or NOT_SCORED)
    fit = [one for one in derived if _fits(one, term, score)]
    for one in fit or derived or [GeneResult(rule.gene)]:
        own = list(more)
        if one in derived and one not in fit:
            own.append(_conflict(one, term, score))
        keys = _keys(one, term, score, rule)
        if len(keys) > 1:
            own.append(warned("score_not_stated", len(keys)))
        is_scored = rule.by == "score" and len(keys) == 1
        yield replace(
            one,
            phenotype=term,
            activity_score=keys[0] if is_scored else NOT_SCORED,
            lookup_key=keys[0],
            lookup_keys=keys,
            warnings=tuple(own),
            basis="laboratory phenotype" if phenotype else "laboratory activity score",
        )


def _fits(one: GeneResult, term: str, score: str | None) -> bool:
    return one.phenotype == term and score in {None, one.activity_score}


def _conflict(one: GeneResult, term: str, score: str | None) -> Warned:
    found = [one.activity_score] if one.activity_score != NOT_SCORED else []
    ours = ", ".join([one.phenotype, *found])
    return warned("conflict", ", ".join([term, *([score] if score else [])]), ours)


def _keys(one: GeneResult, term: str, score: str | None, rule: Rule) -> tuple[str, ...]:
    """The score stated, else the diplotype's if it fits, else every one that does."""
    if score is not None:
        return (score,)
    if one.phenotype == term and one.lookup_key != NO_RESULT:
        return one.lookup_keys
    return rule.keys_of(term)
