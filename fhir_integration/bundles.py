"""Bundles: what a searchset holds, what a batch asks for and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from backend.twin.errors import EhrMalformed, EhrRefused, EhrUnavailable
from fhir_integration.answers import is_transient
from fhir_integration.search_values import token
from fhir_integration.strict_json import Json


def matches(bundle: Json) -> list[Json]:
    """Resources of the entries that answer the search; no outcomes, no includes."""
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise EhrMalformed("the EHR answered a search without a Bundle")
    return [entry["resource"] for entry in entries if _is_match(entry)]


def _is_match(entry: object) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(resource, dict):
        return False
    search = entry.get("search")
    mode = search.get("mode", "match") if isinstance(search, dict) else "match"
    return mode == "match" and resource.get("resourceType") != "OperationOutcome"


def ids(resources: Sequence[Json]) -> frozenset[str]:
    """The ids on one page, to notice a page that comes again."""
    stated = (resource.get("id") for resource in resources)
    return frozenset(own_id for own_id in stated if isinstance(own_id, str))


def next_link(bundle: Json) -> object | None:
    """The link to the next page as the server wrote it, or None on the last page."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            url: object = link.get("url", "")
            return url
    return None


def last_updated(resource: Json) -> str:
    """When the server last wrote the resource, as text that sorts; empty if unsaid."""
    meta = resource.get("meta")
    return str(meta.get("lastUpdated", "")) if isinstance(meta, dict) else ""


def batch(resources: Sequence[Json]) -> Json:
    """A batch that creates each resource unless its first identifier exists."""
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {
                "resource": resource,
                "request": {
                    "method": "POST",
                    "url": resource["resourceType"],
                    "ifNoneExist": _condition(resource),
                },
            }
            for resource in resources
        ],
    }


def _condition(resource: Json) -> str:
    first = resource["identifier"][0]
    return urlencode({"identifier": token(first["system"], first["value"])})


def check_batch(answer: Json, *, expected: int) -> None:
    """Raise unless each entry was created or existed already."""
    entries = answer.get("entry")
    if not isinstance(entries, list) or len(entries) != expected:
        raise EhrMalformed("the EHR answered a batch without all its entries")
    for status in map(_status, entries):
        if is_transient(status):
            raise EhrUnavailable(f"the EHR answered {status} to a part of a batch")
        if not 200 <= status < 300:
            raise EhrRefused(
                f"the EHR answered {status} to a part of a batch", status=status
            )


def _status(entry: object) -> int:
    response = entry.get("response") if isinstance(entry, dict) else None
    stated = response.get("status") if isinstance(response, dict) else None
    digits = stated[:3] if isinstance(stated, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        raise EhrMalformed("the EHR's batch answer has an entry without a status")
    return int(digits)
