"""All the real files: nothing is lost, nothing stops a run, neither order matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from fhir_integration.files.verdict import Counts
from tests.fhir_integration.files.made_files import counted

FOLDERS = ("fhir", "fhir-genomics-examples")
Json = dict[str, Any]


def independent_count(value: Json) -> int:
    """Resources of one document, by another reading of the same rule."""
    kind = value.get("resourceType")
    if kind == "Bundle":
        inside = [entry["resource"] for entry in value.get("entry", ())]
    elif kind == "Parameters":
        inside, todo = [], list(value.get("parameter", ()))
        while todo:
            part = todo.pop()
            inside += [part["resource"]] if "resource" in part else []
            todo += part.get("part", ())
    else:
        return 1
    return sum(map(independent_count, inside)) or 1


@pytest.mark.parametrize("name", FOLDERS)
def test_every_resource_of_the_real_files_is_used_or_refused(
    shared: Path, tmp_path: Path, name: str
) -> None:
    folder = shared / "data" / name
    counts = counted(folder, tmp_path / "spool")
    documents = [orjson.loads(path.read_bytes()) for path in folder.rglob("*.json")]
    assert counts.resources == sum(map(independent_count, documents))
    assert counts.resources == counts.used + sum(counts.refused.values())
    for row in counts.types.values():
        assert row["used"] + sum(row["refused"].values()) > 0
    assert counts.faults == {}


def test_another_order_of_files_gives_the_same_report(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "data" / "fhir" / "demo"
    first = counted(folder, tmp_path / "spool")
    turned = tmp_path / "turned"
    turned.mkdir()
    paths = sorted(folder.rglob("*.json"))
    for number, path in enumerate(reversed(paths)):
        (turned / f"{number:04}.json").symlink_to(path.resolve())
    second: Counts = counted(turned, tmp_path / "spool")
    assert second == first
