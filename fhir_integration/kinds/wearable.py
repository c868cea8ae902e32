"""Observations of a watch, a ring or a bedside monitor: values of body signals."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

from backend.twin.measures import Measure, Window, by_code
from backend.twin.record import Reason
from fhir_integration.codes import canonical
from fhir_integration.instruments import dicts
from fhir_integration.kinds.modified import is_modified
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.sampled import is_crowded, sampled
from fhir_integration.kinds.spans import Span, span_of
from fhir_integration.numbers import finite
from fhir_integration.observation import is_assertion_of_ai
from fhir_integration.statuses import not_used
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.ucum import in_unit
from fhir_integration.values import unusable

# R4's profile of vital signs wants the broad code beside any narrower one.
_NARROW, _BROAD = "resting-heart-rate", "heart-rate"
_ROUNDING = 1.05


class Sample(NamedTuple):
    """One value in the measure's unit; the columns of a `Stream`, one row of them.

    `start` is seconds since 1970 UTC, `seconds` the length of the window (0 for a
    moment), `day` the local day since 1970 on which it counts, `offset` minutes east of
    UTC, `fraction` microseconds beyond `start`. A tuple, since a SampledData makes
    thousands.
    """

    measure: Measure
    start: int
    seconds: float
    day: int
    offset: int
    value: float
    source: str
    fraction: int = 0


def measure_of(element: Json) -> Measure | None:
    """The measure that an Observation's or a component's code names; None if none does.

    A coding counts by system and code. Of two measures at once neither is known, but
    for heart rate beside a narrower one. Public records label the code of SDNN as
    RMSSD: which of the two such a value is nobody can tell, so it is neither.
    """
    concept = element.get("code")
    codings = dicts(concept.get("coding")) if isinstance(concept, dict) else []
    found = {measure.key: measure for measure in map(_measure, codings) if measure}
    if _NARROW in found:
        found.pop(_BROAD, None)
    if len(found) != 1:
        return None
    ((key, measure),) = found.items()
    return None if key == "hrv-sdnn" and _says_rmssd(element["code"]) else measure


def _measure(coding: Json) -> Measure | None:
    code = coding.get("code")
    known = by_code()
    if not isinstance(code, str):
        return None
    return known.get((canonical(coding.get("system")), code))


def _says_rmssd(concept: Json) -> bool:
    words = [concept.get("text"), *(one.get("display") for one in concept["coding"])]
    return any("rmssd" in word.lower() for word in words if isinstance(word, str))


def is_wearable(resource: Json) -> bool:
    """True if its own code, or a component's, names a measure."""
    if measure_of(resource) is not None:
        return True
    return "component" in resource and any(
        measure_of(component) for component in dicts(resource["component"])
    )


def read_wearable(
    resource: Json, *, subject: Subject, source: str
) -> tuple[Sample | Refused, ...]:
    """The values of an Observation of body signals, one result for each known part.

    A panel's own code may be unknown, and its own value absent; SampledData gives one
    result a sample, and one refusal for all samples that are refused alike.
    """
    reason = _objection(resource, subject=subject)
    if reason is not None:
        return (Refused(reason),)
    own = measure_of(resource)
    results = [
        result
        for element, measure in _parts(resource, own)
        for result in _results(resource, element, measure, source=source)
    ]
    if own is None and _values(resource):
        results.append(Refused(Reason.UNKNOWN_CODE))
    refused = dict.fromkeys(x for x in results if isinstance(x, Refused))
    return (*(x for x in results if isinstance(x, Sample)), *refused)


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    if resource.get("resourceType") != "Observation" or is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    reason = not_used(resource.get("status"))
    if reason is not None:
        return reason
    if not subject.owns(resource):
        return Reason.WRONG_PATIENT
    return Reason.MALFORMED if is_crowded(resource) else None


def _parts(resource: Json, own: Measure | None) -> Iterator[tuple[Json, Measure]]:
    inner = [
        (component, measure)
        for component in dicts(resource.get("component"))
        if (measure := measure_of(component)) is not None
    ]
    if own is not None and (_values(resource) or not inner):
        yield resource, own
    yield from inner


def _values(element: Json) -> list[str]:
    return [key for key in element if key.startswith("value")]


def _results(
    resource: Json, element: Json, measure: Measure, *, source: str
) -> Iterator[Sample | Refused]:
    present = _values(element)
    window: Window = measure.window
    if "valueSampledData" in present and window == "interval":
        window = "instant"  # the pace of the samples is their window
    span = span_of(resource, window)
    if isinstance(span, Reason):
        yield Refused(span)
        return
    objection = _unread(element, present)
    if objection is not None:
        yield Refused(objection)
        return
    for read in _read(element, present[0], measure, span, ends=_has_end(resource)):
        yield judged(read, measure, source)


def _unread(element: Json, present: list[str]) -> Reason | None:
    """Why the element's own value is not read."""
    if is_modified(element):
        return Reason.MODIFIED
    if not present or "dataAbsentReason" in element:
        return Reason.NO_VALUE
    return Reason.MALFORMED if len(present) > 1 else unusable(element, present[0])


def _has_end(resource: Json) -> bool:
    """True for a period with both ends, past which no sample goes."""
    period = resource.get("effectivePeriod")
    return isinstance(period, dict) and {"start", "end"} <= period.keys()


def _read(
    element: Json, kind: str, measure: Measure, span: Span, *, ends: bool
) -> Iterator[tuple[Span, float] | Reason]:
    value: Any = element[kind]
    if kind == "valueSampledData":
        yield from sampled(value, measure, span, ends=ends)
        return
    number = _number(kind, value, measure)
    yield number if isinstance(number, Reason) else (span, number)


def _number(kind: str, value: object, measure: Measure) -> float | Reason:
    """The one number; an integer without a unit can only be a count."""
    if kind == "valueQuantity":
        return in_unit(value, measure)
    if kind != "valueInteger":
        return Reason.NOT_A_NUMBER
    if not isinstance(value, int):
        return Reason.NOT_A_NUMBER
    return finite(value) if is_count(measure) else Reason.NO_UNIT


def is_count(measure: Measure) -> bool:
    """True if a bare integer can be its value."""
    return measure.unit == "{steps}"


def judged(
    read: tuple[Span, float] | Reason, measure: Measure, source: str
) -> Sample | Refused:
    """The sample, or why its value or its window cannot be the measure's."""
    if isinstance(read, Reason):
        return Refused(read)
    span, value = read
    if 0 < span.seconds < measure.shortest:
        return Refused(Reason.NO_WINDOW)
    longest = _longest(measure, span)
    if not measure.low <= value <= min(measure.high, longest):
        return Refused(Reason.IMPLAUSIBLE)
    start, seconds, day, offset, fraction = span
    number = value + 0.0  # turns -0.0 into 0.0
    return Sample(measure, start, seconds, day, offset, number, source, fraction)


def _longest(measure: Measure, span: Span) -> float:
    """What lasts cannot outlast the period that is stated for it, but for rounding."""
    is_bounded = measure.unit == "min" and span.seconds > 0
    return span.seconds / 60 * _ROUNDING if is_bounded else inf
