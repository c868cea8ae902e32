"""What the reader makes of every public record, to the last resource."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.fhir_integration.files.made_files import counted

GOLDEN = Path(__file__).parents[2] / "golden" / "real_records.toml"
EXPECTED = tomllib.loads(GOLDEN.read_text(encoding="utf-8"))
# Resources that bear a code, as the makers of the collection counted them.
SAID = {
    "44261-6": ("phq9", 57),
    "F32.9": ("condition:depression", 30),
    "15193003": ("condition:depression", 13),
    "370143000": ("condition:depression", 2),
    "268621008": ("condition:depression", 1),
    "55680006": ("condition:overdose", 7),
    "192127007": ("condition:adhd", 5),
    "7200002": ("condition:alcohol-use", 3),
    "10875004": ("condition:bipolar", 2),
    "10981006": ("condition:bipolar", 1),
    "5602001": ("condition:opioid-use", 2),
    "111482003": ("condition:schizophrenia", 1),
    "47505003": ("condition:ptsd", 1),
    "1099316": ("medication:desipramine", 24),
    "406022": ("medication:fluoxetine", 3),
    "1190110": ("medication:fluoxetine", 2),
    "328670": ("medication:sertraline", 2),
    "1000048": ("medication:doxepin", 1),
    "608139": ("medication:atomoxetine", 1),
    "1091392": ("medication:methylphenidate", 1),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_folder_is_read_as_pinned(shared: Path, tmp_path: Path, name: str) -> None:
    counts = counted(shared / "data" / name, tmp_path / "spool")
    expected = EXPECTED[name]
    assert counts.refused == expected.get("refused", {})
    assert counts.used == expected["used"]
    assert {
        concept: [found["entries"], found["patients"]]
        for concept, found in counts.concepts.items()
    } == expected.get("concepts", {})


def test_nothing_of_another_version_is_read(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "fhir" / "examples" / "stu3-negative"
    counts = counted(folder, tmp_path / "spool")
    assert counts.used == 0
    assert counts.refused == {"wrong-fhir-version": 97}


def coded(folder: Path) -> Iterator[tuple[str, Any]]:
    """(code, resource) of each Bundle entry, by its main concept."""
    for path in sorted(folder.rglob("*.json")):
        for entry in orjson.loads(path.read_bytes())["entry"]:
            one = entry["resource"]
            concept = one.get("code") or one.get("medicationCodeableConcept") or {}
            if isinstance(concept, dict):
                for code in {c.get("code") for c in concept.get("coding", ())}:
                    yield code, one


def test_every_code_is_read_as_often_as_the_collection_says(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "data" / "fhir" / "demo"
    there = Counter(code for code, _ in coded(folder))
    assert {code: there[code] for code in SAID} == {c: n for c, (_, n) in SAID.items()}
    concepts = counted(folder, tmp_path / "spool").concepts
    said: Counter[str] = Counter()
    for concept, count in SAID.values():
        said[concept] += count
    diagnoses = {k: n for k, n in said.items() if k.startswith("condition:")}
    assert {k: concepts[k]["entries"] for k in diagnoses} == diagnoses
    # A medicine's resource says one thing or several: begun, dose, stopped.
    medicines = [k for k in said if k.startswith("medication:")]
    assert all(concepts[k]["entries"] >= said[k] for k in medicines)
    # Of 57 totals one is 300, and of two the status is unknown.
    assert concepts["phq9"]["entries"] == said["phq9"] - 3
