"""Which condition a diagnosis code stands for: mental illness, and what bars a drug.

Rows are tried in the table's order: the finer one stands above the coarser. A code that
no row matches is unknown, never "healthy". Some codes say by themselves where the
illness stands: in remission, or a thing of the past.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from importlib.resources import files
from typing import Literal, cast, get_args

ICD_10_CM = "icd-10-cm"
SNOMED = "snomed"

# Three to seven characters without the dot; the third may be a letter (C4A, O9A).
_ICD_CODE = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")
# The seventh character S of injuries and their causes: what is left of an old one.
_SEQUELA = re.compile(r"[STX][0-9A-Z]{5}S")

Stage = Literal["", "remission", "history"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Codes of `system` that `matches` finds, without the dot, mean `concept`.

    `stage` is what the code says of its state; empty where it says nothing.
    """

    system: str
    matches: re.Pattern[str]
    concept: str
    stage: Stage


def concept_of(system: str, code: str) -> str | None:
    """The concept's key; None where the table knows none.

    `system` is ICD_10_CM or SNOMED. ICD-10-CM counts with and without its dot.
    """
    rule = _rule(system, _plain(system, code))
    return rule.concept if rule else None


def stage_of(system: str, code: str) -> Stage:
    """Whether the code itself says remission, or history; empty where neither.

    Full and partial remission are one stage. Asks of codes that have a concept.
    """
    plain = _plain(system, code)
    rule = _rule(system, plain)
    if rule is None:
        return ""
    is_sequela = system == ICD_10_CM and _SEQUELA.fullmatch(plain)
    return "history" if is_sequela else rule.stage


def _plain(system: str, code: str) -> str:
    return code.replace(".", "").upper() if system == ICD_10_CM else code


def _rule(system: str, plain: str) -> Rule | None:
    if system == ICD_10_CM and not _ICD_CODE.fullmatch(plain):
        return None
    found = (rule for rule in rules() if rule.system == system)
    return next((rule for rule in found if rule.matches.fullmatch(plain)), None)


@cache
def rules() -> Sequence[Rule]:
    """Every row of `tables/conditions.csv` in its order, read once.

    Raises ValueError on a row that no code can reach, naming it.
    """
    table = files("backend.twin.tables").joinpath("conditions.csv")
    return read_rules(table.read_text(encoding="utf-8"))


def read_rules(text: str) -> tuple[Rule, ...]:
    """Rules out of CSV text: system, code (`*`, `?` and `[1-4]` as in file names).

    Raises ValueError on an unknown system or stage or a code that comes twice.
    """
    found: dict[tuple[str, str], Rule] = {}
    for row in csv.DictReader(text.splitlines()):
        system, code = row["system"], row["code"]
        if system not in {ICD_10_CM, SNOMED}:
            raise ValueError(f"conditions.csv: {system} is no known system")
        if (system, code) in found:
            raise ValueError(f"conditions.csv: {code} comes twice")
        if row["stage"] not in get_args(Stage):
            raise ValueError(f"conditions.csv: {code} has no such stage")
        pattern = re.compile(translate(code.replace(".", "")))
        stage = cast(Stage, row["stage"])
        found[system, code] = Rule(system, pattern, row["concept"], stage)
    return tuple(found.values())
