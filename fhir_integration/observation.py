"""One Observation, read by its parts: who, what, when, in which state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from backend.twin.record import Reason
from backend.twin.scales import Scale, scale
from fhir_integration import codes
from fhir_integration.instruments import (
    Instrument,
    Part,
    codings,
    dicts,
    hides_answer,
    holds_answers,
    instrument,
    only_points_elsewhere,
    parts,
)
from fhir_integration.items import total_of, totals_of
from fhir_integration.kinds.day_span import day_span
from fhir_integration.kinds.refused import Refused
from fhir_integration.statuses import not_used
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment
from fhir_integration.values import score

_EFFECTIVE = (
    *("effectiveDateTime", "effectiveInstant"),
    *("effectivePeriod", "effectiveTiming"),
)
# Taken back, or never an answer: nothing is lost by refusing it.
_NOTHING_LOST = frozenset(
    {Reason.ENTERED_IN_ERROR, Reason.CANCELLED, Reason.WRONG_TYPE}
)


class Reading(NamedTuple):
    """A usable score. `safety` says that it answers the scale's safety item.

    `summed`: the EHR states no total there; it was added up from a complete set of
    items, and its source is the panel or the form that holds them. A tuple, since one
    is made for every score: a frozen dataclass takes three times as long.
    """

    scale: Scale
    moment: Moment
    value: float
    safety: bool
    summed: bool = False


class Answer(NamedTuple):
    """An item answered on its own: no score until all its siblings are there.

    `item` is its code; `scale` the longest questionnaire that asks it. The answer to a
    safety item is a Reading, and counts among the siblings by its scale's safety item.
    """

    scale: Scale
    moment: Moment
    value: float
    item: str


Result = Reading | Answer | Refused


def when(resource: Json) -> Moment | Reason:
    """Time of the observation: effective[x]; `issued` only where there is none at all.

    A period counts by its end, when the questionnaire looks back from, else by its
    start; a timing by its first event. An effective[x] that states no time (a reason
    for its absence) is NO_DATE: `issued` may be years later. Two of them, or a period
    that ends before it starts, are MALFORMED.
    """
    if sum(key in resource for key in _EFFECTIVE) > 1:
        return Reason.MALFORMED
    for key in ("effectiveDateTime", "effectiveInstant"):
        if key in resource:
            return moment(resource[key])
    if "effectivePeriod" in resource:
        return _of_period(resource["effectivePeriod"])
    if "effectiveTiming" in resource:
        return _of_timing(resource["effectiveTiming"])
    if "issued" not in resource or any(map(_is_effective, resource)):
        return Reason.NO_DATE
    return moment(resource["issued"])


def _of_period(period: object) -> Moment | Reason:
    if not isinstance(period, dict):
        return Reason.MALFORMED
    if "end" not in period:
        return moment(period["start"]) if "start" in period else Reason.NO_DATE
    end = moment(period["end"])
    if isinstance(end, Reason) or "start" not in period:
        return end
    return Reason.MALFORMED if _is_after(period["start"], end) else end


def _is_after(stated: object, end: Moment) -> bool:
    """True for a start later than the end, and for one that is no time at all."""
    start, days = moment(stated), day_span(stated)
    if days is None:
        return True
    if isinstance(start, Moment) and start.instant and end.instant:
        return start.micros > end.micros
    return days[0] > end.day


def _of_timing(timing: object) -> Moment | Reason:
    if not isinstance(timing, dict):
        return Reason.MALFORMED
    events = timing.get("event")
    return moment(events[0]) if isinstance(events, list) and events else Reason.NO_DATE


def _is_effective(key: str) -> bool:
    return key.startswith(("effective", "_effective"))


def readings(
    resource: Json, *, subject: Subject, at: Moment | Reason, until: date
) -> tuple[Result, ...]:
    """What `resource`, whose time is `at`, says: scores, answers, and refusals.

    One result for most; more where components hold a safety item or a panel's total;
    none for a panel that only points at Observations which are read on their own.
    """
    objection = _objection(resource, subject=subject)
    if objection is not None:
        return (Refused(objection, _is_loss(resource, objection, subject=subject)),)
    of = instrument(resource)
    if isinstance(of, Instrument) and _is_alone(resource, of):
        return (_plain(resource, of, at=at, until=until),)
    found = parts(resource, of)
    if not found:
        return _nothing(resource, of)
    if isinstance(at, Reason) or at.day > until:
        reason = at if isinstance(at, Reason) else Reason.IN_FUTURE
        return (Refused(reason, any(x.part is Part.SAFETY for _, x in found)),)
    read = [(inner, read_part(element, inner, at=at)) for element, inner in found]
    if isinstance(of, Instrument) and of.part is Part.PANEL:
        hidden = hides_answer(resource, of, [inner for _, inner in found])
        lost = (Refused(Reason.UNKNOWN_CODE, safety=True),) if hidden else ()
        return (*totalled(read, at=at, of=of.scale), *lost)
    results = tuple(result for _, result in read)
    return (*results, Refused(of)) if isinstance(of, Reason) else results


def _is_alone(resource: Json, of: Instrument) -> bool:
    return "component" not in resource and of.part is not Part.PANEL


def _plain(
    resource: Json, of: Instrument, *, at: Moment | Reason, until: date
) -> Result:
    """The one result of a score or an answer that holds no other: most are such."""
    if isinstance(at, Reason):
        return Refused(at, of.part is Part.SAFETY)
    if at.day > until:
        return Refused(Reason.IN_FUTURE, of.part is Part.SAFETY)
    return read_part(resource, of, at=at)


def read_part(element: Json, inner: Instrument, *, at: Moment) -> Result:
    """The number of one element, in the range of what it is, or why there is none."""
    part = inner.part
    safety = part is Part.SAFETY
    value = score(element, inner.scale, is_answer=part is not Part.TOTAL)
    if isinstance(value, Reason):
        return Refused(value, safety)
    if not inner.has(value):
        return Refused(Reason.OUTSIDE_SCALE, safety)
    value += 0.0  # turns -0.0 into 0.0
    if part is Part.ITEM:
        return Answer(inner.scale, at, value, inner.item)
    return Reading(inner.scale, at, value, safety)


def totalled(
    read: Sequence[tuple[Instrument, Result]], *, at: Moment, of: Scale | None
) -> tuple[Result, ...]:
    """What the parts of one form say together: items give way to the total they make.

    `read`: what each part is, and what it says. Totals and safety items stand as they
    are, unless two totals contradict each other. Of a questionnaire without a stated
    total the items are added up where they are all there, else refused as one. `of` is
    the form's questionnaire where it names one: no other is added up then.
    """
    twice = _told_twice(read)
    said = [
        Refused(Reason.MALFORMED) if result in twice else result
        for inner, result in read
        if inner.part is not Part.ITEM
    ]
    stated = {inner.scale.key for inner, result in read if _states_total(inner, result)}
    numbers = _numbers(read)
    sums = totals_of(numbers)
    if of is not None:
        total = total_of(numbers, of)
        sums = {} if total is None else {of.key: total}
    said += [
        Reading(scale(key), at, total, safety=False, summed=True)
        for key, total in sums.items()
        if key not in stated
    ]
    used = {item for key in stated | set(sums) for item in codes.ITEMS.get(key, ())}
    left = [
        result
        for inner, result in read
        if inner.part is Part.ITEM and inner.item not in used
    ]
    return (*said, *_left_over(left))


def _told_twice(read: Sequence[tuple[Instrument, Result]]) -> list[Result]:
    """Totals that another total of the same questionnaire contradicts."""
    totals = [x for of, x in read if of.part is Part.TOTAL and isinstance(x, Reading)]
    return [
        one
        for one in totals
        if any(one.scale == x.scale and one.value != x.value for x in totals)
    ]


def _states_total(inner: Instrument, result: Result) -> bool:
    """True for a total that is there, even where it cannot be read."""
    is_absent = isinstance(result, Refused) and result.reason is Reason.NO_VALUE
    return inner.part is Part.TOTAL and not is_absent


def _numbers(read: Sequence[tuple[Instrument, Result]]) -> dict[str, float]:
    """The answers by their items' codes; an item with two answers has none."""
    found: dict[str, set[float]] = defaultdict(set)
    for inner, result in read:
        if inner.item and not isinstance(result, Refused):
            found[inner.item].add(result.value)
    return {item: values.pop() for item, values in found.items() if len(values) == 1}


def _left_over(items: list[Result]) -> list[Refused]:
    """One refusal for items that make no total: what is wrong, or one is missing."""
    if not items:
        return []
    wrong = [item.reason for item in items if isinstance(item, Refused)]
    return [Refused(wrong[0] if wrong else Reason.NO_VALUE)]


def _nothing(resource: Json, of: Instrument | Reason) -> tuple[Result, ...]:
    """The results of a resource in which no part is known."""
    if isinstance(of, Reason):
        return (Refused(of),)
    if not resource.get("component") and only_points_elsewhere(resource):
        return ()
    return (Refused(Reason.UNKNOWN_CODE, holds_answers(resource)),)


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    if resource.get("resourceType") != "Observation" or is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    reason = not_used(resource.get("status"))
    if reason is not None:
        return reason
    if not subject.owns(resource):
        return Reason.WRONG_PATIENT
    return None


def _is_loss(resource: Json, objection: Reason, *, subject: Subject) -> bool:
    """True if an answer of this patient's to a safety item goes with the resource."""
    if objection in _NOTHING_LOST or subject.is_another(resource):
        return False
    return holds_answers(resource)


def is_assertion_of_ai(resource: Json) -> bool:
    """True for what a model wrote, ours or another's: never read as a measurement."""
    meta = resource.get("meta")
    if isinstance(meta, dict) and "security" in meta:
        labels = dicts(meta["security"])
        if any(label.get("code") == codes.AI_LABEL["code"] for label in labels):
            return True
    return codes.FORECAST in [coding.get("system") for coding in codings(resource)]
