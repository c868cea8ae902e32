"""The resources that one JSON object holds, each exactly once.

Bundles of any type, Parameters (also nested, also without their resourceType, as some
servers write them), or one resource. Contained resources belong to the one that holds
them and do not count. Of Parameters without any resource, and of an empty Bundle, the
container itself counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backend.twin.record import Reason
from fhir_integration.files.scope import ALONE, Scope, named, scope_of, server_of
from fhir_integration.strict_json import Json


class Found(NamedTuple):
    """One resource to count; `reason` where it is refused before any reader sees it.

    `server` is where its id and its relative references hold; "" for the source's own.
    """

    resource: Json
    reason: Reason | None
    scope: Scope
    server: str = ""


def resources_in(
    document: Json, scope: Scope = ALONE, server: str = ""
) -> Iterator[Found]:
    """Everything in `document` that counts; at least one. Never raises."""
    kind = document.get("resourceType")
    if kind == "Bundle":
        yield from _some(document, _of_bundle(document), Reason.NO_VALUE, scope)
    elif kind == "Parameters" or (kind is None and _is_parameters(document)):
        inner = _of_parameters(document.get("parameter"), scope, server)
        yield from _some(document, inner, Reason.NOT_READ, scope)
    else:
        yield Found(document, None, scope, server)


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
    scope = scope_of(entries)
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
        server = server_of(entry.get("fullUrl"))
        yield from resources_in(named(entry, resource), scope, server)
    else:
        yield Found(resource, Reason.NOT_READ, scope)


def _without(entry: object) -> Reason:
    """An entry without a resource: a deletion or an answer, or no entry at all."""
    said = entry.keys() if isinstance(entry, dict) else frozenset()
    return Reason.NO_VALUE if said & {"request", "response"} else Reason.NOT_FHIR


def _of_parameters(parts: object, scope: Scope, server: str) -> Iterator[Found]:
    for part in parts if isinstance(parts, list) else ():
        resource = part.get("resource") if isinstance(part, dict) else None
        if isinstance(resource, dict):
            yield from resources_in(resource, scope, server)
        if isinstance(part, dict):
            yield from _of_parameters(part.get("part"), scope, server)
