"""Whose facts the advice is made of, of which state, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from backend.twin.pharmacogenomics.advice_table import (
    FILES,
    SOURCES,
    Source,
    head,
    tables,
    text,
)

_BY = MappingProxyType(
    {
        "CPIC": "Clinical Pharmacogenetics Implementation Consortium, cpicpgx.org",
        "DPWG": "Dutch Pharmacogenetics Working Group of the KNMP, as annotated by "
        "ClinPGx (PharmGKB), clinpgx.org; creativecommons.org/licenses/by-sa/4.0; "
        "what is taken from it here is shared alike",
        "FDA Label": "US Food and Drug Administration, drug labels",
        "FDA Assoc": "US Food and Drug Administration, Table of Pharmacogenetic "
        "Associations",
    }
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """A source's name, who stands behind it, and its licence as its file states it.

    `guidelines` and `advice` are the versions of its two files.
    """

    source: Source
    by: str
    guidelines: str
    advice: str
    licence: str


@cache
def attributions() -> tuple[Attribution, ...]:
    """One per source of advice, in their order."""
    return tuple(
        Attribution(
            one,
            _BY[one],
            *tables()[one].versions,
            licence=head(text(FILES[one]))["licence"],
        )
        for one in SOURCES
    )
