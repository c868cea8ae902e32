"""Is a Quantity a score? Unknown units are refused, never guessed.

UCUM reads any annotation in braces as the number one, so by its rules "{T-score}" and
"{score}" are the same unit; here they are not, since a T-score of 60 is no total of 60.

A Quantity without code and unit is accepted, where a stricter reading would refuse it:
every code that is read names one instrument, whose only unit is its score (loinc.org
gives "{score}" as unit of 44261-6), and real totals come without.
"""

from __future__ import annotations

import re

from backend.twin.scales import Scale
from fhir_integration.codes import UCUM
from fhir_integration.strict_json import Json

_CODES = ("{score}", "1")
_WORDS = frozenset({*_CODES, "", "score", "scores", "point", "points", "pts", "pt"})
# Printed beside a score's code, these say that the number is another: a norm, a part, a
# mean, or a unit of something else.
_ANOTHER = re.compile(
    r"%|\b[tz][\s_-]*scor|^\W*[tz]\W*$|per ?cent|centile|decile|quantile|stanine|"
    r"\bsten\b|standard|\bnorm|\bmean\b|average|ratio|\b[mk]?g\b|mmol|mm ?\[?hg|"
    r"\b(bpm|ms|min|minutes?|hours?|h|days?|seconds?)\b",
    re.IGNORECASE,
)


def is_score(quantity: Json, scale: Scale) -> bool:
    """True if the quantity's unit is the scale's own or a plain count of points.

    A code decides where there is one: UCUM's "{score}" or "1", or the scale's unit,
    of UCUM or of no stated system, unless the printed unit contradicts it. Else the
    printed unit does, if there is one.
    """
    code, unit = quantity.get("code"), quantity.get("unit")
    if code is not None:
        is_ucum = quantity.get("system") in (None, UCUM)
        fits = is_ucum and (code in _CODES or code == scale.unit)
        return fits and not _contradicts(unit)
    if unit is None:
        return True
    return isinstance(unit, str) and _is_count(unit.strip(), scale)


def _contradicts(unit: object) -> bool:
    if unit is None:
        return False
    return not isinstance(unit, str) or _ANOTHER.search(unit) is not None


def _is_count(word: str, scale: Scale) -> bool:
    return word == scale.unit or word.lower() in _WORDS
