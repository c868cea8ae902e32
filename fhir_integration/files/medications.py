"""The import's Medication resources: their codes, of each the newest version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from fhir_integration.files.scope import Scope
from fhir_integration.files.spool import Spool, sortable
from fhir_integration.naming import newness
from fhir_integration.strict_json import Json

_KEPT = ("resourceType", "code", "ingredient", "status")
_ADD = """
INSERT INTO medication VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
SET newness = excluded.newness, resource = excluded.resource
WHERE (excluded.newness, excluded.resource) > (newness, resource)
"""


class Medications(Mapping[str, Json]):
    """The codes of the import's Medication resources, by "Medication/id"."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def add(self, name: str, medication: Json) -> None:
        """Keep the codes of one: nothing else of it is needed. The newest stays."""
        kept = {key: medication[key] for key in _KEPT if key in medication}
        raw = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
        row = (self._spool.hashed(name), sortable(newness(medication)), raw)
        self._spool.sql.execute(_ADD, row)

    def __getitem__(self, name: str) -> Json:
        row = self._spool.sql.execute(
            "SELECT resource FROM medication WHERE name=?", (self._spool.hashed(name),)
        ).fetchone()
        if row is None:
            raise KeyError("no such medication")
        found: Json = orjson.loads(row[0])
        return found

    def __iter__(self) -> Iterator[str]:
        raise TypeError("names are kept as hashes")

    def __len__(self) -> int:
        counted = self._spool.sql.execute("SELECT count(*) FROM medication")
        return int(counted.fetchone()[0])


class Around(NamedTuple):
    """Where a resource stands: its Bundle and its server."""

    scope: Scope
    server: str


class Within(Mapping[str, Json]):
    """What a resource of a Bundle may point at: its Bundle's entries, then the rest."""

    def __init__(self, around: Around, rest: Mapping[str, Json]) -> None:
        self._around, self._rest = around, rest

    def __getitem__(self, name: str) -> Json:
        found = self._around.scope.find(name, self._around.server)
        return self._rest[name] if found is None else found.resource

    def __iter__(self) -> Iterator[str]:
        return iter(self._around.scope.by_name)

    def __len__(self) -> int:
        return len(self._around.scope.by_name)
