"""One Observation, read by its parts: who, what, when, in which state."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backend.twin.record import Reason
from backend.twin.scales import Scale, local_scale
from fhir_integration import codes
from fhir_integration.strict_json import Json
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
_EFFECTIVE = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


@dataclass(frozen=True, slots=True)
class Reading:
    """A usable score. `safety` says that it answers the scale's safety item."""

    scale: Scale
    moment: Moment
    value: float
    safety: bool


def when(resource: Json) -> Moment | Reason:
    """Time of the observation: effective[x], a period by its start, else `issued`."""
    for key in _EFFECTIVE:
        if key not in resource:
            continue
        stated = resource[key]
        if key == "effectivePeriod":
            if not isinstance(stated, dict):
                return Reason.MALFORMED
            if "start" not in stated:
                return Reason.NO_DATE
            stated = stated["start"]
        return moment(stated)
    return moment(resource["issued"]) if "issued" in resource else Reason.NO_DATE


def reading(
    resource: Json, *, ehr_patient: str, at: Moment | Reason
) -> Reading | Reason:
    """The score in `resource`, whose time is `at`, or the reason for refusing it."""
    objection = _objection(resource, ehr_patient=ehr_patient)
    if objection is not None:
        return objection
    found = _scale(resource)
    if isinstance(found, Reason):
        return found
    if isinstance(at, Reason):
        return at
    scale, safety = found
    value = score(resource, scale)
    if isinstance(value, Reason):
        return value
    low, high = codes.ANSWER_RANGE if safety else (scale.low, scale.high)
    if not low <= value <= high:
        return Reason.OUTSIDE_SCALE
    return Reading(scale, at, value + 0.0, safety)  # + 0.0 turns -0.0 into 0.0


def _objection(resource: Json, *, ehr_patient: str) -> Reason | None:
    if resource.get("resourceType") != "Observation" or _is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    status = resource.get("status")
    if not isinstance(status, str):
        return Reason.MALFORMED
    if status not in _USED:
        return _REFUSED.get(status, Reason.MALFORMED)
    if not _is_about(resource.get("subject"), ehr_patient):
        return Reason.WRONG_PATIENT
    return None


def _is_assertion_of_ai(resource: Json) -> bool:
    """True for what a model wrote, ours or another's: never read as a measurement."""
    meta = resource.get("meta")
    labels = _dicts(meta.get("security")) if isinstance(meta, dict) else []
    ai = any(label.get("code") == codes.AI_LABEL["code"] for label in labels)
    return ai or any(c.get("system") == codes.FORECAST for c in _codings(resource))


def _is_about(subject: object, ehr_patient: str) -> bool:
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str):
        return False
    plain = reference.split("/_history/", maxsplit=1)[0]
    return plain.split("/")[-2:] == ["Patient", ehr_patient]


def _scale(resource: Json) -> tuple[Scale, bool] | Reason:
    """The instrument, and whether it is only its safety item."""
    for coding in _codings(resource):
        system, code = codes.canonical(coding.get("system")), coding.get("code")
        if not isinstance(code, str):
            continue
        item_of = codes.safety_items().get((system, code))
        if item_of is not None:
            return item_of, True
        scale = codes.known_scale(system, code)
        if scale is not None:
            return scale, False
        if system == codes.DIARY:
            return _diary(resource, code)
    return Reason.UNKNOWN_CODE


def _diary(resource: Json, code: str) -> tuple[Scale, bool] | Reason:
    """A diary item of the site's own, with the bounds sent beside its value."""
    if not codes.DIARY_CODE.fullmatch(code):
        return Reason.MALFORMED
    for stated in _dicts(resource.get("referenceRange")):
        kind = stated.get("type")
        marks = _dicts(kind.get("coding")) if isinstance(kind, dict) else []
        if not any(_is_scale_mark(mark) for mark in marks):
            continue
        low, high = _bound(stated.get("low")), _bound(stated.get("high"))
        if low is not None and high is not None and low < high:
            return local_scale(code, system=codes.DIARY, low=low, high=high), False
    return Reason.NO_SCALE


def _is_scale_mark(coding: Json) -> bool:
    return coding.get("system") == codes.RANGE and coding.get("code") == "scale"


def _bound(quantity: object) -> float | None:
    value = quantity.get("value") if isinstance(quantity, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _codings(resource: Json) -> list[Json]:
    code = resource.get("code")
    return _dicts(code.get("coding")) if isinstance(code, dict) else []


def _dicts(value: object) -> list[Json]:
    return [x for x in value if isinstance(x, dict)] if isinstance(value, list) else []
