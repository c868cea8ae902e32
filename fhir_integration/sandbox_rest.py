"""The sandbox's FHIR interactions: from a parsed request to status, headers, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

import orjson

from fhir_integration.codes import FHIR_ID
from fhir_integration.sandbox_search import BadSearch, Query, Row, parse_query
from fhir_integration.sandbox_store import SeveralMatch, Store, Written
from fhir_integration.strict_json import Json

_REASONS = {200: "200 OK", 201: "201 Created"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def outcome(status: int, code: str, text: str) -> Answer:
    """An OperationOutcome; `text` names the fault and quotes nothing of the request."""
    issue = {"severity": "error", "code": code, "details": {"text": text}}
    resource = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Answer(status, orjson.dumps(resource))


class Rest:
    """Routes one request to the store. Stateless beyond it, safe for many threads."""

    def __init__(self, store: Store, base_url: str) -> None:
        self._store, self._base = store, base_url

    def answer(
        self,
        method: str,
        parts: Sequence[str],
        *,
        query: str,
        body: Json | None,
        condition: str | None,
    ) -> Answer:
        """`parts` are the path's below the base: none, [type], [type, id], ..."""
        try:
            if body is None:
                return self._get(parts, query)
            if method == "POST" and not parts:
                return self._bundle(body)
            return self._write(method, parts, body=body, condition=condition)
        except BadSearch as error:
            return outcome(400, "invalid", str(error))
        except SeveralMatch:
            return outcome(412, "multiple-matches", "several resources match")

    def _get(self, parts: Sequence[str], query: str) -> Answer:
        match list(parts):
            case ["metadata"]:
                return Answer(200, orjson.dumps(_CAPABILITIES))
            case [kind]:
                return self._search(kind, query)
            case [kind, own_id]:
                return self._read(kind, own_id, None)
            case [kind, own_id, "_history", version] if version.isdecimal():
                return self._read(kind, own_id, int(version[:9]))
            case _:
                return outcome(404, "not-found", "no such path")

    def _read(self, kind: str, own_id: str, version: int | None) -> Answer:
        row = self._store.read(kind, own_id, version)
        if row is None:
            return outcome(404, "not-found", "no such resource")
        return Answer(200, row.raw, _headers(row))

    def _search(self, kind: str, text: str) -> Answer:
        asked = parse_query(kind, text)
        found = self._store.search(_without_page(asked))
        page = found[asked.offset : asked.offset + asked.count]
        links = [{"relation": "self", "url": f"{self._base}/{kind}?{text}"}]
        after = asked.offset + asked.count
        if page and after < len(found):
            plain = [pair for pair in parse_qsl(text) if pair[0] != "_offset"]
            rest = urlencode([*plain, ("_offset", str(after))])
            links.append({"relation": "next", "url": f"{self._base}/{kind}?{rest}"})
        entries = [
            {
                "fullUrl": f"{self._base}/{row.kind}/{row.own_id}",
                "resource": orjson.Fragment(row.raw),
                "search": {"mode": "match"},
            }
            for row in page
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": links,
            "entry": entries,
        }
        return Answer(200, orjson.dumps(bundle))

    def _write(
        self, method: str, parts: Sequence[str], *, body: Json, condition: str | None
    ) -> Answer:
        refused = _unfit(method, parts, body)
        if refused is not None:
            return refused
        if method == "PUT":
            return self._written(self._store.update(body, parts[1]))
        query = None if condition is None else parse_query(parts[0], condition)
        return self._written(self._store.create(body, condition=query))

    def _written(self, written: Written) -> Answer:
        row = written.row
        headers = _headers(row)
        path = f"{row.kind}/{row.own_id}/_history/{row.version}"
        headers["Location"] = f"{self._base}/{path}"
        return Answer(201 if written.created else 200, row.raw, headers)

    def _bundle(self, bundle: Json) -> Answer:
        """Batch or transaction; each entry is answered for itself, no rollback."""
        kind, entries = bundle.get("type"), bundle.get("entry", [])
        is_bundle = bundle.get("resourceType") == "Bundle"
        if not is_bundle or kind not in ("batch", "transaction"):
            return outcome(400, "invalid", "only a batch or transaction goes here")
        if not isinstance(entries, list):
            return outcome(400, "invalid", "entry is not a list")
        answers = [_entry(self._one(entry)) for entry in entries]
        response = {
            "resourceType": "Bundle",
            "type": f"{kind}-response",
            "entry": answers,
        }
        return Answer(200, orjson.dumps(response))

    def _one(self, entry: object) -> Answer:
        stated = entry if isinstance(entry, dict) else {}
        request, resource = stated.get("request"), stated.get("resource")
        if not isinstance(request, dict) or not isinstance(resource, dict):
            return outcome(400, "invalid", "an entry needs request and resource")
        condition = request.get("ifNoneExist")
        return self.answer(
            str(request.get("method")),
            [part for part in str(request.get("url", "")).split("/") if part],
            query="",
            body=resource,
            condition=condition if isinstance(condition, str) else None,
        )


def _without_page(query: Query) -> Query:
    """The same search for all its pages, so that they share one result."""
    return replace(query, count=0, offset=0)


def _unfit(method: str, parts: Sequence[str], body: Json) -> Answer | None:
    """Why this write cannot be, or None."""
    expected = {"POST": 1, "PUT": 2}.get(method)
    if expected is None or len(parts) != expected:
        return outcome(404, "not-found", "no such interaction")
    if body.get("resourceType") != parts[0]:
        return outcome(400, "invalid", "resourceType is not the one of the path")
    if method == "PUT" and not FHIR_ID.fullmatch(parts[1]):
        return outcome(400, "invalid", "not an id that FHIR allows")
    return None


def _headers(row: Row) -> dict[str, str]:
    return {"ETag": f'W/"{row.version}"'}


def _entry(answer: Answer) -> Json:
    """An answer as an entry of a batch response."""
    response: Json = {"status": _REASONS.get(answer.status, str(answer.status))}
    if answer.status >= 400:
        response["outcome"] = orjson.Fragment(answer.body)
        return {"response": response}
    response["location"] = answer.headers["Location"]
    response["etag"] = answer.headers["ETag"]
    return {"response": response}


_CAPABILITIES = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-01-01",
    "kind": "instance",
    "software": {"name": "MindTwin sandbox EHR"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [{"mode": "server"}],
}
