"""One resource in, what it says out: each is sent to the reader of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from backend.twin.record import Reason
from fhir_integration.codes import NO_SITE_CODES, SiteCodes
from fhir_integration.concept_map import translated
from fhir_integration.facts import Fact, Result, concept_of, content_of, day_of, within
from fhir_integration.instruments import Instrument, holds_answers, instrument
from fhir_integration.kinds import questionnaire
from fhir_integration.kinds.condition import read_condition
from fhir_integration.kinds.consent import Consented, read_consent
from fhir_integration.kinds.genotype import is_genotype, read_genotype
from fhir_integration.kinds.lab_fact import is_lab_fact, read_lab_fact
from fhir_integration.kinds.medication import read_medication
from fhir_integration.kinds.modified import is_modified
from fhir_integration.kinds.person import read_person
from fhir_integration.kinds.questionnaire import authored, read_response
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample, is_wearable, read_wearable
from fhir_integration.labels import is_restricted
from fhir_integration.naming import Newness, business, names, newness
from fhir_integration.observation import is_assertion_of_ai, readings, when
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment
from fhir_integration.versions import is_other_version

__all__ = ["Context", "Fact", "ReadResource", "Result", "concept_of", "read_any"]

Content = tuple[tuple[str, ...], ...]
_EVER = date(1, 1, 1)
_NOT_OURS = frozenset({Reason.WRONG_PATIENT, Reason.WRONG_TYPE, Reason.NOT_FHIR})
_TAKEN_BACK = frozenset({"entered-in-error", "cancelled"})
# Who the patient is and what they forbid is read under any label.
_UNDER_ANY_LABEL = frozenset({"Patient", "Consent"})
# They point at Medications, which may come later.
POINTING = frozenset(
    {
        *("MedicationRequest", "MedicationStatement"),
        *("MedicationAdministration", "MedicationDispense"),
    }
)


@dataclass(frozen=True, slots=True)
class Context:
    """For whom, and for which days, resources are read.

    Symptoms and wearables count with since <= day <= until; of the rest only `until`
    bounds the days, since a medicine begun earlier is still taken. `lookup` finds the
    resources that others point at, by their references. `on` is the day on which a
    consent must be in force; without it, `until`. `site_codes` says what a site's own
    (system, code) stands for, `base_url` where its absolute references begin.
    """

    subject: Subject
    since: date = _EVER
    until: date = date.max
    lookup: Mapping[str, Json] = field(default_factory=dict)
    on: date | None = None
    site_codes: SiteCodes = field(default_factory=lambda: NO_SITE_CODES)
    base_url: str = ""


class ReadResource(NamedTuple):
    """What is kept of one resource; no `results` where it was not asked for.

    `identity` is type and id, `business` what names the entry under whatever id; both
    are empty where the resource has no such name. `newness` sorts versions, `content`
    says the same for results that say the same. `source` is the versioned reference. A
    tuple, since one is made for every resource: a dataclass takes four times as long.
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
    meant = translated(resource, context.site_codes)
    results = _results(meant, context, source)
    return ReadResource(
        identity,
        () if _is_stray(meant, results, context.subject) else _business(meant, results),
        newness(resource),
        source,
        results,
        tuple(map(content_of, results)),
    )


def _results(resource: Json, context: Context, source: str) -> tuple[Result, ...]:
    objection = _objection(resource)
    if objection is Reason.WRONG_VERSION and _denies(resource, context):
        objection = None  # a denial is heard in whatever shape it comes
    if objection is not None:
        lost = _loses_answer(resource, objection, context.subject)
        return (Refused(objection, lost),)
    kind = _KINDS.get(resource["resourceType"])
    if kind is None:
        return (Refused(Reason.NOT_READ),)
    since, until = context.since, context.until
    found = (
        within(result, since=since, until=until)
        for result in kind(resource, context, source)
    )
    return tuple(result for result in found if result is not None)


def _denies(resource: Json, context: Context) -> bool:
    if resource.get("resourceType") != "Consent":
        return False
    read = _consent(resource, context, "")
    return any(isinstance(one, Consented) and one.denies for one in read)


def _objection(resource: Json) -> Reason | None:
    """Why no reader is asked at all."""
    kind = resource.get("resourceType")
    if is_other_version(resource):
        return Reason.WRONG_VERSION
    if not isinstance(kind, str) or kind not in R4_TYPES:
        return Reason.NOT_FHIR
    if is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    if kind not in _UNDER_ANY_LABEL and is_restricted(resource):
        return Reason.RESTRICTED
    if kind in _KINDS and kind != "Consent" and is_modified(resource):
        return Reason.MODIFIED  # of a Consent its reader hears a denial all the same
    return None


def _loses_answer(resource: Json, objection: Reason, subject: Subject) -> bool:
    """True if an answer of this patient's to a safety item goes with the resource."""
    return (
        objection not in _NOT_OURS
        and str(resource.get("status")) not in _TAKEN_BACK
        and not subject.is_another(resource)
        and _holds_answers(resource)
    )


def _holds_answers(resource: Json) -> bool:
    kind = resource.get("resourceType")
    if kind == "QuestionnaireResponse":
        return questionnaire.holds_answers(resource)
    return kind == "Observation" and holds_answers(resource)


def _is_stray(resource: Json, results: tuple[Result, ...], subject: Subject) -> bool:
    """True for what is not this patient's: it must not stand in for what is."""
    first = results[0] if results else None
    if not isinstance(first, Refused):
        return False
    is_unread = first.reason in (Reason.RESTRICTED, Reason.MODIFIED)
    return first.reason in _NOT_OURS or (is_unread and subject.is_another(resource))


def _business(resource: Json, results: tuple[Result, ...]) -> tuple[str, ...]:
    if "identifier" not in resource:
        return ()
    kind = resource.get("resourceType")
    if kind in POINTING or kind not in ("Observation", "QuestionnaireResponse"):
        days = (day_of(result) for result in results)
        return business(resource, when=str(next(filter(None, days), "-")))
    at = when(resource) if kind == "Observation" else authored(resource)
    if not isinstance(at, Moment):
        return ()
    return business(resource, when=str(at.day if at.instant is None else at.micros))


def _observation(resource: Json, context: Context, source: str) -> Iterable[Result]:
    subject = context.subject
    if is_genotype(resource):
        return read_genotype(resource, subject=subject, source=source)
    if is_lab_fact(resource):
        return read_lab_fact(resource, subject=subject, source=source)
    is_score = isinstance(instrument(resource), Instrument)
    if not is_score and is_wearable(resource):
        return _wearable(resource, context, source)
    return _scores(resource, context)


def _scores(resource: Json, context: Context) -> Iterable[Result]:
    at = when(resource)
    if isinstance(at, Moment) and at.day < context.since:
        return ()
    return readings(resource, subject=context.subject, at=at, until=context.until)


def _wearable(resource: Json, context: Context, source: str) -> Iterable[Result]:
    """Its values; where nothing of it is in the days asked for, it leaves no trace."""
    read = read_wearable(resource, subject=context.subject, source=source)
    if "component" in resource and holds_answers(resource):
        return (*read, *_scores(resource, context))
    if context.since == _EVER:  # an import asks for all: no need to read the time twice
        return read
    at = when(resource)
    if isinstance(at, Moment) and at.day < context.since:
        return tuple(result for result in read if isinstance(result, Sample))
    return read


def _response(resource: Json, context: Context, _: str) -> Iterable[Result]:
    at = authored(resource)
    if isinstance(at, Moment) and at.day < context.since:
        return ()
    return read_response(resource, subject=context.subject, until=context.until)


def _medication(resource: Json, context: Context, source: str) -> Iterable[Result]:
    return read_medication(
        resource, subject=context.subject, source=source, lookup=context.lookup
    )


def _condition(resource: Json, context: Context, source: str) -> Iterable[Result]:
    return read_condition(resource, subject=context.subject, source=source)


def _person(resource: Json, context: Context, source: str) -> Iterable[Result]:
    """The patient asked for; a record merged into theirs says nothing of its own."""
    own_id, subject = resource.get("id"), context.subject
    if own_id != subject.ehr_patient:
        is_merged = isinstance(own_id, str) and own_id in subject.also
        return () if is_merged else (Refused(Reason.WRONG_PATIENT),)
    on = context.on or context.until
    base_url = context.base_url
    return (read_person(resource, source=source, base_url=base_url, on=on),)


def _consent(resource: Json, context: Context, _: str) -> Iterable[Result]:
    on = context.on or context.until
    return (read_consent(resource, subject=context.subject, on=on),)


def _pointed_at(_: Json, __: Context, ___: str) -> Iterable[Result]:
    """A Medication says nothing of a patient; what points at it does."""
    return ()


_Kind = Callable[[Json, Context, str], Iterable[Result]]
_KINDS: Mapping[str, _Kind] = {
    "Observation": _observation,
    "QuestionnaireResponse": _response,
    "Condition": _condition,
    "Patient": _person,
    "Consent": _consent,
    "Medication": _pointed_at,
    **dict.fromkeys(POINTING, _medication),
}
