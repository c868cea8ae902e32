"""Forms whose items are Observations of their own: added up where no total is stated.

A panel that only points at its members (hasMember) makes a form of them. Where all
items of a questionnaire are among them, answered at one moment, and no total of it is
stated on that day or among the members, the total is added up; its source is the panel.
A total that is stated and refused counts as stated. Items without a panel are never
added up: nobody says that they belong together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import NamedTuple

from backend.twin.record import Reason, Refusal
from backend.twin.scales import Scale, scale
from fhir_integration.codes import FHIR_ID, ITEMS
from fhir_integration.concept_map import translated
from fhir_integration.dispatch import Context, ReadResource, Result
from fhir_integration.instruments import Instrument, Part, dicts, instrument
from fhir_integration.items import totals_of
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import Answer, Reading, when
from fhir_integration.scoring import Scores, Sourced
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment

# What a refusal says where no total of this patient's is stated.
_NOT_STATED = frozenset(
    {Reason.NO_VALUE, Reason.UNKNOWN_CODE, Reason.WRONG_TYPE, Reason.WRONG_VERSION}
)
_UNKNOWN: tuple[Result, ...] = (Refused(Reason.UNKNOWN_CODE),)
_Days = Mapping[str, set[date]]  # scale's key -> days with a stated total


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel's own reference, and the identities of the Observations it points at.

    `of` is its instrument; None where that has no safety item, or is unknown.
    """

    source: str
    members: frozenset[str]
    of: Scale | None = None


def panel(resource: Json, source: str, context: Context) -> Panel:
    """The panel that a resource with members is."""
    of = instrument(translated(resource, context.site_codes))
    at = when(resource)
    is_asked = not isinstance(at, Moment) or at.day >= context.since
    asks = isinstance(of, Instrument) and of.scale.safety_item is not None and is_asked
    return Panel(
        source,
        members(resource, context.subject),
        of.scale if asks and isinstance(of, Instrument) else None,
    )


class Withheld(NamedTuple):
    """A total that is stated and was refused: none is added up in its place.

    `day` is None where it cannot be read.
    """

    source: str
    scale: Scale
    day: date | None


def withheld(
    resource: Json, read: ReadResource, context: Context
) -> Iterator[Withheld]:
    """The total that a refused Observation of this patient's states, if it does."""
    first = read.results[0] if read.results else None
    if not isinstance(first, Refused) or first.reason in _NOT_STATED:
        return
    meant = translated(resource, context.site_codes)
    of, at = instrument(meant), when(meant)
    if not isinstance(of, Instrument) or of.part is not Part.TOTAL:
        return
    if of.scale.key in ITEMS and _is_own(meant, context.subject):
        day = at.day if isinstance(at, Moment) else None
        yield Withheld(read.source, of.scale, day)


def _is_own(resource: Json, subject: Subject) -> bool:
    return resource.get("resourceType") == "Observation" and subject.owns(resource)


def unread(
    panels: Iterable[Panel], reads: Iterable[ReadResource], others: Collection[str]
) -> list[Refusal]:
    """Panels with a member that was not sent or not known, and may be a safety item.

    `others` are identities of scores that were read elsewhere.
    """
    own = {read.identity: read.results for read in reads}
    own |= dict.fromkeys(others, ())
    return [
        Refusal(panel.source, Reason.UNKNOWN_CODE, safety=True)
        for panel in panels
        if panel.of is not None and _may_hide(panel.of, panel.members, own)
    ]


def _may_hide(
    of: Scale, members: Iterable[str], own: Mapping[str, tuple[Result, ...]]
) -> bool:
    found = [own.get(name, _UNKNOWN) for name in members]
    if not any(_is_unknown(results) for results in found):
        return False
    return of.is_answer_only or not any(map(_is_safety, chain(*found)))


def _is_unknown(results: tuple[Result, ...]) -> bool:
    return any(
        isinstance(one, Refused) and one.reason is Reason.UNKNOWN_CODE
        for one in results
    )


def _is_safety(found: Result) -> bool:
    return isinstance(found, Reading | Refused) and found.safety


def members(resource: Json, subject: Subject) -> frozenset[str]:
    """Identities of the Observations that a resource points at as its members.

    Those of another server, whose ids are others, by their whole reference.
    """
    stated = (one.get("reference") for one in dicts(resource.get("hasMember")))
    found = (_identity(text, subject) for text in stated if isinstance(text, str))
    return frozenset(name for name in found if name)


def _identity(reference: str, subject: Subject) -> str:
    start, _, own_id = reference.split("/_history/", maxsplit=1)[0].rpartition("/")
    if not start.endswith("Observation") or not FHIR_ID.fullmatch(own_id):
        return ""
    is_ours = start.removesuffix("Observation") in subject.starts
    return f"Observation/{own_id}" if is_ours else reference


def sums(
    panels: Iterable[Panel], reads: Iterable[ReadResource], scores: Scores
) -> tuple[list[Sourced], list[Refusal]]:
    """Totals of complete panels; and the items that no total stands for."""
    told = {key: scores.days(scale(key)) for key in ITEMS}
    named = {key: scores.names(scale(key)) for key in ITEMS}
    answers = {
        read.identity or str(number): read
        for number, read in enumerate(reads)
        if any(map(_item, read.results))
    }
    found: list[Sourced] = []
    used: set[str] = set()
    for panel in sorted(panels, key=lambda one: one.source):
        own = {name: answers[name] for name in panel.members if name in answers}
        totals = [
            total
            for total in _totals(own, told)
            if panel.members.isdisjoint(named[total.scale.key])
        ]
        found += [(panel.source, total) for total in totals]
        used |= own.keys() if totals else set()
    return found, [
        Refusal(read.source, Reason.NO_VALUE)
        for name, read in answers.items()
        if name not in used and not _is_told(read, told)
    ]


def _item(found: Result) -> str:
    """The item's code, of an answer to one; else empty."""
    if isinstance(found, Answer):
        return found.item
    if not isinstance(found, Reading) or not found.safety:
        return ""
    item = found.scale.safety_item
    return "" if item is None else item.code


def _totals(own: Mapping[str, ReadResource], told: _Days) -> Iterator[Reading]:
    results = [result for read in own.values() for result in read.results]
    items = [
        (_item(one), one)
        for one in results
        if isinstance(one, Answer | Reading) and _item(one)
    ]
    moments = {one.moment.utc: one.moment for _, one in items}
    numbers = {item: one.value for item, one in items}
    if len(moments) != 1 or len(numbers) < len(items):
        return
    (at,) = moments.values()
    for key, total in totals_of(numbers).items():
        if at.day not in told[key]:
            yield Reading(scale(key), at, total, safety=False, summed=True)


def _is_told(read: ReadResource, told: _Days) -> bool:
    """True if a total of that day stands for the items; a safety item needs none."""
    return all(
        any(
            result.moment.day in told[key]
            for key, items in ITEMS.items()
            if result.item in items
        )
        for result in read.results
        if isinstance(result, Answer)
    )
