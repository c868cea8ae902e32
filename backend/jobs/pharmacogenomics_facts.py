"""What a line says of a person beside the calls; a fact that is not read is unknown.

population: age_years, prior_use, alternatives_available, pregnant,
child_bearing_potential, sex, and conditions. conditions: by concept, true or false.
history: severity, episode_months, failures, trials; for the response model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from backend.twin.errors import TwinError
from backend.twin.pharmacogenomics.drugs import find_drugs
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.record_conditions import concepts_asked
from backend.twin.pharmacogenomics.response_inputs import (
    CONDITIONS,
    Person,
    known_conditions,
)

OLDEST = 130  # years
USES = ("naive", "over_3_months")
_FLAGS = ("alternatives_available", "pregnant", "child_bearing_potential")
_SEXES = {"female": True, "male": False}
_POPULATION = frozenset({*_FLAGS, "age_years", "prior_use", "sex"})
# Of the history: the largest that a number can be; severity is a share of a scale.
_MOST = {"severity": 1.0, "episode_months": 12.0 * OLDEST, "failures": 100.0}
Fields = Mapping[str, Any]  # JSON of an unknown shape


class LineRefused(TwinError):
    """A line that cannot be read, by the reason's own `code`; its `id` if known."""

    def __init__(self, code: str, reason: str, id_: str | int | None = None) -> None:
        self.code, self.id = code, id_
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a part of a line: where, by name or place, and why."""

    code: str
    reason: str
    where: str = ""


def unread(where: str) -> Fault:
    """The fault of a fact that means nothing here."""
    return Fault("fact-not-read", "not read: it counts as unknown", where)


def population(fields: Fields, faults: list[Fault]) -> Population:
    """The facts that guidelines and stops ask for; adds what it cannot read."""
    said = _object(fields, "population")
    age = _number(said, "age_years", OLDEST, faults)
    return Population(
        age_years=None if age is None else int(age),
        prior_use=_by_drug(said, "prior_use", USES, faults),
        **{name: _one_of(said, name, (True, False), faults) for name in _FLAGS},
    )


def conditions(fields: Fields, faults: list[Fault]) -> dict[str, bool]:
    """Conditions by concept, "_" for "-", told as conditions or population.

    Adds a fault for each fact that nothing here reads.
    """
    found: dict[str, bool] = {}
    for of in ("conditions", "population"):
        for place, (name, value) in enumerate(_object(fields, of).items()):
            concept = name.replace("_", "-")
            if value is None or (of == "population" and name in _POPULATION):
                continue
            if concept in _concepts() and isinstance(value, bool):
                found[concept] = value or found.get(concept, False)
            else:
                faults.append(unread(f"{of}[{place}]"))
    return found


def person(fields: Fields, found: Mapping[str, bool], faults: list[Fault]) -> Person:
    """What the response model asks beside genes and medicines; `found`: conditions."""
    said, who = _object(fields, "history"), _object(fields, "population")
    numbers = {name: _number(said, name, most, faults) for name, most in _MOST.items()}
    odd = said.keys() - {*_MOST, "trials"}
    faults += [unread(f"history[{n}]") for n, one in enumerate(said) if one in odd]
    failures, sex = numbers["failures"], _one_of(who, "sex", tuple(_SEXES), faults)
    return Person(
        age_years=_number(who, "age_years", OLDEST, []),
        female=_SEXES.get(sex),
        severity=numbers["severity"],
        episode_months=numbers["episode_months"],
        failures=None if failures is None else int(failures),
        conditions=known_conditions(found),
        trials=(
            _by_drug(said, "trials", (True, False), faults)
            if said.get("trials") is not None
            else None
        ),
    )


@cache
def _concepts() -> frozenset[str]:
    """Of the safety rules and of the response model."""
    return concepts_asked() | {one for some in CONDITIONS.values() for one in some}


def _object(fields: Fields, name: str) -> Fields:
    said = fields.get(name)
    if said is not None and not isinstance(said, dict):
        raise LineRefused("malformed", f"{name} is no JSON object")
    return said or {}


def _number(
    said: Fields, name: str, most: float, faults: list[Fault]
) -> int | float | None:
    value: Any = said.get(name)
    if type(value) in (int, float) and 0 <= value <= most:  # True is no number
        known: int | float = value
        return known
    if value is not None:
        faults.append(unread(name))
    return None


def _one_of(
    said: Fields, name: str, values: tuple[Any, ...], faults: list[Fault]
) -> Any:  # JSON: one of `values`, or None
    value = said.get(name)
    if value is None or _is_in(value, values):
        return value
    faults.append(unread(name))
    return None


def _by_drug(
    said: Fields, name: str, values: tuple[Any, ...], faults: list[Fault]
) -> dict[str, Any]:
    """By the catalogue's name of each medicine, one of `values`.

    What two names of one medicine say differently is not known.
    """
    told = said.get(name)
    if told is not None and not isinstance(told, dict):
        faults.append(unread(name))
        return {}
    found: dict[str, list[Any]] = {}
    for place, (text, value) in enumerate((told or {}).items()):
        behind = find_drugs(text)
        if behind and _is_in(value, values):
            for drug in behind:
                found.setdefault(drug.name, []).append(value)
        elif value is not None:
            faults.append(unread(f"{name}[{place}]"))
    agreed = {drug: said[0] for drug, said in found.items() if len({*said}) == 1}
    faults += [unread(name)] * (len(found) - len(agreed))
    return agreed


def _is_in(value: Any, values: tuple[Any, ...]) -> bool:
    """Without taking 1 for True."""
    return any(value == one and type(value) is type(one) for one in values)
