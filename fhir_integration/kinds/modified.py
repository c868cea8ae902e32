"""Does a resource say that its plain reading is wrong?

R4 (extensibility.html#modifierExtension): who does not understand a modifier extension
must not process the element that holds it; the same holds for `implicitRules`. None of
either is understood here.
"""

from __future__ import annotations

from fhir_integration.strict_json import Json


def is_modified(element: Json) -> bool:
    """True if a modifier extension or implicit rules stand in it; never raises."""
    return bool(element.get("modifierExtension") or element.get("implicitRules"))
