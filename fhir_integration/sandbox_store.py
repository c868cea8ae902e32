"""What the sandbox EHR keeps: each version of each resource, and a journal on disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson

from fhir_integration.sandbox_search import Query, Row, row_of, sorted_rows
from fhir_integration.strict_json import Json

_KEPT_SEARCHES = 32


@dataclass(frozen=True, slots=True)
class Written:
    """One write: the row that now stands, and whether the write made it."""

    row: Row
    created: bool


class SeveralMatch(Exception):
    """A conditional create found more than one resource."""


class Store:
    """Resources in memory, appended to an NDJSON journal; safe for many threads.

    One line is one version, written by one system call before the write is answered,
    so killing the process loses nothing that was answered. A torn last line, from a
    kill within the call, is cut off at the next start.
    """

    def __init__(self, journal: Path) -> None:
        self._lock = threading.RLock()
        self._rows: dict[tuple[str, str], Row] = {}  # newest version of each
        self._versions: dict[tuple[str, str, int], Row] = {}
        self._by_patient: dict[tuple[str, str], dict[str, Row]] = {}
        self._by_identifier: dict[tuple[str, str], dict[str, Row]] = {}
        self._by_kind: dict[str, dict[str, Row]] = {}
        self._searches: dict[tuple[int, Query], list[Row]] = {}
        self._writes = 0
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.touch(mode=0o600)  # what patients wrote is for this user's eyes
        self._replay(journal)
        self._journal = journal.open("ab", buffering=0)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def read(self, kind: str, own_id: str, version: int | None = None) -> Row | None:
        """The newest, or the named, version of a resource."""
        with self._lock:
            if version is None:
                return self._rows.get((kind, own_id))
            return self._versions.get((kind, own_id, version))

    def search(self, query: Query) -> list[Row]:
        """All rows that match, in order; pages of one search cost one search."""
        with self._lock:
            key = (self._writes, query)
            found = self._searches.get(key)
            if found is None:
                found = sorted_rows(
                    (row for row in self._candidates(query) if query.holds(row)), query
                )
                while len(self._searches) >= _KEPT_SEARCHES:
                    self._searches.pop(next(iter(self._searches)))
                self._searches[key] = found
            return found

    def create(self, resource: Json, *, condition: Query | None = None) -> Written:
        """Store a new resource, unless one matches `condition`; both in one step."""
        with self._lock:
            if condition is not None:
                found = self._matching(condition)
                if len(found) > 1:
                    raise SeveralMatch
                if found:
                    return Written(found[0], created=False)
            return Written(self._write(resource, str(uuid4()), 1), created=True)

    def update(self, resource: Json, own_id: str) -> Written:
        """Store the next version under this id; the first if there is none.

        What changes nothing makes no version, so that repeating it is harmless.
        """
        with self._lock:
            before = self._rows.get((str(resource["resourceType"]), own_id))
            if before is not None and _is_same(resource, before):
                return Written(before, created=False)
            version = 1 if before is None else before.version + 1
            row = self._write(resource, own_id, version)
            return Written(row, created=before is None)

    def _matching(self, condition: Query) -> list[Row]:
        return [row for row in self._candidates(condition) if condition.holds(row)]

    def _candidates(self, query: Query) -> list[Row]:
        """The smallest index that holds every match."""
        if query.identifiers is not None and len(query.identifiers) == 1:
            [text] = query.identifiers
            index = self._by_identifier.get((query.kind, text), {})
        elif query.patient is not None:
            index = self._by_patient.get((query.kind, query.patient), {})
        else:
            index = self._by_kind.get(query.kind, {})
        return list(index.values())

    def _write(self, resource: Json, own_id: str, version: int) -> Row:
        stated = resource.get("meta")
        meta = {
            **(stated if isinstance(stated, dict) else {}),
            "versionId": str(version),
            "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        stored = {**resource, "id": own_id, "meta": meta}
        raw = orjson.dumps(stored)
        self._journal.write(raw + b"\n")
        return self._index(stored, raw)

    def _index(self, stored: Json, raw: bytes) -> Row:
        row = row_of(stored, raw)
        name = (row.kind, row.own_id)
        before = self._rows.pop(name, None)
        if before is not None:
            self._forget(before)
        self._rows[name] = row
        self._versions[(*name, row.version)] = row
        self._by_kind.setdefault(row.kind, {})[row.own_id] = row
        for patient in row.patients:
            self._by_patient.setdefault((row.kind, patient), {})[row.own_id] = row
        for text in row.identifiers:
            self._by_identifier.setdefault((row.kind, text), {})[row.own_id] = row
        self._writes += 1
        self._searches.clear()
        return row

    def _forget(self, row: Row) -> None:
        for patient in row.patients:
            del self._by_patient[(row.kind, patient)][row.own_id]
        for text in row.identifiers:
            del self._by_identifier[(row.kind, text)][row.own_id]

    def _replay(self, journal: Path) -> None:
        whole = 0
        with journal.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._index(orjson.loads(line), line[:-1])
                whole += len(line)
        with journal.open("r+b") as file:
            file.truncate(whole)


def _is_same(resource: Json, before: Row) -> bool:
    """Equal but for what the server itself wrote: id, version and time."""
    held = orjson.loads(before.raw)
    stated = resource.get("meta")
    own = {name: held["meta"][name] for name in ("versionId", "lastUpdated")}
    meta = {**(stated if isinstance(stated, dict) else {}), **own}
    return bool({**resource, "id": before.own_id, "meta": meta} == held)
