"""Is an HLA allele there? What stands beside a result and may say that it is not.

Laboratories name the allele they looked for and say elsewhere that they did not find
it: in `interpretation`, in a component, in a note. So an allele that only stands there
counts as found when nothing else does that this module does not understand.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_integration.codes import LOINC, canonical
from fhir_integration.instruments import codings, dicts
from fhir_integration.kinds.diplotype import PRESENCE
from fhir_integration.strict_json import Json

_FLAGS = {
    **dict.fromkeys(("POS", "DET"), "positive"),  # detected
    **dict.fromkeys(("NEG", "ND"), "negative"),
}
# The gene, the medication in question, the level of evidence: no word on the finding.
_BESIDE = ("48018-6", "51963-7", "93044-6")
_UNSURE = frozenset({"dataAbsentReason", "interpretation", "modifierExtension"})


def flags(resource: Json) -> set[str]:
    """ "positive" or "negative" by `interpretation`; "?" for what is not understood."""
    stated = resource.get("interpretation")
    if stated is None:
        return set()
    if not isinstance(stated, list):
        return {"?"}
    return {said for concept in stated for said in _concept(concept)}


def _concept(concept: object) -> Iterator[str]:
    """What its codes, and the words beside them, say; each must be understood."""
    inner = dicts(concept.get("coding")) if isinstance(concept, dict) else []
    for coding in inner:
        yield _FLAGS.get(_word(coding.get("code")), "?")
        shown = PRESENCE.get(_word(coding.get("display")).lower())
        if shown:
            yield shown
    text = _word(concept.get("text")) if isinstance(concept, dict) else ""
    if text or not inner:
        yield PRESENCE.get(text.lower(), "?")


def is_plain(resource: Json, *, read: list[Json]) -> bool:
    """True if no note and no component could take back what the value says.

    `read` are the components whose values the caller reads itself.
    """
    parts = resource.get("component", [])
    return (
        not resource.get("note")
        and isinstance(parts, list)
        and all(_is_known(part, read) for part in parts)
    )


def _is_known(part: object, read: list[Json]) -> bool:
    if not isinstance(part, dict) or _UNSURE & set(part):
        return False
    return part in read or any(
        canonical(coding.get("system")) == LOINC and coding.get("code") in _BESIDE
        for coding in codings(part)
    )


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
