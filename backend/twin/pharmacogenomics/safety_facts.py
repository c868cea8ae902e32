"""What is known of a person for the safety rules, and what a rule may ask of it.

Each question is answered yes, no, or None: not known. What is not known is never taken
for a no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.twin.pharmacogenomics.drugs import Drug
from backend.twin.pharmacogenomics.gene_result import (
    INDETERMINATE,
    NO_RESULT,
    GeneResult,
)
from backend.twin.pharmacogenomics.inhibitors import (
    Effect,
    Strength,
    actions,
    is_at_least,
)
from backend.twin.pharmacogenomics.population import Population


@dataclass(frozen=True, slots=True)
class Facts:
    """One medicine for one person. `others`: other medicines taken, None if unknown.

    `conditions` says of each concept whether it is there; those it leaves out are not
    known.
    """

    drug: Drug
    genes: Sequence[GeneResult]
    population: Population
    conditions: Mapping[str, bool]
    others: tuple[Drug, ...] | None


class Question(Protocol):
    """Something a rule asks of the facts."""

    def holds(self, facts: Facts) -> bool | None:
        """Yes, no, or None where it is not known."""

    def wanted(self) -> str:
        """What would have to be known, in words."""

    @property
    def unless_known(self) -> bool:
        """Whether the rule counts in full for as long as this is not known."""


@dataclass(frozen=True, slots=True)
class GeneIs:
    """One of these phenotypes or HLA statuses, by genes or by current medication."""

    gene: str
    values: tuple[str, ...]
    unless_known: bool = False

    def holds(self, facts: Facts) -> bool | None:
        """Yes where any possible result has it, however ambiguous the call."""
        found = {
            value
            for one in facts.genes
            if one.gene == self.gene
            for value in (one.phenotype, one.adjusted_phenotype, *one.statuses)
        }
        if found.intersection(self.values):
            return True
        if self._is_presence():
            no = {value.replace("positive", "negative") for value in self.values}
            return False if no <= found and not self._is_typed(facts) else None
        known = found - {None}
        return None if not known or known & {INDETERMINATE, NO_RESULT} else False

    def wanted(self) -> str:
        """The test's name."""
        alleles = {value.split()[0] for value in self.values if self._is_presence()}
        return f"a result for {self.gene}{', '.join(sorted(alleles))}"

    def _is_typed(self, facts: Facts) -> bool:
        """Whether the alleles have it, whatever the laboratory says beside them."""
        typed = {
            name
            for one in facts.genes
            if one.gene == self.gene
            for candidate in one.candidates
            for name in candidate.split("/")
        }
        return any(value.split()[0] in typed for value in self.values)

    def _is_presence(self) -> bool:
        return self.values[0].endswith(" positive")


@dataclass(frozen=True, slots=True)
class Has:
    """Any of these concepts; `words` say what they are."""

    concepts: tuple[str, ...]
    words: str
    unless_known: bool = False

    def holds(self, facts: Facts) -> bool | None:
        """Yes where one is there, no where each is known to be absent."""
        said = [facts.conditions.get(one) for one in self.concepts]
        return True if any(said) else (None if None in said else False)

    def wanted(self) -> str:
        """What to ask for."""
        return f"whether there is {self.words}"


@dataclass(frozen=True, slots=True)
class AgeIs:
    """At least `least` and below `below`, whole years."""

    least: int = 0
    below: int = 200
    unless_known: bool = False

    def holds(self, facts: Facts) -> bool | None:
        """By age in whole years."""
        age = facts.population.age_years
        return None if age is None else self.least <= age < self.below

    def wanted(self) -> str:
        """What to ask for."""
        return "the age"


@dataclass(frozen=True, slots=True)
class Takes:
    """Any of these medicines or classes ("@nsaid") beside the one asked about."""

    selectors: tuple[str, ...]
    unless_known: bool = False

    def holds(self, facts: Facts) -> bool | None:
        """By the list of current medicines."""
        if facts.others is None:
            return None
        return any(one.is_one_of(self.selectors) for one in facts.others)

    def wanted(self) -> str:
        """What to ask for."""
        return "the current medication"


@dataclass(frozen=True, slots=True)
class TakesThat:
    """A medicine that inhibits or induces `enzyme`, of class `least` or stronger."""

    enzyme: str
    effect: Effect
    least: Strength
    unless_known: bool = False

    def holds(self, facts: Facts) -> bool | None:
        """By the table of inhibitors and inducers, whether its class was verified."""
        if facts.others is None:
            return None
        found = actions(self.enzyme, facts.others, self.effect)
        return any(is_at_least(one.counts.strength, self.least) for one in found)

    def wanted(self) -> str:
        """What to ask for."""
        return "the current medication"


@dataclass(frozen=True, slots=True)
class Used:
    """Earlier use of the medicine of that kind, or of any other one (`but`)."""

    kind: str
    but: bool = False

    @property
    def unless_known(self) -> bool:
        """Use that nobody speaks of may be a first one: the rule counts in full."""
        return self.but

    def holds(self, facts: Facts) -> bool | None:
        """By what is known of earlier use."""
        used = facts.population.used(facts.drug.name)
        if used is None:
            return None if self.but else False
        return (used == self.kind) != self.but

    def wanted(self) -> str:
        """What to ask for."""
        return "whether it was taken for over 3 months before"
