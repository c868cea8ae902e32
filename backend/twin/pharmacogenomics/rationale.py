"""Why a source says what it says, in our own words made from coded facts.

A row names its sentences by code; this fills in its numbers. No guideline's sentence is
kept anywhere: the words are those of `tables/advice/words.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from backend.twin.pharmacogenomics.advice_table import Guideline, Row
from backend.twin.pharmacogenomics.gene_result import NO_RESULT, GeneResult

Words = Mapping[str, Mapping[str, str]]
_PARTS = MappingProxyType(
    {
        "start": "starting dose",
        "maintenance": "maintenance dose",
        "start and maintenance": "starting and maintenance dose",
        "maximum": "maximum dose",
    }
)
_AGE = re.compile(r"^(?:adults )?(under|from) (\d+) years")


@cache
def words() -> Words:
    """The vocabulary of `tables/advice/words.toml`: "because" and "steps" by code."""
    place = files("backend.twin.tables").joinpath("advice", "words.toml")
    table = tomllib.loads(place.read_text(encoding="utf-8"))
    return MappingProxyType({name: table[name] for name in ("because", "steps")})


@cache
def of_row(row: Row, limit: str | None) -> str:
    """What a row says and why; `limit` is its limit as far as it is the person's."""
    facts = {
        "part": _PARTS.get(row.part, "dose"),
        "percent": percent(row),
        "limit": limit,
        "away": _away(row),
        "instead": _instead(row),
    }
    said = [words()["because"][code] for code in row.because]
    said += [words()["steps"][code].format_map(facts) for code in row.steps]
    return " ".join(said)


def percent(row: Row) -> str:
    """The dose factor in percent of the usual dose ("75", "50 to 75")."""
    ends = [one for one in (row.factor, row.factor_to) if one is not None]
    return " to ".join(f"{100 * one:.0f}" for one in ends)


def limit_at(limit: str | None, age_years: int | None) -> str | None:
    """The parts of a limit that may hold at that age; all of them if it is unknown."""
    if limit is None or age_years is None:
        return limit
    parts = [one for one in limit.split("; ") if _holds(one, age_years)]
    return "; ".join(parts) or None


def on_keys(genes: Mapping[str, str], guideline: Guideline) -> Iterator[str]:
    """What is missing among the keys, and which part of a label names the gene."""
    for gene, key in genes.items():
        if key == NO_RESULT:
            yield f"{gene}: no result; that is neither normal nor negative."
    if guideline.note:
        yield f"FDA lists the gene in the label's section(s): {guideline.note}."


def on_medication(result: GeneResult, key: str, alone: str | None) -> str:
    """What current medication does to a gene, and which of two keys counts.

    `alone`: the key by the genes, None where medication leaves it as it is.
    """
    why = "; ".join(result.adjusted_because)
    if alone is None:
        return f"Current medication and {result.gene}: {why}."
    return (
        f"{result.gene} counts as {key} under current medication ({why}); "
        f"by the genes alone it is {alone}."
    )


def without_row(guideline: Guideline, genes: Mapping[str, str]) -> str:
    """Where a guideline says nothing on those keys, or no gene was called."""
    if set(genes.values()) == {NO_RESULT}:
        return f"{guideline.source} cannot be asked without a result."
    if guideline.source == "FDA Assoc":
        return "FDA's table lists the pair, and not for this result."
    return f"{guideline.source} makes no statement on this result."


def without_guideline(source: str, medication: str) -> str:
    """Where the tables have nothing of a source on a medicine, whatever the gene."""
    return f"The tables hold no statement of {source} on {medication} and a gene."


def _holds(part: str, age_years: int) -> bool:
    found = _AGE.match(part)
    if found is None:
        return True
    side, years = found.groups()
    return (age_years < int(years)) == (side == "under")


def _away(row: Row) -> str:
    if not row.away_from:
        return ""
    return f" Prefer one that does not depend on {' or '.join(row.away_from)}."


def _instead(row: Row) -> str:
    return f" Examples: {', '.join(row.instead)}." if row.instead else ""
