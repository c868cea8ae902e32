"""The text of a genetic result: "CYP2C19 *1/*17", "HLA-B*15:02 positive", a GL string.

A closed grammar: what does not match to the last letter is not read at all, since "no
*2/*2 found" holds a diplotype too. No phenotype is derived from a diplotype: where both
are stated ("*4/*4 normal metabolizer") both are kept, and whether they fit nobody
here can judge. Sources: star alleles as PharmVar writes them; HLA names and GL strings
as in Milius et al. 2013, doi:10.1111/tan.12150; the words of CPIC (Caudle et al. 2017,
doi:10.1038/gim.2016.87), where "extensive" became "normal".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod

from backend.twin.genes import Gene, genes

MAX_LENGTH = 500  # characters; a result is a line, not an essay
_MOST_OPTIONS = 64  # a call with more possibilities than this says nothing

_ALLELE = r"\*\d{1,3}[A-Z]?(?:\.\d{3})?(?:x(?:\d{1,2}|N|≥\d{1,2}))?"
_COPY = rf"{_ALLELE}(?:\+{_ALLELE})*"  # tandem arrangements: *36+*10
_STAR = re.compile(rf"(?:\[{_COPY}\]|{_COPY})/(?:\[{_COPY}\]|{_COPY})")
_HLA_ALLELE = r"\*\d{2,3}(?::\d{2,4}){1,3}[NLSCAQ]?"
_ONE_HLA = re.compile(_HLA_ALLELE)
_HLA = re.compile(rf"{_HLA_ALLELE}(?:/{_HLA_ALLELE})?")
# A base, a long or short promoter (with its A or G), an amino acid of COMT's.
_VARIANT = r"(?:[ACGT]|[LS][AGag]?|Val|Met)"
_PLAIN = re.compile(rf"(?:rs\d{{1,12}} )?{_VARIANT}/{_VARIANT}")
_DIPLOTYPES = {"star": _STAR, "hla": _HLA, "plain": _PLAIN}

_FILLERS = re.compile(r"\b(?:geno|diplo|pheno)type\b ?[:=]?", re.IGNORECASE)
_SHORT = {
    "PM": "poor",
    "IM": "intermediate",
    "NM": "normal",
    "EM": "normal",
    "RM": "rapid",
    "UM": "ultrarapid",
}
PRESENCE = {
    "positive": "positive",
    "present": "positive",
    "detected": "positive",
    "negative": "negative",
    "absent": "negative",
    "not present": "negative",
    "not detected": "negative",
}
_PHENOTYPE = re.compile(
    r"(?P<speed>(?:likely (?=intermediate|poor))?"
    r"(?:ultra[- ]?rapid|rapid|normal|extensive|intermediate|poor|indeterminate))"
    r" metaboli[sz]ers?\b"
    r"|(?P<function>(?:increased|normal|decreased|poor) function)\b"
    r"|\b(?P<presence>positive|present|(?:not )?detected|negative|absent|not present)\b"
    r"|\b(?-i:(?P<short>[PINERU]M))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says: of which gene, which diplotypes are possible, what follows.

    `is_inferred`: that an allele is there follows from its standing there alone.
    """

    gene: str
    diplotypes: tuple[str, ...] = ()
    phenotype: str = ""
    is_inferred: bool = field(default=False, compare=False)


def read_text(text: str, *, gene: str = "") -> Said | None:
    """What the text says of one gene; None if it says more, less or something else.

    `gene` is the symbol that the resource states beside the text, if any; one that the
    text names itself goes before it.
    """
    if len(text) > MAX_LENGTH:
        return None
    plain = " ".join(text.replace("\u200b", "").split())
    named = {found.upper() for found in _symbols().findall(plain)}
    if len(named) > 1:
        return None
    known = genes().get(next(iter(named), gene))
    if known is None:
        return None
    rest = _symbols().sub("", plain).strip()
    if rest.lower().startswith("hla#"):
        return _of_gl_string(rest, known)
    return _of_words(rest, known)


@cache
def _symbols() -> re.Pattern[str]:
    names = "|".join(map(re.escape, genes()))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])", re.IGNORECASE)


def _of_words(text: str, gene: Gene) -> Said | None:
    phenotypes = list(_PHENOTYPE.finditer(text))
    if len(phenotypes) > 1:
        return None
    phenotype = _word(phenotypes[0]) if phenotypes else ""
    # Beside a phenotype a hyphen parts the words; without one it may be a minus.
    marks = " ,;:-" if phenotypes else " ,;:"
    rest = _FILLERS.sub("", _PHENOTYPE.sub("", text)).strip(marks)
    rest = rest.removesuffix("()").removeprefix("for ").strip(marks)
    options = _options(rest, gene)
    if options is None or not (options or phenotype):
        return None
    return fit(gene, options, phenotype)


def _word(found: re.Match[str]) -> str:
    """The found phenotype in the words of `PHENOTYPES`."""
    if found["short"]:
        return _SHORT[found["short"]]
    if found["presence"]:
        return PRESENCE[found["presence"].lower()]
    if found["function"]:
        return found["function"].lower()
    speed = found["speed"].lower().replace("extensive", "normal")
    return re.sub(r"ultra[- ]rapid", "ultrarapid", speed)


def _options(text: str, gene: Gene) -> tuple[str, ...] | None:
    """Each diplotype of "A or B", spaces dropped; None if one of them is none."""
    if not text:
        return ()
    shape = _DIPLOTYPES[gene.alleles]
    found = [_tidy(part) for part in re.split(r" or |\|", text)]
    if not all(map(shape.fullmatch, found)) or len(found) > _MOST_OPTIONS:
        return None
    return _distinct(option.replace("[", "").replace("]", "") for option in found)


def _tidy(text: str) -> str:
    bare = text.strip()
    if re.fullmatch(r"\([^()]*\)", bare):
        bare = bare[1:-1].strip()
    return re.sub(r" ?([/+]) ?", r"\1", re.sub(r"(?<=\w)[X×]", "x", bare))


def fit(gene: Gene, options: tuple[str, ...], phenotype: str) -> Said | None:
    """The parts as one statement; None where they cannot be one.

    An HLA gene has no speed, an enzyme is never negative, and only of one allele can it
    be said that it is there: where one stands alone, it is.
    """
    is_hla = gene.alleles == "hla"
    is_presence = phenotype in {"positive", "negative"}
    is_one = len(options) == 1 and _ONE_HLA.fullmatch(options[0]) is not None
    if phenotype and (is_hla != is_presence or is_hla != is_one):
        return None
    is_inferred = is_one and not phenotype
    stated = "positive" if is_inferred else phenotype
    return Said(gene.symbol, options, stated, is_inferred=is_inferred)


def _of_gl_string(text: str, gene: Gene) -> Said | None:
    """`|` parts possible genotypes, `+` the two copies, `/` the alleles one may be."""
    _, _, body = text.partition("#")[2].partition("#")
    options: list[str] = []
    for genotype in body.split("|"):
        copies = [copy.split("/") for copy in genotype.split("+")]
        alleles = [allele for copy in copies for allele in copy]
        if (
            len(copies) > 2
            or not all(map(_ONE_HLA.fullmatch, alleles))
            or len(options) + prod(map(len, copies)) > _MOST_OPTIONS
        ):
            return None
        options += map("/".join, product(*copies))
    return fit(gene, _distinct(options), "")


def _distinct(options: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(options)))
