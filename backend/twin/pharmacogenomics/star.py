"""One copy of a chromosome as written ("*4A", "*1xN", "*10+*36") in the table's terms.

Star alleles as PharmVar writes them, tandem arrangements and copies as in Turner et al.
2023, doi:10.1002/cpt.3044. Nothing is inferred: copies or arrangements that the table
of alleles does not have are unknown, however plain their parts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.alleles import GeneAlleles
from backend.twin.pharmacogenomics.gene_result import Warned, warned

UNKNOWN = "?"
_UNKNOWN = frozenset({"?", ".", "-", "unknown", "undetermined", "novel", "other"})
_PART = re.compile(
    r"(?P<star>\*\d{1,3})(?P<letter>[A-Z]{0,2})(?P<sub>\.\d{3})?"
    r"(?:x(?:(?P<least>≥)?(?P<count>\d{1,2})(?P<more>\+)?|(?P<some>N))|(?P<dup> ?DUP))?"
)
_JOINT = re.compile(r"\+(?=\*)")  # of a tandem; the other plus follows a count: x3+


@dataclass(frozen=True, slots=True)
class Copies:
    """One star allele, how often it stands on the chromosome, and what is open."""

    star: str
    count: int = 1
    at_least: bool = False

    def __str__(self) -> str:
        if self.count == 1:
            return self.star
        return f"{self.star}x{'≥' * self.at_least}{self.count}"


@dataclass(frozen=True, slots=True)
class Chromosome:
    """What one side of a diplotype may be, in the table's spelling, and warnings."""

    options: tuple[str, ...]
    warnings: tuple[Warned, ...] = ()


def read_chromosome(text: str, table: GeneAlleles) -> Chromosome:
    """One side of a diplotype.

    Raises CallRefused where it is no star allele or arrangement of them.
    """
    bare = text[1:-1] if text[0] + text[-1] in {"[]", "()"} else text
    if bare.lower() in _UNKNOWN:
        return Chromosome((UNKNOWN,), (warned("unknown_allele", "not named"),))
    warnings: list[Warned] = []
    parts = [list(_copies(part, table, warnings)) for part in _JOINT.split(bare)]
    options = dict.fromkeys(_spell(kinds, table, warnings) for kinds in product(*parts))
    return Chromosome(tuple(options), tuple(dict.fromkeys(warnings)))


def _copies(part: str, table: GeneAlleles, warnings: list[Warned]) -> Iterator[Copies]:
    found = _PART.fullmatch(part)
    if found is None:
        raise CallRefused("malformed", "an allele is not written as a star allele")
    star = f"*{int(found['star'][1:])}"
    if star + found["letter"] in table.renamed:
        warnings.append(warned("renamed_allele", star + found["letter"]))
        yield Copies(star + found["letter"])
        return
    if found["letter"] or found["sub"]:
        warnings.append(warned("sub_allele", part))
    count = int(found["count"] or 1)
    if count == 0:
        raise CallRefused("malformed", "no copy of an allele is not an allele")
    is_open = bool(found["least"] or found["more"])
    if found["some"] or found["dup"] or (is_open and count <= 2):
        warnings.append(warned("copies_not_stated", part))
        yield from (Copies(star, 2), Copies(star, 3, at_least=True))
    else:
        yield Copies(star, count, at_least=is_open)


def _spell(kinds: Sequence[Copies], table: GeneAlleles, warnings: list[Warned]) -> str:
    """The arrangement as the table has it; as written, with a warning, if not."""
    parts = sorted(_merged(kinds), key=str)
    exact = _found(parts, table)
    if exact is not None:
        return exact
    open_ended = _found([_opened(part) for part in parts], table)
    if open_ended is not None:
        warnings.append(warned("open_copy_number", _joined(parts)))
        return open_ended
    warnings.append(warned("unknown_allele", _joined(parts)))
    return _joined(parts)


def _merged(kinds: Sequence[Copies]) -> Iterator[Copies]:
    """*10+*10 is *10x2: the same allele side by side is counted."""
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts[kind.star] += kind.count
    is_open = {kind.star for kind in kinds if kind.at_least}
    return (Copies(star, n, at_least=star in is_open) for star, n in counts.items())


def _opened(part: Copies) -> Copies:
    """Three copies or more are at least three."""
    return Copies(part.star, 3, at_least=True) if part.count > 2 else part


def _found(parts: Sequence[Copies], table: GeneAlleles) -> str | None:
    names = sorted(map(str, parts))
    if len(names) == 1:
        return names[0] if names[0] in table.alleles else None
    return next(
        (
            one
            for one in table.alleles
            if "+" in one and sorted(one.split("+")) == names
        ),
        None,
    )


def _joined(parts: Sequence[Copies]) -> str:
    return "+".join(map(str, parts))
