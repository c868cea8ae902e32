"""From calls to a phenotype and lookup key per gene, in the terms of the sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backend.twin.errors import CallRefused
from backend.twin.genes import genes
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.carried import CONDITIONS, is_carried
from backend.twin.pharmacogenomics.gene_result import (
    GeneResult,
    Warned,
    warned,
)
from backend.twin.pharmacogenomics.hla import hla_results, joined
from backend.twin.pharmacogenomics.normalise import symbol
from backend.twin.pharmacogenomics.rules import Rule, rules
from backend.twin.pharmacogenomics.star_result import star_results

__all__ = ["GeneResult", "Reading", "Refusal", "Unused", "gene_results", "read_calls"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that could not be read; `gene` is empty where no table has it."""

    gene: str
    code: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Unused:
    """A gene that was called and from which no advice may follow, and why."""

    gene: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a person's calls say: results, what was refused, what is not used.

    `conditions`: concepts that a called variant is, as the safety rules ask for them.
    """

    results: tuple[GeneResult, ...]
    refused: tuple[Refusal, ...] = ()
    unused: tuple[Unused, ...] = ()
    conditions: tuple[str, ...] = ()


def gene_results(calls: Sequence[Call]) -> tuple[GeneResult, ...]:
    """At least one result per gene that advice is looked up by, called or not.

    Several of a gene where its call is ambiguous; "No Result" where it was not called,
    or could not be read.
    """
    return read_calls(calls).results


def read_calls(calls: Sequence[Call]) -> Reading:
    """What the calls say; never raises: what cannot be read is in `refused`."""
    refused: list[Refusal] = []
    own: dict[str, list[Call]] = {gene: [] for gene in rules()}
    unused: dict[str, Unused] = {}
    conditions: set[str] = set()
    for call in map(_split, calls):
        if call.gene in CONDITIONS:
            conditions |= _carried(call, refused)
            continue
        gene = genes().get(call.gene)
        if gene is None:
            refused.append(
                Refusal("", "unknown-gene", "no table has this gene", call.source)
            )
        elif gene.no_advice:
            unused[call.gene] = Unused(call.gene, gene.no_advice)
        if call.gene in own:
            own[call.gene].append(call)
    results = [
        one for gene, rule in rules().items() for one in _of(rule, own[gene], refused)
    ]
    return Reading(
        results=tuple(results),
        refused=tuple(refused),
        unused=tuple(unused.values()),
        conditions=tuple(sorted(conditions)),
    )


def _carried(call: Call, refused: list[Refusal]) -> set[str]:
    """The condition that the call says is there, if any."""
    try:
        return {CONDITIONS[call.gene]} if is_carried(call) else set()
    except CallRefused as error:
        refused.append(Refusal(call.gene, error.code, str(error), call.source))
        return set()


def _split(call: Call) -> Call:
    """ "HLA-B*15:02" as a gene's name says which allele was tested for."""
    gene, star, allele = symbol(call.gene).partition("*")
    if not star or call.diplotype or call.alleles:
        return call if call.gene == gene else replace(call, gene=gene)
    return replace(call, gene=gene, diplotype=star + allele)


def _of(
    rule: Rule, calls: Sequence[Call], refused: list[Refusal]
) -> tuple[GeneResult, ...]:
    """The results of one gene; a refused call leaves a warning on them."""
    found: list[GeneResult] = []
    warnings: list[Warned] = []
    told: set[str] = set()
    for call in calls:
        try:
            read = _results(call, rule)
        except CallRefused as error:
            refused.append(Refusal(rule.gene, error.code, str(error), call.source))
            warnings.append(warned("refused_call"))
            continue
        found += read
        told |= {call.source} if read else set()
    distinct = _distinct(joined(found, rule) if rule.by == "presence" else found)
    if len(distinct) > 1:
        warnings.append(warned("ambiguous", len(distinct)))
        if len(told) > 1:
            warnings.append(warned("conflicting_reports"))
    results = tuple(distinct) or (GeneResult(rule.gene),)
    return tuple(_with(one, warnings) for one in results) if warnings else results


def _with(one: GeneResult, warnings: Iterable[Warned]) -> GeneResult:
    return replace(one, warnings=tuple(dict.fromkeys((*one.warnings, *warnings))))


def _results(call: Call, rule: Rule) -> tuple[GeneResult, ...]:
    said = (call.diplotype, call.alleles, call.phenotype, call.activity_score)
    if not any(said):
        raise CallRefused("empty", "the call is empty")
    return (
        hla_results(call, rule) if rule.by == "presence" else star_results(call, rule)
    )


def _distinct(found: Iterable[GeneResult]) -> list[GeneResult]:
    """Equal results are one, with all their candidates.

    A phenotype without its score goes with a result that has both.
    """
    merged: dict[tuple[object, ...], GeneResult] = {}
    for one in found:
        key = (one.phenotype, one.lookup_keys, one.statuses)
        merged[key] = _merged(merged[key], one) if key in merged else one
    all_of_them = list(merged.values())
    return [
        one
        for one in all_of_them
        if not any(_says_more(other, one) for other in all_of_them)
    ]


def _says_more(other: GeneResult, one: GeneResult) -> bool:
    return other.phenotype == one.phenotype and (
        set(other.lookup_keys) < set(one.lookup_keys)
    )


def _merged(one: GeneResult, other: GeneResult) -> GeneResult:
    return replace(
        one,
        lookup_diplotype=one.lookup_diplotype or other.lookup_diplotype,
        candidates=tuple(dict.fromkeys((*one.candidates, *other.candidates))),
        warnings=tuple(dict.fromkeys((*one.warnings, *other.warnings))),
    )
