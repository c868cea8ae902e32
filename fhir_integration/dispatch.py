"""One resource in, what it says out: each is sent to the reader of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from backend.twin.record import Reason
from fhir_integration.instruments import holds_answers
from fhir_integration.kinds.refused import Refused
from fhir_integration.labels import is_restricted
from fhir_integration.naming import Newness, business, names, newness
from fhir_integration.observation import Reading, readings, when
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment
from fhir_integration.versions import is_other_version

Fact = Reading
Result = Fact | Refused
Content = tuple[tuple[str, ...], ...]
_EVER = date(1, 1, 1)
_NOT_OURS = frozenset({Reason.WRONG_PATIENT, Reason.WRONG_TYPE, Reason.NOT_FHIR})
_TAKEN_BACK = frozenset({"entered-in-error", "cancelled"})


@dataclass(frozen=True, slots=True)
class Context:
    """For whom, and for which days, resources are read.

    Symptoms and wearables count with since <= day <= until; of the rest only `until`
    bounds the days, since a medicine begun earlier is still taken. `lookup` finds the
    resources that others point at, by their references. `on` is the day on which a
    consent must be in force; without it, `until`. `site_codes` says what a site's own
    (system, code) stands for.
    """

    subject: Subject
    since: date = _EVER
    until: date = date.max
    lookup: Mapping[str, Json] = field(default_factory=dict)
    on: date | None = None
    site_codes: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


class ReadResource(NamedTuple):
    """What is kept of one resource; no `results` where it was not asked for.

    `identity` is type and id, `business` what names the entry under whatever id; both
    are empty where the resource has no such name. `newness` sorts versions, `content`
    decides between those that say the same of themselves but differ. `source` is the
    versioned reference. A tuple, since one is made for every resource: a dataclass
    takes four times as long.
    """

    identity: str
    business: tuple[str, ...]
    newness: Newness
    source: str
    results: tuple[Result, ...]
    content: Content


def read_any(resource: Json, context: Context) -> ReadResource:
    """Read one resource by its kind; never raises, whatever the object holds."""
    identity, source = names(resource)
    results = _results(resource, context, source=source)
    return ReadResource(
        identity,
        () if _is_stray(results) else _business(resource),
        newness(resource),
        source,
        results,
        tuple(map(_content, results)),
    )


def concept_of(fact: Fact) -> str:
    """The word under which a fact is counted, such as phq9 or medication:sertraline."""
    return fact.scale.key


def _results(resource: Json, context: Context, *, source: str) -> tuple[Result, ...]:
    objection = _objection(resource)
    if objection is None:
        kind = _KINDS.get(resource["resourceType"], _not_read)
        return kind(resource, context, source)
    return (Refused(objection, _loses_answer(resource, objection, context.subject)),)


def _objection(resource: Json) -> Reason | None:
    """Why no reader is asked at all."""
    kind = resource.get("resourceType")
    if is_other_version(resource):
        return Reason.WRONG_VERSION
    if not isinstance(kind, str) or kind not in R4_TYPES:
        return Reason.NOT_FHIR
    if kind not in _OPEN_KINDS and is_restricted(resource):
        return Reason.RESTRICTED
    return None


def _loses_answer(resource: Json, objection: Reason, subject: Subject) -> bool:
    """True if an answer of this patient's to a safety item goes with the resource."""
    return (
        objection is not Reason.NOT_FHIR
        and resource.get("resourceType") == "Observation"
        and str(resource.get("status")) not in _TAKEN_BACK
        and not subject.is_another(resource)
        and holds_answers(resource)
    )


def _is_stray(results: tuple[Result, ...]) -> bool:
    """True for what is not this patient's: it must not stand in for what is."""
    first = results[0] if results else None
    return isinstance(first, Refused) and first.reason in _NOT_OURS


def _business(resource: Json) -> tuple[str, ...]:
    if "identifier" not in resource:
        return ()
    at = when(resource)
    return business(resource, when=at.day.isoformat()) if isinstance(at, Moment) else ()


def _content(found: Result) -> tuple[str, ...]:
    if isinstance(found, Refused):
        return "", found.reason, str(found.safety)
    scale, at = found.scale, found.moment
    ends = f"{scale.low!r} {scale.high!r}"
    return scale.system, scale.code, ends, str(at.day), at.at, repr(found.value)


def _observation(resource: Json, context: Context, _: str) -> tuple[Result, ...]:
    at = when(resource)
    if isinstance(at, Moment) and at.day < context.since:
        return ()
    return readings(resource, subject=context.subject, at=at, until=context.until)


def _not_read(_: Json, __: Context, ___: str) -> tuple[Result, ...]:
    return (Refused(Reason.NOT_READ),)


_Kind = Callable[[Json, Context, str], tuple[Result, ...]]
_KINDS: Mapping[str, _Kind] = {"Observation": _observation}
# Who the patient is and what they forbid is read under any label.
_OPEN_KINDS = frozenset({"Patient", "Consent"})
