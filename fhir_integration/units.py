"""Is a Quantity a score? Unknown units are refused, never guessed."""

from __future__ import annotations

import re

from backend.twin.scales import Scale
from fhir_integration.codes import UCUM
from fhir_integration.strict_json import Json

# UCUM reads any pure annotation as the number one: {score}, {points}, {ScoreOf}.
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_WORDS = frozenset({"", "1", "score", "scores", "point", "points", "pts", "pt"})


def is_score(quantity: Json, scale: Scale) -> bool:
    """True if the quantity's unit is the scale's own or a plain count of points.

    The code decides where there is one (UCUM or no system); else the printed unit.
    """
    code, unit = quantity.get("code"), quantity.get("unit")
    if code is None:
        return unit is None or _plain(unit, scale)
    if quantity.get("system") not in (None, UCUM):
        return False
    return _plain(code, scale)


def _plain(text: object, scale: Scale) -> bool:
    if not isinstance(text, str):
        return False
    word = text.strip()
    return (
        word == scale.unit
        or word.lower() in _WORDS
        or _ANNOTATION.fullmatch(word) is not None
    )
