"""The real resources that are bent: of whom they speak is made a canary first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from tests.prove.odd import CANARY, MEDICATION, PATIENT, Json

FOLDERS = ("fhir", "fhir-genomics-examples")
OWN = Path(__file__).resolve().parents[1] / "data" / "fhir"


def real_resources(data: Path) -> list[Json]:
    """Each resource of the folder's files: alone, in a Bundle, in Parameters.

    And our tests' own: real records hold few of the questionnaires that are read.
    """
    folders = [*(data / folder for folder in FOLDERS), OWN]
    files = [path for folder in folders for path in sorted(folder.rglob("*.json"))]
    return [
        resource
        for path in files
        for resource in _resources(json.loads(path.read_text(encoding="utf-8")))
    ]


def _resources(value: object) -> Iterator[Json]:
    """Every object with a resourceType that is not contained in another resource."""
    if isinstance(value, list):
        for one in value:
            yield from _resources(one)
    elif isinstance(value, dict):
        if value.get("resourceType") in (None, "Bundle", "Parameters"):
            for inner in value.values():
                yield from _resources(inner)
        if "resourceType" in value:
            yield value


class Place(NamedTuple):
    """One value somewhere in a resource: the object or list it is in, and its key."""

    inside: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.inside[self.key]

    def put(self, value: Any) -> None:
        self.inside[self.key] = value


def places(value: Any) -> Iterator[Place]:
    """All places of a resource, outermost first."""
    keys = (
        list(value)
        if isinstance(value, dict)
        else range(len(value) if isinstance(value, list) else 0)
    )
    for key in keys:
        yield Place(value, key)
    for key in keys:
        yield from places(value[key])


NAMED = frozenset(
    {"display", "text", "div", "family", "given", "line", "city", "title", "comment"}
)


def canaried(resource: Json) -> Json:
    """A copy that is about our patient, and whose every name and text is a canary."""
    copy = deepcopy(resource)
    for place in list(places(copy)):
        if place.key in NAMED and isinstance(place.value, str):
            place.put(f"{CANARY} {place.value[:20]}")
        elif place.key == "reference" and isinstance(place.value, str):
            kind = place.value.split("/")[0]
            place.put(MEDICATION if kind == "Medication" else place.value)
    for name in ("subject", "patient"):
        if isinstance(copy.get(name), dict):
            copy[name] = {"reference": f"Patient/{PATIENT}", "display": CANARY}
    copy["id"] = PATIENT if copy.get("resourceType") == "Patient" else f"{CANARY}-1"
    copy["identifier"] = [{"system": "urn:x", "value": CANARY}]
    return copy
