"""The number in an Observation's value[x], whichever of the shapes in use it wears."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.twin.record import Reason
from backend.twin.scales import Scale
from fhir_integration.codes import (
    ANSWER_LISTS,
    LOINC,
    ORDINALS,
    SNOMED,
    YES_NO,
    canonical,
)
from fhir_integration.instruments import dicts
from fhir_integration.kinds.modified import is_modified
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json
from fhir_integration.units import is_score

# R4's value[x] of an Observation and of a form's answer.
_VALUES = frozenset(
    f"value{name}"
    for name in (
        *("Quantity", "CodeableConcept", "String", "Boolean", "Integer", "Range"),
        *("Ratio", "SampledData", "Time", "DateTime", "Period", "Decimal", "Date"),
        *("Uri", "Attachment", "Coding", "Reference"),
    )
)
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?")


def score(element: Json, scale: Scale, *, is_answer: bool) -> float | Reason:
    """The number that an Observation or component states, or why there is none.

    Totals arrive as Quantity, integer or text of digits; all are seen in real records.
    Where `is_answer` says that it answers an item, coded answers count too: they have
    a number by the instrument's list of answers or by an extension, never by their
    words. To a question of yes or no a boolean is an answer too. A coded total does
    not count: what is coded of a total is a severity band, whose rank is no score, nor
    do samples (SampledData). A value that is absent is never zero.
    """
    stated = _VALUES.intersection(element)
    if is_modified(element):
        return Reason.MODIFIED
    if not stated or "dataAbsentReason" in element:
        return Reason.NO_VALUE
    if len(stated) > 1:
        return Reason.MALFORMED
    (kind,) = stated
    objection = unusable(element, kind)
    if objection is not None:
        return objection
    if kind == "valueCodeableConcept" and is_answer:
        return _of_answer(element[kind], scale)
    return _number(element[kind], kind, scale)


def unusable(element: Json, kind: str) -> Reason | None:
    """Why a value that is stated must not be read: it says so itself.

    MODIFIED by a modifier extension; NO_VALUE where an extension says that the value
    beside it is absent.
    """
    value = element[kind]
    inner = value if isinstance(value, dict) else {}
    if is_modified(inner):
        return Reason.MODIFIED
    beside = element.get(f"_{kind}"), inner.get("_value")
    return Reason.NO_VALUE if any(map(_says_absent, beside)) else None


def _says_absent(beside: object) -> bool:
    stated = dicts(beside.get("extension")) if isinstance(beside, dict) else []
    return any(one.get("url") == _ABSENT for one in stated)


def _number(value: object, kind: str, scale: Scale) -> float | Reason:
    if kind == "valueQuantity":
        return _of_quantity(value, scale)
    if kind == "valueBoolean" and ANSWER_LISTS.get(scale.key) is YES_NO:
        return float(value) if isinstance(value, bool) else Reason.MALFORMED
    read = _READERS.get(kind)
    return Reason.NOT_A_NUMBER if read is None else read(value)


def _of_quantity(value: object, scale: Scale) -> float | Reason:
    if not isinstance(value, dict):
        return Reason.MALFORMED
    if "value" not in value:
        return Reason.NO_VALUE
    if "comparator" in value:  # "less than 5" is not a score
        return Reason.NOT_A_NUMBER
    if not is_score(value, scale):
        return Reason.WRONG_UNIT
    return finite(value["value"])


def _of_text(value: object) -> float | Reason:
    text = value.strip() if isinstance(value, str) else ""
    return float(text) if _NUMBER.fullmatch(text) else Reason.NOT_A_NUMBER


def _of_answer(value: object, scale: Scale) -> float | Reason:
    """The one number that the codings agree on; LOINC's answers before extensions."""
    answers = ANSWER_LISTS.get(scale.key, {})
    codings = dicts(value.get("coding")) if isinstance(value, dict) else []
    stated = {answers[code] for code in map(_answer_code, codings) if code in answers}
    numbers = stated or {number for coding in codings for number in _ordinals(coding)}
    return numbers.pop() if len(numbers) == 1 else Reason.NOT_A_NUMBER


def _answer_code(coding: Json) -> str:
    code = coding.get("code")
    is_known = canonical(coding.get("system")) in (LOINC, SNOMED)
    return code if is_known and isinstance(code, str) else ""


def _ordinals(coding: Json) -> Iterator[float]:
    """What the extensions ordinalValue and itemWeight of a coding say."""
    for extension in dicts(coding.get("extension")):
        url, number = extension.get("url"), finite(extension.get("valueDecimal"))
        if isinstance(url, str) and url in ORDINALS and not isinstance(number, Reason):
            yield number


def _of_integer(value: object) -> float | Reason:
    return finite(value) if isinstance(value, int) else Reason.NOT_A_NUMBER


_READERS = {
    "valueInteger": _of_integer,
    "valueString": _of_text,
}
