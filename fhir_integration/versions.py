"""Is a resource written for another FHIR version than R4?

Read by R4's rules such a resource would lose what it says elsewhere: that a medicine
was not taken, that a procedure was not done. It is recognised by shapes that R4 forbids
(see `version_marks`) and by versions that it states. One that bears neither cannot be
told from R4: half of STU3's Encounters are R4's too. So a whole delivery is judged by
its worst entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from fhir_integration.strict_json import Json
from fhir_integration.version_marks import (
    ELEMENTS,
    LISTS_WITHIN,
    SHAPES,
    TYPES,
    WITHIN,
)

# R4, the ballot of R4B, and R4B (hl7.org/fhir/valueset-FHIR-version.html).
_READ = frozenset({"4.0", "4.1", "4.3"})
_PROFILE = re.compile(
    r"https?://hl7\.org/fhir/(?:"
    r"(?:DSTU2|STU3|R5|R6|[1-35-9]\.\d(?:\.\d)?)/"  # a version's own pages
    r"|StructureDefinition/[^/|]+\|[1-35-9]\."  # a core profile, by its version
    r"|us/core/StructureDefinition/[^/|]+\|(?:1|2\.0)\.)"  # US Core on STU3
)
_PARAMETER = re.compile(r';\s*fhirVersion\s*=\s*"?(\d+\.\d+)', re.IGNORECASE)


class _Marks(NamedTuple):
    """What gives another version away in one resource type."""

    elements: frozenset[str]
    shapes: tuple[tuple[str, tuple[type, ...]], ...]
    within: tuple[tuple[str, frozenset[str]], ...]
    lists: tuple[tuple[str, str], ...]


def is_other_version(resource: Json) -> bool:
    """True if the resource bears, or contains, what R4 forbids and others have.

    Never raises, whatever the object holds. False is no proof of R4.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        return False
    if kind in TYPES or ("meta" in resource and _states_other(resource["meta"])):
        return True
    if "fhirVersion" in resource and _is_unread(resource["fhirVersion"]):
        return True
    marks = _marks().get(kind)
    if marks is not None and _bears(resource, marks):
        return True
    return "contained" in resource and any(
        map(is_other_version, _objects(resource["contained"]))
    )


def holds_other_version(resources: Iterable[Json]) -> bool:
    """True if one of the resources of a Bundle is of another version: then all are."""
    return any(map(is_other_version, resources))


def states_other_version(content_type: str) -> bool:
    """True if a Content-Type names another version than R4, or DSTU2's own media type.

    Without the parameter fhirVersion it states none (hl7.org/fhir/http.html#version).
    """
    media, _, _ = content_type.partition(";")
    if media.strip().lower() in {"application/json+fhir", "application/xml+fhir"}:
        return True
    stated = _PARAMETER.search(content_type)
    return stated is not None and stated[1] not in _READ


@cache
def _marks() -> dict[str, _Marks]:
    return {
        kind: _Marks(
            frozenset(ELEMENTS.get(kind, "").split()),
            tuple(SHAPES.get(kind, {}).items()),
            tuple(
                (element, frozenset(names.split()))
                for element, names in WITHIN.get(kind, {}).items()
            ),
            tuple(LISTS_WITHIN.get(kind, {}).items()),
        )
        for kind in {*ELEMENTS, *SHAPES, *WITHIN, *LISTS_WITHIN}
    }


def _bears(resource: Json, marks: _Marks) -> bool:
    if not marks.elements.isdisjoint(resource):
        return True
    for element, types in marks.shapes:
        if isinstance(resource.get(element), types):
            return True
    for element, names in marks.within:
        if element in resource and _holds(resource[element], names):
            return True
    return any(
        isinstance(one.get(name), list)
        for element, name in marks.lists
        for one in _objects(resource.get(element))
    )


def _holds(value: object, names: frozenset[str]) -> bool:
    return any(not names.isdisjoint(one) for one in _objects(value))


def _objects(value: object) -> list[Json]:
    """The object, or the objects of the list, that an element holds."""
    inner = value if isinstance(value, list) else [value]
    return [one for one in inner if isinstance(one, dict)]


def _states_other(meta: object) -> bool:
    """True if a profile that the resource claims is one of another version."""
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    stated = profiles if isinstance(profiles, list) else ()
    return any(isinstance(url, str) and _PROFILE.match(url) for url in stated)


def _is_unread(version: object) -> bool:
    return isinstance(version, str) and version[:3] not in _READ
