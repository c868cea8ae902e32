"""Which medicines inhibit or induce an enzyme, how strongly, and by which source."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, cast, get_args

from backend.twin.pharmacogenomics.drugs import Drug, drugs

Effect = Literal["inhibitor", "inducer"]
Strength = Literal["weak", "moderate", "strong"]
STRENGTHS = get_args(Strength)  # weakest first


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of a medicine's effect on an enzyme.

    `is_verified`: the class was read at its source. `note` is a condition on it.
    """

    enzyme: str
    drug: str
    effect: Effect
    strength: Strength
    source: str
    is_verified: bool
    note: str


@dataclass(frozen=True, slots=True)
class Action:
    """What a medicine does to an enzyme by all sources, the strictest first.

    That one counts: a strong class that only one source states is not averaged away.
    """

    statements: tuple[Statement, ...]

    @property
    def counts(self) -> Statement:
        """The strictest statement; of two alike the one that was verified."""
        return self.statements[0]

    def words(self) -> str:
        """The class that counts with its source, and every source that differs."""
        counts = self.counts
        said = [f"{counts.strength} {counts.effect} of {counts.enzyme}"]
        said.append(f" ({counts.source}")
        said.append("" if counts.is_verified else "; not verified at its source")
        said.append(f"; {counts.note})" if counts.note else ")")
        for other in self.statements[1:]:
            if other.strength != counts.strength:
                said.append(
                    f"; {other.strength} by {other.source}: the stricter counts"
                )
        return f"{counts.drug}: {''.join(said)}"


def actions(enzyme: str, taken: Iterable[Drug], effect: Effect) -> tuple[Action, ...]:
    """What `taken` does to an enzyme, the strongest first."""
    known = _by_drug()
    found = [
        known[key] for drug in taken if (key := (enzyme, drug.name, effect)) in known
    ]
    return tuple(sorted(found, key=lambda one: -_rank(one.counts)))


def is_at_least(strength: Strength, least: Strength) -> bool:
    """Whether a class is that strong or stronger."""
    return STRENGTHS.index(strength) >= STRENGTHS.index(least)


@cache
def statements() -> tuple[Statement, ...]:
    """Every row of `tables/inhibitors.csv`, read once. Raises ValueError."""
    table = files("backend.twin.tables").joinpath("inhibitors.csv")
    return read_statements(table.read_text(encoding="utf-8"), drugs())


@cache
def _by_drug() -> Mapping[tuple[str, str, Effect], Action]:
    return MappingProxyType(join(statements()))


def join(rows: Sequence[Statement]) -> dict[tuple[str, str, Effect], Action]:
    """Rows of one enzyme, medicine and effect together, the strictest first."""
    found: dict[tuple[str, str, Effect], list[Statement]] = {}
    for row in rows:
        found.setdefault((row.enzyme, row.drug, row.effect), []).append(row)
    return {
        key: Action(
            tuple(sorted(said, key=lambda one: (-_rank(one), not one.is_verified)))
        )
        for key, said in found.items()
    }


def read_statements(text: str, known: Mapping[str, Drug]) -> tuple[Statement, ...]:
    """Rows out of CSV text; lines that begin with # are its head.

    Raises ValueError, naming the row, on an unknown medicine, class or word, a row
    without a source, or the same statement of one source twice.
    """
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    made: dict[tuple[str, ...], Statement] = {}
    for row in csv.DictReader(lines):
        key = (
            row["enzyme"],
            row["drug"],
            row["effect"],
            row["strength"],
            row["source"],
        )
        _check(row, known)
        if key in made:
            raise ValueError(f"inhibitors.csv: {row['drug']} comes twice")
        made[key] = Statement(
            enzyme=row["enzyme"],
            drug=row["drug"],
            effect=cast(Effect, row["effect"]),
            strength=cast(Strength, row["strength"]),
            source=row["source"],
            is_verified=row["verified"] == "yes",
            note=row["note"],
        )
    return tuple(made.values())


def _check(row: Mapping[str, str], known: Mapping[str, Drug]) -> None:
    wrong = {
        "is no known medicine": row["drug"] not in known,
        "has no such effect": row["effect"] not in get_args(Effect),
        "has no such strength": row["strength"] not in STRENGTHS,
        "has no source": not row["source"],
        "is verified or not: yes or no": row["verified"] not in {"yes", "no"},
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(f"inhibitors.csv: {row['drug']} {why}")


def _rank(said: Statement) -> int:
    return STRENGTHS.index(said.strength)
