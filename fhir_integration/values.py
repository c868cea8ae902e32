"""The number in an Observation's value[x], whichever of the shapes in use it wears."""

from __future__ import annotations

import math
import re

from backend.twin.record import Reason
from backend.twin.scales import Scale
from fhir_integration.codes import ANSWERS, LOINC, canonical
from fhir_integration.strict_json import Json
from fhir_integration.units import is_score

_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?")


def score(resource: Json, scale: Scale) -> float | Reason:
    """The stated number in score units, or why there is none.

    Totals arrive as Quantity, integer or text, answers to items also as LOINC answer
    codes; all are seen in real records. A value that is absent is never zero.
    """
    present = [key for key in resource if key.startswith("value")]
    if not present or "dataAbsentReason" in resource:
        return Reason.NO_VALUE
    if len(present) > 1:
        return Reason.MALFORMED
    value = resource[present[0]]
    if present[0] == "valueQuantity":
        return _of_quantity(value, scale)
    read = _READERS.get(present[0])
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
    return _finite(value["value"])


def _of_text(value: object) -> float | Reason:
    text = value.strip() if isinstance(value, str) else ""
    return float(text) if _NUMBER.fullmatch(text) else Reason.NOT_A_NUMBER


def _of_answer(value: object) -> float | Reason:
    codings = value.get("coding") if isinstance(value, dict) else None
    for coding in codings if isinstance(codings, list) else []:
        if not isinstance(coding, dict):
            continue
        code = coding.get("code")
        known = isinstance(code, str) and code in ANSWERS
        if known and canonical(coding.get("system")) == LOINC:
            return ANSWERS[str(code)]
    return Reason.NOT_A_NUMBER


def _finite(value: object) -> float | Reason:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Reason.NOT_A_NUMBER
    try:
        number = float(value)
    except OverflowError:
        return Reason.NOT_A_NUMBER
    return number if math.isfinite(number) else Reason.NOT_A_NUMBER


def _of_integer(value: object) -> float | Reason:
    return _finite(value) if isinstance(value, int) else Reason.NOT_A_NUMBER


_READERS = {
    "valueInteger": _of_integer,
    "valueString": _of_text,
    "valueCodeableConcept": _of_answer,
}
