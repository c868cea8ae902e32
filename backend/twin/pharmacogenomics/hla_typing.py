"""HLA alleles as laboratories type them, as far as the guidelines' two fields go.

Names: hla.alleles.org. The first field is the group, the second the protein, which the
guidelines ask for; what follows is cut off. A group alone, or a code for several
proteins, excludes other groups and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.gene_result import Warned, warned
from backend.twin.pharmacogenomics.normalise import (
    MOST_OPTIONS,
    OR,
    is_not_called,
    tidy,
    without_prefixes,
    written,
)

Presence = Literal["positive", "negative", "unknown"]
_ALLELE = re.compile(
    r"\*(?P<group>\d{2,3})(?::(?P<protein>\d{2,4})(?P<rest>(?::\d{2,4}){0,2})"
    r"(?P<suffix>[NLSCAQGP]?)|:(?P<code>[A-Z]{2,5}))?"
)
_OLD = re.compile(r"\*(\d\d)(\d\d)(?!\d|:)")
_UNKNOWN = frozenset({"?", ".", "-", "unknown", "blank"})


@dataclass(frozen=True, slots=True)
class Typed:
    """One typed allele: its group and protein; None where that was not resolved."""

    group: int | None = None
    protein: int | None = None

    def is_one(self, asked: str) -> Presence:
        """Whether it is the asked allele, of two fields."""
        group, protein = map(int, asked.removeprefix("*").split(":"))
        if self.group is None:
            return "unknown"
        if self.group != group:
            return "negative"
        if self.protein is None:
            return "unknown"
        return "positive" if self.protein == protein else "negative"

    def __str__(self) -> str:
        if self.group is None:
            return "?"
        protein = "" if self.protein is None else f":{self.protein:02}"
        return f"*{self.group:02}{protein}"


def read_typings(
    call: Call, gene: str, warnings: list[Warned]
) -> tuple[tuple[Typed, ...], ...]:
    """Every pair of alleles that the text may mean, or one allele that stands alone."""
    text, differ = written(call)
    if text is None or is_not_called(text):
        return ()
    if differ:
        warnings.append(warned("alleles_differ"))
    bare = without_prefixes(tidy(text), gene)
    found = [pair for option in OR.split(bare) for pair in _pairs(option, warnings)]
    if len(found) > MOST_OPTIONS:
        raise CallRefused("too-many-options", "the call leaves too much open")
    return tuple(dict.fromkeys(found))


def _pairs(option: str, warnings: list[Warned]) -> Iterator[tuple[Typed, ...]]:
    """In a GL string "+" parts the copies and "/" what one may be; else "/" the copies.

    Source of the grammar: Milius et al. 2013, doi:10.1111/tan.12150.
    """
    if "+" in option:
        sides = [side.split("/") for side in option.split("+")]
    else:
        sides = [[side] for side in re.split(r"[/,]", option)]
    if len(sides) > 2:
        raise CallRefused("too-many-alleles", "more than two alleles are named")
    read = [[read_typed(name.strip(), warnings) for name in side] for side in sides]
    yield from product(*read)


def read_typed(name: str, warnings: list[Warned]) -> Typed:
    """One allele. Raises CallRefused where it is not written as one."""
    if name.lower() in _UNKNOWN:
        warnings.append(warned("low_resolution", name))
        return Typed()
    colon = _OLD.sub(r"*\1:\2", name)
    if colon != name:
        warnings.append(warned("old_hla_name", name))
    found = _ALLELE.fullmatch(colon)
    if found is None:
        raise CallRefused("malformed", "an allele is not written as an HLA allele")
    if found["protein"] is None:
        warnings.append(warned("low_resolution", name))
        return Typed(int(found["group"]))
    if found["rest"] or found["suffix"]:
        warnings.append(warned("sub_allele", name))
    return Typed(int(found["group"]), int(found["protein"]))
