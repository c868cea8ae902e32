"""What the entries of a Bundle may be called by each other, and at which server.

An id names a resource at one server only. An entry's fullUrl says which server that is,
and what an entry's relative references are relative to (R4, bundle.html#references).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fhir_integration.codes import FHIR_ID
from fhir_integration.naming import newness
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.versions import holds_other_version

_URL = re.compile(r"(https?://[^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)


class Entry(NamedTuple):
    """A resource of a Bundle and its server; "" where the Bundle does not say."""

    resource: Json
    server: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a Bundle's entries may be called by each other: fullUrl or Type/id.

    `by_name`: absolute names and, where one server has them alone, relative ones.
    `bearers`: the keys of the patients who bear an identifier ("system|value").
    `other_version`: one entry bears another FHIR version's mark, so all are read as
    that version's.
    """

    by_name: Mapping[str, Entry] = field(default_factory=dict)
    bearers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    other_version: bool = False

    def find(self, reference: str, server: str) -> Entry | None:
        """The entry that a reference of another one, of `server`, means; or None."""
        found = self.by_name.get(f"{server}/{reference}") if server else None
        if found is not None:
            return found
        found = self.by_name.get(reference)
        is_elsewhere = (
            found is not None
            and "" not in (server, found.server)
            and not is_absolute(reference)
            and found.server != server
        )
        return None if is_elsewhere else found


ALONE = Scope()


def is_absolute(reference: str) -> bool:
    """True for what names its server, or needs none."""
    return ":" in reference.partition("/")[0]


def server_of(url: object) -> str:
    """The base of a RESTful URL, of any other the host, as scheme://host; else ""."""
    found = _URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        return ""
    parts = found[0].partition("/_history/")[0].rstrip("/").rsplit("/", maxsplit=2)
    is_rest = len(parts) == 3 and parts[1] in R4_TYPES
    return parts[0] if is_rest else found[1]


def scope_of(entries: list[object]) -> Scope:
    """The scope of a Bundle's entries. Of several versions the newest is named."""
    by_name: dict[str, Entry] = {}
    relative: dict[str, set[str]] = {}
    inside = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(resource, dict):
            continue
        inside.append(resource)
        url = entry.get("fullUrl")
        one = Entry(named(entry, resource), server_of(url))
        name = f"{one.resource.get('resourceType')}/{one.resource.get('id')}"
        relative.setdefault(name, set()).add(one.server)
        _put(by_name, f"{one.server}/{name}" if one.server else name, one)
        if isinstance(url, str):
            _put(by_name, url, one)
    for name, servers in relative.items():
        if len(servers) == 1 and "" not in servers:
            by_name[name] = by_name[f"{min(servers)}/{name}"]
    return Scope(by_name, _bearers(by_name), holds_other_version(inside))


def _put(by_name: dict[str, Entry], name: str, one: Entry) -> None:
    there = by_name.get(name)
    if there is None or newness(there.resource) <= newness(one.resource):
        by_name[name] = one


def _bearers(by_name: Mapping[str, Entry]) -> dict[str, frozenset[str]]:
    bearers: dict[str, frozenset[str]] = {}
    for resource, server in by_name.values():
        key = own_key(resource, server)
        for text in identifiers_of(resource) if key else ():
            bearers[text] = bearers.get(text, frozenset()) | {key}
    return bearers


def named(entry: Json, resource: Json) -> Json:
    """A new resource of a transaction has no id: its fullUrl names it meanwhile."""
    url = entry.get("fullUrl")
    if "id" in resource or not isinstance(url, str) or not url.startswith("urn:uuid:"):
        return resource
    return {**resource, "id": url.removeprefix("urn:uuid:")}


def own_key(resource: Json, server: str = "") -> str:
    """ "Patient/id" of a Patient with an allowed id, at its server; else ""."""
    own_id = resource.get("id")
    is_named = isinstance(own_id, str) and FHIR_ID.fullmatch(own_id)
    if not is_named or resource.get("resourceType") != "Patient":
        return ""
    return f"{server}/Patient/{own_id}" if server else f"Patient/{own_id}"


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
