"""From a call as delivered to the diplotypes it may mean, in the tables' spelling.

A closed grammar: what does not match to the last letter is refused with a reason,
never guessed. A no-call is "not called": no error, and not normal either. Reasons never
repeat the text of a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.alleles import GeneAlleles, allele_tables
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import Warned, warned
from backend.twin.pharmacogenomics.star import UNKNOWN, read_chromosome

Diplotype = tuple[str, str]

MAX_LENGTH = 500  # characters; a result is a line, not an essay
MOST_OPTIONS = 64  # a call with more possibilities than this says nothing
NOT_CALLED = frozenset(
    {
        *("no call", "no-call", "nocall", "not called", "uncalled", "nc", "no result"),
        *(
            "not tested",
            "not determined",
            "not reported",
            "failed",
            "none",
            "n/a",
            "na",
        ),
        *("./.", ".", "?", "?/?", "-", "-/-", "unknown", "unknown/unknown"),
    }
)
OR = re.compile(r"\s+or\s+|[|;]", re.IGNORECASE)
_PREFIX = re.compile(r"(?P<gene>[A-Za-z][A-Za-z0-9-]*?)[ :_-]*(?=[\[(]?\*)")
_EITHER = re.compile(
    r"[(\[](?P<pair>[^()\[\]]+/[^()\[\]]+)[)\]](?P<copies>x\w{1,2}|DUP)"
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """Every diplotype that a call may mean, none where it was not called."""

    diplotypes: tuple[Diplotype, ...] = ()
    warnings: tuple[Warned, ...] = ()


def symbol(gene: str) -> str:
    """The HGNC symbol as written in reports: spaces dropped, capitals."""
    return "".join(gene.split()).upper()


def is_not_called(text: str) -> bool:
    """True for the words and marks that laboratories write for "no result"."""
    return " ".join(text.lower().split()) in NOT_CALLED


def tidy(text: str) -> str:
    """One spelling of spaces, signs and copies; prefixes stay.

    Raises CallRefused for an empty or endless text.
    """
    plain = " ".join(text.replace("\u200b", "").split())
    if not plain:
        raise CallRefused("empty", "the call is empty")
    if len(plain) > MAX_LENGTH:
        raise CallRefused("too-long", "the call is longer than a result may be")
    plain = plain.replace(">=", "≥").replace("∗", "*")
    plain = re.sub(r"(?<=[\dA-Z)\]])\s*[xX×](?=\s*[≥\dNn])\s*", "x", plain)
    plain = re.sub(r"(?<=x)n", "N", plain)
    return re.sub(r"\s*([/+])\s*", r"\1", plain)


def without_prefixes(text: str, gene: str) -> str:
    """The text without its gene's name. Raises CallRefused where it names another."""
    named = {symbol(found["gene"]) for found in _PREFIX.finditer(text)}
    locus = gene.removeprefix("HLA-")
    if not named <= {gene, locus, "OR", "FOR"}:
        raise CallRefused("another-gene", "an allele of another gene is named")
    return re.sub(
        rf"\b(?:{gene}|{locus})[ :_-]*(?=[\[(]?\*)", "", text, flags=re.IGNORECASE
    )


def normalised(call: Call, gene: str) -> Normalised:
    """What a call of a gene with star alleles may mean; not the laboratory's reading.

    Raises CallRefused, saying why.
    """
    text, differ = written(call)
    if text is None or is_not_called(text):
        return Normalised()
    table = allele_tables()[gene]
    warnings = [warned("alleles_differ")] if differ else []
    found: dict[Diplotype, None] = {}
    for option in OR.split(without_prefixes(tidy(text), gene)):
        for copies in _placed(option.strip(), warnings):
            found |= dict.fromkeys(_diplotypes(copies, table, warnings))
    if len(found) > MOST_OPTIONS:
        raise CallRefused("too-many-options", "the call leaves too much open")
    if set(found) == {(UNKNOWN, UNKNOWN)}:
        return Normalised()
    return Normalised(
        tuple(sorted(found, key=lambda one: tuple(map(star_order, one)))),
        tuple(dict.fromkeys(warnings)),
    )


def written(call: Call) -> tuple[str | None, bool]:
    """The diplotype as text, and whether alleles listed beside it say otherwise."""
    listed = "/".join(call.alleles) if call.alleles else None
    if call.diplotype is None or listed is None:
        return (listed if call.diplotype is None else call.diplotype), False
    same = _unordered(call.diplotype) == _unordered(listed)
    return call.diplotype, not same


def _unordered(text: str) -> list[str]:
    return sorted("".join(text.split()).split("/"))


def _placed(option: str, warnings: list[Warned]) -> Iterable[Sequence[str]]:
    """The two sides; of "(*1/*4)xN" either may be the one with more copies."""
    either = _EITHER.fullmatch(option.replace(" ", ""))
    sides = (either["pair"] if either else option).split("/")
    if len(sides) > 2:
        raise CallRefused("too-many-alleles", "more than two alleles are named")
    if len(sides) < 2 or not all(side.strip() for side in sides):
        raise CallRefused("one-allele", "both alleles must be named")
    if either is None:
        return [sides]
    warnings.append(warned("copies_not_placed"))
    one, other = sides
    return [(one + either["copies"], other), (one, other + either["copies"])]


def _diplotypes(
    sides: Sequence[str], table: GeneAlleles, warnings: list[Warned]
) -> Iterable[Diplotype]:
    read = [read_chromosome(side.strip(), table) for side in sides]
    for chromosome in read:
        warnings += chromosome.warnings
    for one, other in product(*(chromosome.options for chromosome in read)):
        first, second = sorted((one, other), key=star_order)
        yield first, second


def star_order(name: str) -> tuple[int, str]:
    """Alleles by number, then by name; one that is not named comes last."""
    if name == UNKNOWN:
        return 10**6, name
    return int(re.findall(r"\d+", name)[0]), name
