"""What names a resource, and which of two versions of it is the newer one."""

from __future__ import annotations

import re

from fhir_integration.codes import FHIR_ID
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.times import Moment, moment

Newness = tuple[str, int, str]
NAMELESS = ""
_NUMBERED = re.compile(r"([^0-9]+)([0-9]{1,19})")  # such as v10


def names(resource: Json) -> tuple[str, str]:
    """The identity, type and id ("" if unusable), and the reference to this version.

    Ids are unique within a type only (hl7.org/fhir/R4/resource.html#id).
    """
    stated, own_id = resource.get("resourceType"), resource.get("id")
    kind = stated if isinstance(stated, str) and stated in R4_TYPES else "Resource"
    if not isinstance(own_id, str) or not FHIR_ID.fullmatch(own_id):
        return NAMELESS, kind
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    if isinstance(version, str) and FHIR_ID.fullmatch(version):
        return f"{kind}/{own_id}", f"{kind}/{own_id}/_history/{version}"
    return f"{kind}/{own_id}", f"{kind}/{own_id}"


def newness(resource: Json) -> Newness:
    """Sorts versions: by lastUpdated, then by number or text of the version.

    Of versions such as v9 and v10 the number after the same start counts.
    """
    meta = resource.get("meta")
    stated = meta if isinstance(meta, dict) else {}
    updated, version = moment(stated.get("lastUpdated")), stated.get("versionId")
    text = version if isinstance(version, str) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if found := _NUMBERED.fullmatch(text):
        text = f"{found[1]}{int(found[2]):020}"
    return updated.utc if isinstance(updated, Moment) else "", number, text


def business(resource: Json, *, when: str) -> tuple[str, ...]:
    """What names the entry under whatever id: its identifier, code and time; or ().

    By R4 the identifier would do. Some EHRs repeat one over all items of a form, or
    over all forms of a kind: without code and time one answer would hide another.
    """
    try:
        stated = resource["identifier"]
        first = stated[0] if isinstance(stated, list) else stated
        name = [resource["resourceType"], first["system"], first["value"]]
        name += [_code(resource), when]
    except (KeyError, IndexError, TypeError):
        return ()
    return tuple(name) if all(map(_is_text, name)) else ()


def _code(resource: Json) -> object:
    """The first code that says what the entry is of; of a form its questionnaire."""
    if resource["resourceType"] == "QuestionnaireResponse":
        return resource.get("questionnaire", "-")
    for element in ("code", "medicationCodeableConcept"):
        if element in resource:
            return resource[element]["coding"][0]["code"]
    return resource["medicationReference"]["reference"]


def _is_text(part: object) -> bool:
    return isinstance(part, str) and part != ""
