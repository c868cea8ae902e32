"""Which condition a diagnosis code stands for: mental illness, and what bars a drug.

Rows are tried in the table's order: the finer one stands above the coarser. A code that
no row matches is unknown, never "healthy".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from importlib.resources import files

ICD_10_CM = "icd-10-cm"
SNOMED = "snomed"

# Three to seven characters without the dot; the third may be a letter (C4A, O9A).
_ICD_CODE = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")


@dataclass(frozen=True, slots=True)
class Rule:
    """Codes of `system` that `matches` finds, without the dot, mean `concept`."""

    system: str
    matches: re.Pattern[str]
    concept: str


def concept_of(system: str, code: str) -> str | None:
    """The concept's key; None where the table knows none.

    `system` is ICD_10_CM or SNOMED. ICD-10-CM counts with and without its dot.
    """
    plain = code.replace(".", "").upper() if system == ICD_10_CM else code
    if system == ICD_10_CM and not _ICD_CODE.fullmatch(plain):
        return None
    return next(
        (
            rule.concept
            for rule in rules()
            if rule.system == system and rule.matches.fullmatch(plain)
        ),
        None,
    )


@cache
def rules() -> Sequence[Rule]:
    """Every row of `tables/conditions.csv` in its order, read once.

    Raises ValueError on a row that no code can reach, naming it.
    """
    table = files("backend.twin.tables").joinpath("conditions.csv")
    return read_rules(table.read_text(encoding="utf-8"))


def read_rules(text: str) -> tuple[Rule, ...]:
    """Rules out of CSV text: system, code (`*`, `?` and `[1-4]` as in file names).

    Raises ValueError on an unknown system or a code that comes twice, naming it.
    """
    found: dict[tuple[str, str], Rule] = {}
    for row in csv.DictReader(text.splitlines()):
        system, code = row["system"], row["code"]
        if system not in {ICD_10_CM, SNOMED}:
            raise ValueError(f"conditions.csv: {system} is no known system")
        if (system, code) in found:
            raise ValueError(f"conditions.csv: {code} comes twice")
        pattern = re.compile(translate(code.replace(".", "")))
        found[system, code] = Rule(system, pattern, row["concept"])
    return tuple(found.values())
