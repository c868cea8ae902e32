"""Laboratory facts that rules on medicines ask for: filtration, creatinine, QTc, and
whether someone is pregnant.

A number needs its unit; none is guessed. "Unknown" is no value, never "not pregnant".
"""

from __future__ import annotations

from backend.twin.lab_facts import LAB_KINDS, LabFact, LabKind
from backend.twin.record import Reason
from fhir_integration.codes import LOINC, SNOMED, canonical
from fhir_integration.instruments import codings, dicts
from fhir_integration.kinds.refused import Refused
from fhir_integration.numbers import finite
from fhir_integration.observation import is_assertion_of_ai, when
from fhir_integration.statuses import not_used
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.values import unusable

# 82810-3's answers: pregnant or not by LOINC and SNOMED CT; possible is neither.
_PREGNANT = {
    (LOINC, "LA15173-0"): 1.0,
    (SNOMED, "77386006"): 1.0,
    (LOINC, "LA26683-5"): 0.0,
    (SNOMED, "60001007"): 0.0,
}


def is_lab_fact(resource: Json) -> bool:
    """True for an Observation with the code of such a fact."""
    return resource.get("resourceType") == "Observation" and _known(resource) != ""


def read_lab_fact(
    resource: Json, *, subject: Subject, source: str
) -> tuple[LabFact | Refused, ...]:
    """The fact, or why it is not used; never raises."""
    objection = _objection(resource, subject)
    if objection is not None:
        return (Refused(objection),)
    code = _known(resource)
    kind = LAB_KINDS[code]
    at, value = when(resource), _value(resource, kind)
    if isinstance(at, Reason):
        return (Refused(at),)
    if isinstance(value, Reason):
        return (Refused(value),)
    if not kind.low <= value <= kind.high:
        return (Refused(Reason.IMPLAUSIBLE),)
    return (LabFact(kind.key, value, kind.unit, at.day, code, source),)


def _objection(resource: Json, subject: Subject) -> Reason | None:
    if is_assertion_of_ai(resource):
        return Reason.WRONG_TYPE
    reason = not_used(resource.get("status"))
    if reason is not None:
        return reason
    return None if subject.owns(resource) else Reason.WRONG_PATIENT


def _known(resource: Json) -> str:
    """The first code of the table; codes of two kinds are none."""
    stated = [
        str(one.get("code"))
        for one in codings(resource)
        if canonical(one.get("system")) == LOINC
    ]
    found = [code for code in stated if code in LAB_KINDS]
    kinds = {LAB_KINDS[code].key for code in found}
    return found[0] if len(kinds) == 1 else ""


def _value(resource: Json, kind: LabKind) -> float | Reason:
    stated = [key for key in resource if key.startswith("value")]
    if not stated or "dataAbsentReason" in resource:
        return Reason.NO_VALUE
    if len(stated) > 1:
        return Reason.MALFORMED
    objection = unusable(resource, stated[0])
    if objection is not None:
        return objection
    if kind.key == "pregnancy":
        return _answer(resource.get("valueCodeableConcept"))
    return _quantity(resource.get("valueQuantity"), kind)


def _answer(concept: object) -> float | Reason:
    """What all of the known answers say alike."""
    inner = dicts(concept.get("coding")) if isinstance(concept, dict) else []
    stated = [(canonical(one.get("system")), str(one.get("code"))) for one in inner]
    known = {_PREGNANT[one] for one in stated if one in _PREGNANT}
    if len(known) > 1:
        return Reason.MALFORMED
    return known.pop() if known else Reason.NO_VALUE


def _quantity(quantity: object, kind: LabKind) -> float | Reason:
    if not isinstance(quantity, dict) or "comparator" in quantity:
        return Reason.NOT_A_NUMBER
    unit = quantity.get("code", quantity.get("unit"))
    if unit is None:
        return Reason.NO_UNIT
    size = kind.units.get(unit) if isinstance(unit, str) else None
    if size is None:
        return Reason.WRONG_UNIT
    number = finite(quantity.get("value"))
    return number if isinstance(number, Reason) else number * size
