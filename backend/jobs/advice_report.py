"""What the demo prints of advice on medicines: genes, a word on each, whose word."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from backend.jobs import demo
from backend.predictions.stored import NOT_SENT
from backend.predictions.stored_advice import StoredAdvice
from backend.twin.pharmacogenomics.gene_result import NO_RESULT, GeneResult
from backend.twin.pharmacogenomics.recommendation import Recommendation
from backend.twin.pharmacogenomics.response import Response

SHOWN = 3  # patients printed one by one
WIDTH = 78  # columns of running text
_NOTHING_TO_DO = frozenset({"standard_dosing", "no_recommendation"})

Advised = Sequence[tuple[demo.Person, demo.AdviceOutcome]]


class Sent(NamedTuple):
    """What the EHR has to hold, by identifier, of one type of resource."""

    kind: str
    words: str
    titles: dict[UUID, str]


def answers(advised: Advised) -> Iterator[str]:
    """Some patients one by one, the rest counted."""
    if not advised:
        yield "   of nobody's genes is anything known"
    for person, answer in advised[:SHOWN]:
        yield ""
        if isinstance(answer, StoredAdvice):
            yield from _patient(person, answer)
        else:
            yield f"{person.label}: {answer}"
    if len(advised) > SHOWN:
        yield ""
        yield f"and {len(advised) - SHOWN} more patients with genes"
    yield ""


def sent(advised: Advised) -> tuple[Sent, ...]:
    """The implication of each medicine, estimates, proposals, and each conflict."""
    made = (
        Sent("Observation", "implications", {}),
        Sent("Observation", "estimates", {}),
        Sent("Task", "proposals", {}),
        Sent("DetectedIssue", "conflicts", {}),
    )
    implications, estimates, proposals, conflicts = (one.titles for one in made)
    for _, answer in advised:
        if not isinstance(answer, StoredAdvice):
            continue
        for name, identifier in answer.identifiers.items():
            if answer.delivery[identifier] == NOT_SENT:
                continue
            implications[identifier] = name
            if name in _estimated(answer):
                estimates[uuid5(identifier, "response")] = name
            for action in _actions(answer, name):
                own = uuid5(identifier, f"task/{action}")
                proposals[own] = f"{name}: {_plain(action)}"
            if name in (answer.current or ()):
                conflicts[uuid5(identifier, "issue")] = name
    return made


def _estimated(answer: StoredAdvice) -> set[str]:
    """Medicines of which the model's answer is reported."""
    words = answer.report.recommendations
    return {one.medication for one in words if one.response}


def _actions(answer: StoredAdvice, medication: str) -> list[str]:
    """What sources ask to be done, each once."""
    lines = [one for one in answer.report.advice if one.medication == medication]
    actions = dict.fromkeys(one.action for one in lines)
    return [one for one in actions if one not in _NOTHING_TO_DO]


def _patient(person: demo.Person, answer: StoredAdvice) -> Iterator[str]:
    how = "stored answer, equal record and tables" if answer.reused else "computed now"
    yield f"{person.label}, as of {person.as_of} ({how})"
    report = answer.report
    taken = "not known" if answer.current is None else ", ".join(answer.current)
    yield from _wrapped(f"genes: {'; '.join(_genes(report.genes))}", indent=2)
    yield from _wrapped(f"taken: {taken or 'nothing'}", indent=2)
    yield from _wrapped(f"stated: {_stated(demo.STATED)}", indent=2)
    for word in report.recommendations:
        yield from _word(word, answer)
    yield from _wrapped(_ranking(answer), indent=2)
    for use in answer.models:
        yield f"    model {use.model} version {use.version} (sha256 {use.sha256[:12]})"
    for notice in answer.notices:
        yield from _wrapped(f"notice: {notice}", indent=2)
    yield from _wrapped(report.disclaimer, indent=2)


def _stated(illness: demo.Illness) -> str:
    tried = [name for name, helped in (illness.trials or {}).items() if not helped]
    return (
        f"severity {illness.severity or 0:.2f} of the scale, {illness.episode_months} "
        f"months, without response to {', '.join(tried)}"
    )


def _genes(results: Sequence[GeneResult]) -> Iterator[str]:
    for one in results:
        if one.phenotype == NO_RESULT:
            continue
        changed = one.adjusted_phenotype
        because = f", with what is taken {changed}" if changed else ""
        yield f"{one.gene} {one.lookup_diplotype or ''} {one.phenotype}{because}"
    missing = dict.fromkeys(r.gene for r in results if r.phenotype == NO_RESULT)
    if missing:
        yield f"no result of {', '.join(missing)}"


def _word(word: Recommendation, answer: StoredAdvice) -> Iterator[str]:
    """The overall word, each source's own, and what must be heeded or asked."""
    name, made = word.medication, answer.report
    is_taken = " (taken)" if name in (answer.current or ()) else ""
    yield f"  {name}{is_taken}: {_plain(word.action)}, caution {word.caution}"
    by = dict.fromkeys(
        f"{line.source} {_plain(line.action)}"
        for line in made.advice
        if line.medication == name and line.action != "no_recommendation"
    )
    if by:
        yield from _wrapped("; ".join(by), indent=4)
    for stop in made.stops:
        if stop.drug == name and stop.severity != "monitor":
            yield from _wrapped(f"{stop.severity}: {stop.text}", indent=4)
    if word.missing:
        yield from _wrapped(f"no result of {', '.join(word.missing)}", indent=4)
    if word.response:
        yield from _wrapped(f"model: {_estimate(word.response)}", indent=4)
    elif word.withheld and answer.models:
        yield from _wrapped(f"model withheld: {word.withheld}", indent=4)


def _estimate(response: Response) -> str:
    """How probable a response is, how sure that is, and the likeliest side effect."""
    worst = max(response.side_effects, key=lambda one: one.risk)
    return (
        f"response {response.efficacy:.0%}, confidence {response.confidence:.2f}; "
        f"likeliest side effect {_plain(worst.name)} {worst.risk:.0%}"
    )


def _ranking(answer: StoredAdvice) -> str:
    best = answer.report.comparison.optimal_balance
    note = answer.report.comparison.note
    return f"best balance by the model: {best}. {note}." if best else f"{note}."


def _plain(action: str) -> str:
    return action.replace("_", " ")


def _wrapped(said: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        said,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
    )
