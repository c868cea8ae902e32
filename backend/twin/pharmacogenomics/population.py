"""Which of a guideline's patient groups someone may belong to.

What is not known of a person rules nothing out: every group that may be theirs gets its
line of advice, so an unknown is shown and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

ADULT = 18  # years; the line between the paediatric and the adult groups of CPIC
_NOTHING: Mapping[str, str] = MappingProxyType({})
# one substance under two names: earlier use of either is earlier use of both
_SAME = MappingProxyType({"fosphenytoin": "phenytoin", "phenytoin": "fosphenytoin"})


@dataclass(frozen=True, slots=True)
class Population:
    """What is known of a person beside the genes; None (or no entry) is unknown.

    `age_years`: whole years. `prior_use`: by medication, "naive" (never taken) or
    "over_3_months" (taken that long without a skin reaction). `alternatives_available`:
    whether another medicine could be used at all. `pregnant`,
    `child_bearing_potential`: for the stops.
    """

    age_years: int | None = None
    prior_use: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    alternatives_available: bool | None = None
    pregnant: bool | None = None
    child_bearing_potential: bool | None = None

    def used(self, medication: str) -> str | None:
        """What is known of earlier use of a medication; None where nothing is."""
        other = _SAME.get(medication, medication)
        return self.prior_use.get(medication) or self.prior_use.get(other)


def fitting(
    names: Sequence[str], population: Population, medication: str
) -> tuple[str, ...]:
    """Those of a guideline's groups, as it names them, that the person may be in.

    One that the known facts exclude is left out; with nothing known, all remain.
    """
    return tuple(
        name
        for name in names
        if _fits_age(name, population)
        and _fits_use(name, population.used(medication))
        and _fits_choice(name, names, population)
    )


def _fits_age(name: str, population: Population) -> bool:
    age = population.age_years
    if age is None or name not in ("adults", "pediatrics"):
        return True
    return (name == "adults") == (age >= ADULT)


def _fits_use(name: str, used: str | None) -> bool:
    """CPIC's groups of those without alternatives are of people new to the drug."""
    if used is None or name in ("general", "adults", "pediatrics"):
        return True
    expected = "over_3_months" if ">3" in name else "naive"
    return used not in ("naive", "over_3_months") or used == expected


def _fits_choice(name: str, names: Sequence[str], known: Population) -> bool:
    """Whether there is an alternative splits only those new to the drug."""
    split = any(one.endswith("no alternatives") for one in names)
    if known.alternatives_available is None or not split or ">3" in name:
        return True
    return name.endswith("no alternatives") != known.alternatives_available
