"""Rows of advice and the guidelines they stand in, read from `tables/advice/`.

Four sources, two files each: the guidelines (which medicines, by which genes, number
and version) and their rows. A row holds sets of keys, so one row answers many cells; a
cell is one medicine, one key per gene and one population, and has exactly one row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Literal, get_args

Source = Literal["CPIC", "DPWG", "FDA Label", "FDA Assoc"]
SOURCES: tuple[Source, ...] = get_args(Source)
Action = Literal[
    "standard_dosing",
    "reduced_dosing",
    "increased_dosing",
    "consider_alternative",
    "careful_monitoring",
    "no_recommendation",
]
Cell = tuple[str, tuple[str, ...], tuple[str, ...], str]  # drug, genes, keys, group
GENERAL = "general"  # the population of a guideline that tells none apart
FILES: Mapping[Source, str] = MappingProxyType(
    {
        "CPIC": "cpic",
        "DPWG": "dpwg",
        "FDA Label": "fda_label",
        "FDA Assoc": "fda_associations",
    }
)


@dataclass(frozen=True, slots=True)
class Guideline:
    """One guideline of one source on some medicines, by one or two genes.

    `keys`: those it speaks of; none where they are all that the genes may have, or
    where it gives no advice by any. `number` and `version` as the source (or ClinPGx)
    counts them; `citation`: PubMed ids or where it is published; `strength`: what
    stands where no row speaks; `note`: the label's sections that name the gene.
    """

    source: Source
    drugs: tuple[str, ...]
    genes: tuple[str, ...]
    keys: tuple[str, ...]
    number: str
    version: str
    citation: str
    strength: str
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What a source says for every combination of its drugs, keys and populations.

    `keys`: one set per gene. `strength`: the source's own grade, by drug. `factor`: of
    the usual dose (0.5 is half), up to `factor_to` where the source gives a range, of
    the `part` named (start, maintenance, all), or the share of the usual maximum that
    the limit is. `limit`: value and unit, or a scheme of doses. `away_from`: genes an
    alternative should not depend on; `instead`: alternatives named. `because` and
    `steps`: codes of `words.toml`.
    """

    drugs: tuple[str, ...]
    genes: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    populations: tuple[str, ...]
    action: Action
    dose_change: bool
    alternate_drug: bool
    strength: Mapping[str, str]
    part: str
    factor: float | None
    factor_to: float | None
    limit: str | None
    away_from: tuple[str, ...]
    instead: tuple[str, ...]
    because: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def is_maximum(self) -> bool:
        """Whether it limits the dose; its factor then is no share of a dose to give."""
        return self.part == "maximum"

    @property
    def is_scheme(self) -> bool:
        """Whether its limit is a scheme of doses to go through, no upper bound."""
        return "dose" in self.steps

    def cells(self) -> Iterator[Cell]:
        """Every cell that this row answers."""
        for drug, keys, group in product(
            self.drugs, product(*self.keys), self.populations
        ):
            yield drug, self.genes, keys, group


@dataclass(frozen=True, eq=False)
class Table:
    """One source: its guidelines, its rows, and which row answers which cell.

    `versions`: of the two files, as their heads say, guidelines first.
    """

    source: Source
    guidelines: tuple[Guideline, ...]
    rows: tuple[Row, ...]
    cells: Mapping[Cell, Row]
    versions: tuple[str, str]

    def of(self, drug: str) -> Sequence[Guideline]:
        """The guidelines on that medicine."""
        return self._by_drug.get(drug, ())

    def populations(self, drug: str, genes: tuple[str, ...]) -> Sequence[str]:
        """The groups that a guideline tells apart, in the order of its rows."""
        return self._groups.get((drug, genes), ())

    @cached_property
    def _by_drug(self) -> Mapping[str, Sequence[Guideline]]:
        found: dict[str, list[Guideline]] = {}
        for one in self.guidelines:
            for drug in one.drugs:
                found.setdefault(drug, []).append(one)
        return found

    @cached_property
    def _groups(self) -> Mapping[tuple[str, tuple[str, ...]], Sequence[str]]:
        found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for drug, genes, _, group in self.cells:
            groups_of = found.setdefault((drug, genes), [])
            if group not in groups_of:
                groups_of.append(group)
        return found


@cache
def tables() -> Mapping[Source, Table]:
    """The advice of every source, read once. Raises ValueError as `read_table` does."""
    return MappingProxyType(
        {
            source: read_table(source, text(f"{name}_guidelines"), text(name))
            for source, name in FILES.items()
        }
    )


def text(name: str) -> str:
    """A file of the advice tables by its name, as text."""
    place = files("backend.twin.tables").joinpath("advice", f"{name}.csv")
    return place.read_text(encoding="utf-8")


def read_table(source: Source, guidelines: str, advice: str) -> Table:
    """A source's table out of the text of its two files.

    Raises ValueError if two rows answer one cell, naming it, or a fact is unreadable.
    """
    rows = tuple(_row(fields) for fields in _fields(advice))
    cells: dict[Cell, Row] = {}
    for row in rows:
        for cell in row.cells():
            if cell in cells:
                raise ValueError(f"{source}: two rows answer {cell}")
            cells[cell] = row
    return Table(
        source=source,
        guidelines=tuple(_guideline(source, one) for one in _fields(guidelines)),
        rows=rows,
        cells=MappingProxyType(cells),
        versions=(head(guidelines)["version"], head(advice)["version"]),
    )


def head(content: str) -> dict[str, str]:
    """What a file's first lines say of it: source, version, licence."""
    lines = [line[2:] for line in content.splitlines() if line.startswith("#")]
    pairs = [line.partition(": ") for line in lines]
    return {name: value for name, _, value in pairs if value}


def _fields(content: str) -> list[dict[str, str]]:
    """The rows below the head, by column."""
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def _guideline(source: Source, fields: Mapping[str, str]) -> Guideline:
    return Guideline(
        source=source,
        drugs=_list(fields["drugs"]),
        genes=_list(fields["genes"]),
        keys=_list(fields["keys"]),
        number=fields["id"],
        version=fields["version"],
        citation=fields["citation"] or _page(fields["id"]),
        strength=fields["strength"],
        note=fields["note"],
    )


def _page(number: str) -> str:
    """Where a guideline without a publication of its own is to be read."""
    return f"clinpgx.org/guidelineAnnotation/{number}"


def _row(fields: Mapping[str, str]) -> Row:
    genes, drugs = _list(fields["genes"]), _list(fields["drugs"])
    except_for = dict(one.split("=") for one in _list(fields["strength_except"]))
    if fields["action"] not in get_args(Action):
        raise ValueError(f"no such action: {fields['action']}")
    keys = (fields["keys_1"], fields["keys_2"])
    return Row(
        drugs=drugs,
        genes=genes,
        keys=tuple(_keys(one, g) for one, g in zip(keys, genes, strict=False)),
        populations=_list(fields["populations"]),
        action=fields["action"],  # type: ignore[arg-type] # checked above
        dose_change=fields["dose_change"] == "yes",
        alternate_drug=fields["alternate_drug"] == "yes",
        strength={drug: except_for.get(drug, fields["strength"]) for drug in drugs},
        part=fields["part"],
        factor=_number(fields["factor"]),
        factor_to=_number(fields["factor_to"]),
        limit=fields["limit"] or None,
        away_from=_list(fields["away_from"]),
        instead=_list(fields["instead"]),
        because=_list(fields["because"]),
        steps=_list(fields["steps"]),
    )


def _keys(cell: str, gene: str) -> tuple[str, ...]:
    """Keys of a cell; "@low" stands for the group of that name for the gene."""
    return tuple(
        key
        for word in _list(cell)
        for key in (groups()[(word[1:], gene)] if word.startswith("@") else (word,))
    )


@cache
def groups() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Keys by the name of their group and the gene."""
    return MappingProxyType(
        {
            (one["group"], one["gene"]): _list(one["keys"])
            for one in _fields(text("groups"))
        }
    )


def _list(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(";")) if cell else ()


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
