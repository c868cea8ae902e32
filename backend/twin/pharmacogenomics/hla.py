"""HLA: whether an allele that a guideline asks for is there. Unknown is never negative.

One copy is enough. Negative needs both alleles, typed finely enough to exclude it, or
the laboratory's own word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import (
    INDETERMINATE,
    NO_RESULT,
    GeneResult,
    Warned,
    warned,
)
from backend.twin.pharmacogenomics.hla_typing import (
    Presence,
    Typed,
    read_typed,
    read_typings,
)
from backend.twin.pharmacogenomics.normalise import (
    is_not_called,
    tidy,
    without_prefixes,
)
from backend.twin.pharmacogenomics.rules import Rule

_WORDS: Mapping[str, Presence] = {
    "positive": "positive",
    "present": "positive",
    "detected": "positive",
    "carrier": "positive",
    "negative": "negative",
    "absent": "negative",
    "not present": "negative",
    "not detected": "negative",
    "non-carrier": "negative",
}
_STATUS = re.compile(r"(?P<allele>\*[\d:]+[nlscaqgp]?)\s*(?P<word>[a-z -]+)")
_TURNED = re.compile(r"^([a-z -]+) for (\*\S+)$")  # "negative for *15:02"
_LIST = re.compile("[;,]")


def hla_results(call: Call, rule: Rule) -> tuple[GeneResult, ...]:
    """The possible results of one call; () where it was not called.

    Raises CallRefused, saying why.
    """
    warnings: list[Warned] = []
    typings, refused = _typings(call, rule, warnings)
    word = _WORDS.get((call.phenotype or "").strip().lower())
    if word is not None and len(typings) == 1 and len(typings[0]) == 1:
        said = _tested(typings[0][0], rule, word)
        return (_result(call, rule, said),) if said else ()
    said = _stated(call, rule, warnings, has_alleles=bool(typings))
    if refused is not None and not said:
        raise refused
    if not typings:
        return (_result(call, rule, said, warnings=warnings),) if said else ()
    if any(len(typed) == 1 for typed in typings):
        warnings.append(warned("one_allele"))
    return tuple(
        _typed_result(call, rule, typed=typed, said=said, warnings=warnings)
        for typed in typings
    )


def _typings(
    call: Call, rule: Rule, warnings: list[Warned]
) -> tuple[tuple[tuple[Typed, ...], ...], CallRefused | None]:
    """The typed pairs, or why they cannot be read beside the laboratory's own word.

    Raises CallRefused where no word stands beside them, or they are of another gene.
    """
    try:
        return read_typings(call, rule.gene, warnings), None
    except CallRefused as error:
        if error.code == "another-gene" or is_not_called(call.phenotype or "none"):
            raise
        warnings.append(warned("unread_alleles", error))
        return (), error


def joined(results: Iterable[GeneResult], rule: Rule) -> list[GeneResult]:
    """Statements on different alleles, each without a diplotype, as one result.

    Where two of them contradict each other, each stays a result of its own.
    """
    made: list[GeneResult] = []
    for one in results:
        fits = [k for k, other in enumerate(made) if _are_together(one, other)]
        if fits:
            said = {**_said(made[fits[0]]), **_said(one)}
            both = (*made[fits[0]].warnings, *one.warnings)
            made[fits[0]] = replace(made[fits[0]], **_keyed(said, rule), warnings=both)
        else:
            made.append(one)
    return made


def _are_together(one: GeneResult, other: GeneResult) -> bool:
    mine, theirs = _said(one), _said(other)
    return (
        not one.candidates
        and not other.candidates
        and all(theirs.get(allele, word) == word for allele, word in mine.items())
    )


def _said(result: GeneResult) -> dict[str, Presence]:
    words = (status.split() for status in result.statuses)
    return {allele: _WORDS[word] for allele, word in words}


def _typed_result(
    call: Call,
    rule: Rule,
    *,
    typed: tuple[Typed, ...],
    said: Mapping[str, Presence],
    warnings: Iterable[Warned],
) -> GeneResult:
    found = _statuses(typed, rule.asked)
    differ = [k for k, v in said.items() if found[k] not in {v, "unknown"}]
    own = [warned("conflict", f"{k} {said[k]}", f"{k} {found[k]}") for k in differ]
    return _result(
        call, rule, {**found, **said}, typed=typed, warnings=(*warnings, *own)
    )


def _result(
    call: Call,
    rule: Rule,
    statuses: Mapping[str, Presence],
    *,
    typed: tuple[Typed, ...] = (),
    warnings: Iterable[Warned] = (),
) -> GeneResult:
    name = "/".join(sorted(map(str, typed))) or None
    return GeneResult(
        gene=rule.gene,
        lookup_diplotype=name,
        **_keyed(statuses, rule),
        candidates=(name,) if name else (),
        warnings=tuple(dict.fromkeys(warnings)),
        basis="laboratory phenotype" if call.phenotype else "diplotype",
    )


def _keyed(statuses: Mapping[str, Presence], rule: Rule) -> dict[str, Any]:
    """The fields that follow from what is known of each allele; `Any`: of two types."""
    known = {one: statuses[one] for one in rule.asked if one in statuses}
    said = tuple(f"{one} {word}" for one, word in known.items() if word != "unknown")
    key = said[0] if said and said[0].startswith(rule.asked[0]) else NO_RESULT
    return {
        "phenotype": INDETERMINATE if key == NO_RESULT else key,
        "lookup_key": key,
        "lookup_keys": (key,),
        "statuses": said,
    }


def _tested(typed: Typed, rule: Rule, word: Presence) -> dict[str, Presence]:
    """A word beside one allele: it was tested for, there or not; no more is known."""
    return {one: word for one in rule.asked if typed.is_one(one) == "positive"}


def _statuses(typed: tuple[Typed, ...], asked: Iterable[str]) -> dict[str, Presence]:
    return {allele: _status([one.is_one(allele) for one in typed]) for allele in asked}


def _status(found: list[Presence]) -> Presence:
    if "positive" in found:
        return "positive"
    return "negative" if found == ["negative", "negative"] else "unknown"


def _stated(
    call: Call, rule: Rule, warnings: list[Warned], *, has_alleles: bool
) -> dict[str, Presence]:
    """The laboratory's own word per asked allele ("*15:02 positive; *57:01 negative").

    Raises CallRefused where it cannot be read and no alleles stand beside it.
    """
    if call.phenotype is None or is_not_called(call.phenotype):
        return {}
    text = without_prefixes(tidy(call.phenotype), rule.gene)
    listed = [_TURNED.sub(r"\2 \1", one.strip().lower()) for one in _LIST.split(text)]
    found = [_STATUS.fullmatch(one) for one in listed]
    parts = [one for one in found if one and one["word"].strip() in _WORDS]
    if len(parts) == len(found):
        return {
            asked: _WORDS[one["word"].strip()]
            for one in parts
            for asked in rule.asked
            if read_typed(one["allele"].upper(), warnings).is_one(asked) == "positive"
        }
    if not has_alleles:
        raise CallRefused("unread", "neither alleles nor a status can be read")
    warnings.append(warned("unread_phenotype"))
    return {}
