"""Activity scores: the sum of two alleles' activity values, open-ended ones included.

No unit: 1 is the activity of one normal copy of the gene. "≥3.0" is at least three,
from a laboratory that counted no further. Source: CPIC's consensus on CYP2D6, Caudle et
al. 2020, doi:10.1111/cts.12692; CYP2C9: Karnes et al. 2021, doi:10.1002/cpt.2008.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.twin.pharmacogenomics.gene_result import NOT_SCORED

_SCORE = re.compile(r"(?P<open>(?:≥|>=) ?)?(?P<value>\d{1,2}(?:\.\d{1,4})?)")


@dataclass(frozen=True, slots=True)
class Score:
    """A score or value, and whether it is the least of what it may be."""

    value: float
    is_open: bool = False

    def __add__(self, other: Score) -> Score:
        return Score(self.value + other.value, self.is_open or other.is_open)

    def __str__(self) -> str:
        return f"{'≥' * self.is_open}{self.value}"


def read_score(text: str) -> Score | None:
    """A score as written ("1", "1.25", "≥3.0", ">= 3"); None if it is none."""
    found = _SCORE.fullmatch(text.strip())
    return Score(float(found["value"]), bool(found["open"])) if found else None


def total(one: str, other: str) -> str:
    """The sum of two values in the tables' spelling; "n/a" where one has none."""
    first, second = read_score(one), read_score(other)
    return NOT_SCORED if first is None or second is None else str(first + second)


def nearest_key(score: Score, keys: tuple[str, ...]) -> str | None:
    """The table's key of that score, or the highest open-ended one it lies within.

    None where no key holds it: nothing is rounded.
    """
    if str(score) in keys:
        return str(score)
    known = (read_score(key) for key in keys if key != NOT_SCORED)
    within = [one for one in known if one and one.is_open and one.value <= score.value]
    return str(max(within, key=lambda one: one.value)) if within else None
