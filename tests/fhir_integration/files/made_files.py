"""Small folders of FHIR for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from fhir_integration.files.importing import Import, Options
from fhir_integration.files.verdict import Counts
from tests.fhir_integration.made import observation

Json = dict[str, Any]
UNTIL = date(2026, 2, 28)


def lines(path: Path, resources: Iterable[Json]) -> Path:
    """An NDJSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{json.dumps(one)}\n" for one in resources), encoding="utf-8"
    )
    return path


def whole(path: Path, resource: Json) -> Path:
    """A file of one object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(resource), encoding="utf-8")
    return path


def bundle(*resources: Json) -> Json:
    """A collection."""
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def score(own_id: str, value: float, *, patient: str = "p1", **changes: Any) -> Json:
    """A PHQ-9 total on the day that the value names, so that values tell them apart."""
    said: Json = {
        "id": own_id,
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": value, "unit": "{score}"},
        "effectiveDateTime": f"2026-02-{int(value) + 1:02}",
    }
    return observation(**{**said, **changes})


def newer(version: int) -> Json:
    """The meta of that version."""
    return {"versionId": str(version), "lastUpdated": f"2026-02-0{version}T00:00:00Z"}


def counted(path: Path, spool: Path, **options: Any) -> Counts:
    """A whole run."""
    run = Import(path, spool, until=UNTIL, options=Options(**options))
    counts = run.run()
    run.finish()
    return counts
