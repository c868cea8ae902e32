"""A small part of what `make prove` does with 100,000 mutants."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backend.twin.errors import EhrMalformed
from fhir_integration.strict_json import Json, parse
from tests.prove import reading
from tests.prove.mutations import Mutants
from tests.prove.odd import CANARY, PATIENT
from tests.prove.reading import read_mutants, used_as
from tests.prove.real import canaried, real_resources

COUNT, SEED = 2_000, 7
OWN: Json = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
    "subject": {"reference": "Patient/p1", "display": "Jane"},
    "effectiveDateTime": "2026-02-14",
    "valueQuantity": {"value": 12},
}
MEDICATION: Json = {"resourceType": "Medication", "id": "m1", "status": "active"}


def test_no_mutant_breaks_the_reader_or_is_quoted(shared: Path) -> None:
    mutants = Mutants(real_resources(shared / "data"), SEED, tells=used_as)
    done = read_mutants(mutants, COUNT)
    assert (done.crashes, done.leaks) == (Counter(), Counter())
    assert done.read == COUNT
    assert len(mutants.applied) >= 25
    assert done.not_json.total() > 20
    assert len(done.refused) > 5
    assert done.used.total() > 20


def test_the_same_seed_makes_the_same_mutants() -> None:
    first, second = (Mutants([OWN, MEDICATION], SEED) for _ in range(2))
    assert [first.one() for _ in range(50)] == [second.one() for _ in range(50)]


def test_a_crash_and_a_leak_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def clumsy(resource: Json, _: object) -> object:
        raise KeyError(resource["id"])

    def talkative(raw: bytes) -> Json:
        if raw.startswith(b"["):
            raise EhrMalformed(raw.decode())
        return parse(raw)

    monkeypatch.setattr(reading, "read_any", clumsy)
    monkeypatch.setattr(reading, "parse", talkative)
    done = read_mutants(Mutants([OWN, MEDICATION], SEED), COUNT)
    assert done.crashes.total() > COUNT / 2
    assert done.leaks["parser"] > 0
    assert CANARY not in str(done)


def test_a_canaried_resource_names_nobody_else() -> None:
    made = canaried(OWN)
    assert made["subject"]["reference"] == f"Patient/{PATIENT}"
    assert "Jane" not in str(made)
    assert (OWN["id"], OWN["subject"]["display"]) == ("o1", "Jane")
