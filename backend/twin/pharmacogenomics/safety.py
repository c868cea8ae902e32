"""Hard stops, cautions and checks of a medicine, before any score is looked at.

One matcher for every row of `tables/safety.toml`. What a row asks and nobody knows is
named: it is never taken for an absence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.twin.pharmacogenomics.drugs import Drug, find_drugs, sort_out
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.safety_facts import Facts
from backend.twin.pharmacogenomics.safety_table import (
    SafetyRule,
    Severity,
    rules_about,
)

_GRAVEST_FIRST = ("stop", "caution", "monitor")
# A state that the first needs: without the second there is no first, and with the
# first there is the second.
_NEEDS_STATE = {"pregnancy": "child-bearing-potential", "severe-kidney": "kidney"}
_OWN = "the list of medicines that this service knows"


@dataclass(frozen=True, slots=True)
class Stop:
    """What must be heeded before a medicine is given.

    `severity`: "stop" is do not use, "caution" only under the limit or change that is
    named, "monitor" something to measure or ask for. `needs`: what is not known and
    would decide. `code` is the row's.
    """

    drug: str
    code: str
    severity: Severity
    text: str
    needs: tuple[str, ...]
    source: str


def stops(
    drug: str,
    *,
    genotype: Sequence[GeneResult],
    population: Population,
    conditions: Mapping[str, bool],
    current: Sequence[str] | None,
) -> tuple[Stop, ...]:
    """Everything to heed about `drug` (a name or code), the gravest first.

    `genotype`: results, adjusted for current medication. `conditions`: by concept of
    the table of conditions, or another one that the safety table asks for, whether it
    is there. `current`: names or codes; None where nobody knows what is taken.
    """
    found = find_drugs(drug)
    if not found:
        return (_unchecked(drug, drug),)
    taken, unknown = sort_out(current or ())
    said = [_unchecked(drug, name) for name in unknown]
    for one in found:
        facts = Facts(
            drug=one,
            genes=genotype,
            population=population,
            conditions=_states(conditions, population),
            others=None if current is None else _without(taken, one),
        )
        said += _said(facts)
    return tuple(sorted(said, key=lambda one: _GRAVEST_FIRST.index(one.severity)))


def _said(facts: Facts) -> list[Stop]:
    """Of the medicine beside the others, and of each other with it added, by row."""
    found = [_match(rule, facts) for rule in rules_about(facts.drug)]
    for other in facts.others or ():
        turned = replace(facts, drug=other, others=(facts.drug,))
        found += [_match(one, turned) for one in rules_about(other) if one.both_ways]
    said = {one.code: replace(one, drug=facts.drug.name) for one in found if one}
    return list(said.values())


def _match(rule: SafetyRule, facts: Facts) -> Stop | None:
    answers = [(question, question.holds(facts)) for question in rule.when]
    if any(answer is False for _, answer in answers):
        return None
    open_ones = [question for question, answer in answers if answer is None]
    needs = tuple(dict.fromkeys(question.wanted() for question in open_ones))
    is_full = all(question.unless_known for question in open_ones)
    return Stop(
        drug=facts.drug.name,
        code=rule.code,
        severity=rule.severity if is_full else rule.unknown,
        text=rule.text if is_full else f"Not known: {'; '.join(needs)}. {rule.text}",
        needs=needs,
        source=rule.source,
    )


def _states(conditions: Mapping[str, bool], population: Population) -> dict[str, bool]:
    """Conditions and what the population says of them, with what follows."""
    told = {
        "pregnancy": population.pregnant,
        "child-bearing-potential": population.child_bearing_potential,
    }
    made = dict(conditions)
    for key, one in told.items():
        if one is not None:
            made[key] = one or made.get(key, False)
    for first, needed in _NEEDS_STATE.items():
        if made.get(first):
            made[needed] = True
        elif made.get(needed) is False:
            made.setdefault(first, False)
    return made


def _without(taken: Sequence[Drug], drug: Drug) -> tuple[Drug, ...]:
    return tuple(one for one in taken if one != drug)


def _unchecked(drug: str, name: str) -> Stop:
    """A medicine that no table knows: nothing of it was checked."""
    return Stop(
        drug=drug,
        code="medicine-not-known",
        severity="caution",
        text=f"{name} is not known here: nothing of it was checked.",
        needs=(f"what {name} is",),
        source=_OWN,
    )
