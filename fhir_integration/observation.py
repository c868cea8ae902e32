"""One Observation, read by its parts: who, what, when, in which state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backend.twin.record import Reason
from backend.twin.scales import Scale
from fhir_integration import codes
from fhir_integration.instruments import (
    Instrument,
    Part,
    codings,
    dicts,
    holds_answers,
    instrument,
    only_points_elsewhere,
    parts,
)
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment
from fhir_integration.values import score

_USED = frozenset({"final", "amended", "corrected"})
_REFUSED = {
    "registered": Reason.NOT_FINAL,
    "preliminary": Reason.NOT_FINAL,
    "unknown": Reason.NOT_FINAL,
    "entered-in-error": Reason.ENTERED_IN_ERROR,
    "cancelled": Reason.CANCELLED,
}
# Taken back, or never an answer: nothing is lost by refusing it.
_NOTHING_LOST = frozenset(
    {Reason.ENTERED_IN_ERROR, Reason.CANCELLED, Reason.WRONG_TYPE}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A usable score. `safety` says that it answers the scale's safety item."""

    scale: Scale
    moment: Moment
    value: float
    safety: bool


Result = Reading | Refused


def when(resource: Json) -> Moment | Reason:
    """Time of the observation: effective[x]; `issued` only where there is none at all.

    A period counts by its end, when the questionnaire looks back from, else by its
    start; a timing by its first event. An effective[x] that states no time (a reason
    for its absence) is NO_DATE: `issued` may be years later.
    """
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
    for end in ("end", "start"):
        if end in period:
            return moment(period[end])
    return Reason.NO_DATE


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
    named = instrument(resource)
    found = parts(resource, named)
    if not found:
        return _nothing(resource, named)
    if isinstance(at, Reason) or at.day > until:
        reason = at if isinstance(at, Reason) else Reason.IN_FUTURE
        return (Refused(reason, any(x.part is Part.SAFETY for _, x in found)),)
    results: list[Result] = [_result(element, inner, at=at) for element, inner in found]
    if isinstance(named, Reason):
        results.append(Refused(named))
    return tuple(results)


def _result(element: Json, inner: Instrument, *, at: Moment) -> Result:
    scale, safety = inner.scale, inner.part is Part.SAFETY
    value = score(element, scale, is_answer=safety)
    if isinstance(value, Reason):
        return Refused(value, safety)
    low, high = codes.ANSWER_RANGE if safety else (scale.low, scale.high)
    if not low <= value <= high:
        return Refused(Reason.OUTSIDE_SCALE, safety)
    return Reading(scale, at, value + 0.0, safety)  # + 0.0 turns -0.0 into 0.0


def _nothing(resource: Json, named: Instrument | Reason) -> tuple[Result, ...]:
    """The results of a resource in which no part is known."""
    if isinstance(named, Reason):
        return (Refused(named),)
    if not resource.get("component") and only_points_elsewhere(resource):
        return ()
    return (Refused(Reason.UNKNOWN_CODE, holds_answers(resource)),)


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    if resource.get("resourceType") != "Observation" or _is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    status = resource.get("status")
    if not isinstance(status, str):
        return Reason.MALFORMED
    if status not in _USED:
        return _REFUSED.get(status, Reason.MALFORMED)
    if not subject.owns(resource):
        return Reason.WRONG_PATIENT
    return None


def _is_loss(resource: Json, objection: Reason, *, subject: Subject) -> bool:
    """True if an answer of this patient's to a safety item goes with the resource."""
    if objection in _NOTHING_LOST or subject.is_another(resource):
        return False
    return holds_answers(resource)


def _is_assertion_of_ai(resource: Json) -> bool:
    """True for what a model wrote, ours or another's: never read as a measurement."""
    meta = resource.get("meta")
    if isinstance(meta, dict) and "security" in meta:
        labels = dicts(meta["security"])
        if any(label.get("code") == codes.AI_LABEL["code"] for label in labels):
            return True
    return codes.FORECAST in [coding.get("system") for coding in codings(resource)]
