"""The resources that one JSON object holds, each exactly once.

Bundles of any type, Parameters (also nested, also without their resourceType, as some
servers write them), or one resource. Contained resources belong to the one that holds
them and do not count. Of Parameters without any resource, and of an empty Bundle, the
container itself counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from backend.twin.record import Reason
from fhir_integration.codes import FHIR_ID
from fhir_integration.strict_json import Json
from fhir_integration.versions import holds_other_version


@dataclass(frozen=True, slots=True)
class Scope:
    """What a Bundle's entries may be called by each other: fullUrl or Type/id.

    `bearers`: the keys of the patients who bear an identifier ("system|value").
    `other_version`: one entry bears another FHIR version's mark, so all are read as
    that version's.
    """

    by_name: Mapping[str, Json] = field(default_factory=dict)
    bearers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    other_version: bool = False


ALONE = Scope()


class Found(NamedTuple):
    """One resource to count; `reason` where it is refused before any reader sees it."""

    resource: Json
    reason: Reason | None
    scope: Scope


def resources_in(document: Json, scope: Scope = ALONE) -> Iterator[Found]:
    """Everything in `document` that counts; at least one. Never raises."""
    kind = document.get("resourceType")
    if kind == "Bundle":
        yield from _some(document, _of_bundle(document), Reason.NO_VALUE, scope)
    elif kind == "Parameters" or (kind is None and _is_parameters(document)):
        inner = _of_parameters(document.get("parameter"), scope)
        yield from _some(document, inner, Reason.NOT_READ, scope)
    else:
        yield Found(document, None, scope)


def _is_parameters(document: Json) -> bool:
    return isinstance(document.get("parameter"), list)


def _some(
    document: Json, inner: Iterator[Found], empty: Reason, scope: Scope
) -> Iterator[Found]:
    first = next(inner, None)
    if first is None:
        yield Found(document, empty, scope)
        return
    yield first
    yield from inner


def _of_bundle(bundle: Json) -> Iterator[Found]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        yield Found(bundle, Reason.MALFORMED, ALONE)
        return
    scope = _scope(entries)
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield from _of_entry(entry, resource, scope)
        else:
            yield Found({}, _without(entry), scope)


def _of_entry(entry: Json, resource: Json, scope: Scope) -> Iterator[Found]:
    """What matched the search; outcomes and what came along are not read by it."""
    search = entry.get("search")
    mode = search.get("mode", "match") if isinstance(search, dict) else "match"
    if mode == "match":
        yield from resources_in(_named(entry, resource), scope)
    else:
        yield Found(resource, Reason.NOT_READ, scope)


def _named(entry: Json, resource: Json) -> Json:
    """A new resource of a transaction has no id: its fullUrl names it meanwhile."""
    url = entry.get("fullUrl")
    if "id" in resource or not isinstance(url, str) or not url.startswith("urn:uuid:"):
        return resource
    return {**resource, "id": url.removeprefix("urn:uuid:")}


def _without(entry: object) -> Reason:
    """An entry without a resource: a deletion or an answer, or no entry at all."""
    said = entry.keys() if isinstance(entry, dict) else frozenset()
    return Reason.NO_VALUE if said & {"request", "response"} else Reason.NOT_FHIR


def _scope(entries: list[object]) -> Scope:
    by_name: dict[str, Json] = {}
    bearers: dict[str, frozenset[str]] = {}
    inside = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(resource, dict):
            continue
        inside.append(resource)
        named = _named(entry, resource)
        by_name[f"{named.get('resourceType')}/{named.get('id')}"] = named
        url = entry.get("fullUrl")
        if isinstance(url, str):
            by_name[url] = named
        for text in identifiers_of(named) if own_key(named) else ():
            bearers[text] = bearers.get(text, frozenset()) | {own_key(named)}
    return Scope(by_name, bearers, holds_other_version(inside))


def own_key(resource: Json) -> str:
    """ "Patient/id" of a Patient with an id that FHIR allows, else ""."""
    own_id = resource.get("id")
    is_named = isinstance(own_id, str) and FHIR_ID.fullmatch(own_id)
    is_patient = resource.get("resourceType") == "Patient"
    return f"Patient/{own_id}" if is_named and is_patient else ""


def identifiers_of(holder: Json) -> list[str]:
    """Each identifier that has a system and a value, as "system|value"."""
    stated = holder.get("identifier")
    some = stated if isinstance(stated, list) else [stated]
    pairs = [
        (one.get("system"), one.get("value")) for one in some if isinstance(one, dict)
    ]
    return [
        f"{system}|{value}"
        for system, value in pairs
        if isinstance(system, str) and isinstance(value, str) and system and value
    ]


def _of_parameters(parts: object, scope: Scope) -> Iterator[Found]:
    for part in parts if isinstance(parts, list) else ():
        resource = part.get("resource") if isinstance(part, dict) else None
        if isinstance(resource, dict):
            yield from resources_in(resource, scope)
        if isinstance(part, dict):
            yield from _of_parameters(part.get("part"), scope)
