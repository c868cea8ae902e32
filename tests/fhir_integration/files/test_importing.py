"""A run over files: each resource once, whatever the order, whatever is in them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.files import first_look, importing, rows
from fhir_integration.files.documents import Limits
from fhir_integration.files.importing import Import, Options, Progress
from fhir_integration.files.rows import UNNAMED, UNREADABLE
from fhir_integration.files.verdict import Counts
from tests.fhir_integration.every_kind import consent
from tests.fhir_integration.files.made_files import (
    UNTIL,
    bundle,
    counted,
    lines,
    newer,
    score,
    whole,
)
from tests.fhir_integration.made import diary, observation, safety

ROOT = Path(__file__).resolve().parents[3]
Json = dict[str, Any]
PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "one.sqlite"


def of(tmp_path: Path, spool: Path, *resources: Json) -> Counts:
    return counted(lines(tmp_path / "f" / "a.ndjson", resources), spool)


STRAY = {"display": "somebody"}


@pytest.mark.parametrize(
    ("resources", "used", "refused"),
    [
        ([score("a", 1)], 1, {}),
        ([score("a", 1), score("b", 2)], 2, {}),
        ([score("a", 1), score("a", 1)], 1, {"duplicate": 1}),
        ([score("a", 1), score("b", 1)], 1, {"duplicate": 1}),
        ([score("a", 1), score("a", 2)], 1, {"duplicate": 1}),
        ([score("a", 1), score("a", 1, patient="p2")], 2, {}),
        ([score("a", 1, meta=newer(1)), score("a", 2, meta=newer(2))], 1,
         {"duplicate": 1}),
        ([score("a", 1, meta=newer(1)),
          score("a", 1, meta=newer(2), status="entered-in-error")], 0,
         {"duplicate": 1, "entered-in-error": 1}),
        ([score("a", 1, meta=newer(2)),
          score("a", 1, meta=newer(1), status="entered-in-error")], 1,
         {"duplicate": 1}),
        ([score("a", 1), score("a", 1, meta=newer(9), subject=STRAY)], 1,
         {"no-patient": 1}),
        ([score("a", 1, subject=[STRAY])], 0, {"no-patient": 1}),
        ([score("a", 1, status="preliminary")], 0, {"not-final": 1}),
        ([score("a", 1, effectiveDateTime="2026-03-01")], 0, {"in-future": 1}),
        ([{"resourceType": "Encounter", "id": "e"}] * 3, 0, {"type-not-read": 3}),
        ([{"resourceType": "No Type"}, {}, {"resourceType": 7}], 0, {"not-fhir": 3}),
        ([{"resourceType": "MedicationOrder"}], 0, {"wrong-fhir-version": 1}),
        ([bundle(score("a", 1), {"resourceType": "MedicationOrder"})], 0,
         {"wrong-fhir-version": 2}),
        ([bundle(score("a", 1), PATIENT), score("b", 2)], 3, {}),
        ([safety("s1"), safety("s2")], 1, {"duplicate": 1}),
        ([diary("d1"), diary("d2", effectiveDateTime="2026-02-01")], 2, {}),
        ([diary("d1"), diary("d2", effectiveDateTime="2026-02-01"),
          diary("d3", effectiveDateTime="2026-02-02", high=9)], 2, {"no-scale": 1}),
        ([diary("d1"), diary("d3", effectiveDateTime="2026-02-02", high=9)], 1,
         {"no-scale": 1}),
        ([{**PATIENT, "id": "p1"}, {**PATIENT, "id": "p2"}], 2, {}),
        ([consent("k1"), consent("k2")], 2, {}),  # each a document of its own
        ([consent("k1"), consent("k1")], 1, {"duplicate": 1}),
    ],
)  # fmt: skip
def test_each_resource_is_used_or_refused_under_one_reason(
    *, tmp_path: Path, spool: Path, resources: list[Json], used: int, refused: Any
) -> None:
    for turn in (resources, resources[::-1]):
        counts = of(tmp_path, spool, *turn)
        assert (counts.used, counts.refused) == (used, refused)
        assert counts.resources == counts.used + sum(counts.refused.values())


def test_concepts_count_entries_and_patients(tmp_path: Path, spool: Path) -> None:
    counts = of(
        tmp_path,
        spool,
        *(score(f"o{day}", day, patient=f"p{day % 2}") for day in range(5)),
        safety("s1"),
    )
    assert counts.concepts["phq9"] == {"entries": 5, "patients": 2}
    assert counts.concepts["phq9:safety"] == {"entries": 1, "patients": 1}
    assert counts.types == {"Observation": {"used": 6, "refused": {}}}
    assert counts.patients == 2


def test_refused_parts_of_a_used_resource_stand_beside(
    tmp_path: Path, spool: Path
) -> None:
    item: Json = {"code": safety("x")["code"]}  # without an answer
    both = score("a", 1, component=[item])
    counts = of(tmp_path, spool, both, score("b", 2))
    assert (counts.used, counts.refused) == (2, {})
    assert counts.beside == {Reason.NO_VALUE: 1}


def test_what_holds_nothing_of_its_own_points_elsewhere(
    tmp_path: Path, spool: Path
) -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "44249-1"}]}
    member = [{"reference": "Observation/a"}]
    panel = observation(code=code, hasMember=member, valueQuantity=None)
    assert of(tmp_path, spool, panel).refused == {Reason.POINTS_ELSEWHERE: 1}


def test_faults_count_and_are_told_by_file(tmp_path: Path, spool: Path) -> None:
    folder = tmp_path / "f"
    lines(folder / "a.ndjson", [score("a", 1)])
    with (folder / "a.ndjson").open("ab") as file:
        file.write(b'{"a": NaN}\n{"a": NaN}\n[]\n')
    (folder / "b.json").write_bytes(b"")
    counts = counted(folder, spool)
    assert counts.types[UNREADABLE] == {"used": 0, "refused": {"malformed": 4}}
    assert counts.faults == {
        (0, "holds NaN or Infinity"): 2,
        (0, "not an object"): 1,
        (1, "not JSON"): 1,
    }


def test_a_type_that_is_no_word_of_fhir_is_never_repeated(
    tmp_path: Path, spool: Path
) -> None:
    counts = of(tmp_path, spool, {"resourceType": "Jane Canary"})
    assert list(counts.types) == [UNNAMED]


def test_medications_and_patients_are_found_across_files(
    tmp_path: Path, spool: Path
) -> None:
    folder = tmp_path / "f"
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "36437"}
    mrn = {"system": "urn:mrn", "value": "1"}
    order = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-02-01",
        "medicationReference": {"reference": "Medication/m1"},
        "subject": {"reference": "Patient?identifier=urn:mrn|1"},
    }
    lines(folder / "1.ndjson", [order, score("a", 1)])
    medication = {
        "resourceType": "Medication",
        "id": "m1",
        "code": {"coding": [coding]},
    }
    lines(folder / "2.ndjson", [medication, {**PATIENT, "identifier": [mrn]}])
    counts = counted(folder, spool)
    assert counts.concepts["medication:sertraline"] == {"entries": 1, "patients": 1}
    assert counts.patients == 1


def test_a_first_look_leaves_out_what_is_large_or_torn(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "f"
    mrn = [{"system": "urn:mrn", "value": "1"}]
    whole(folder / "1.json", {**PATIENT, "identifier": mrn})
    (folder / "2.ndjson").write_bytes(b'{"resourceType": "Patient"\n')
    asking = score("a", 1, subject={"reference": "Patient?identifier=urn:mrn|1"})
    whole(folder / "3.json", asking)
    assert counted(folder, spool).patients == 1
    monkeypatch.setattr(first_look, "_LOOKED_AT", 10)
    assert counted(folder, spool).patients == 2


def test_absolute_references_count_below_the_base(tmp_path: Path, spool: Path) -> None:
    base = "https://ehr.example/r4"
    path = lines(
        tmp_path / "a.ndjson",
        [score("a", 1), score("b", 2, subject={"reference": f"{base}/Patient/p1"})],
    )
    assert counted(path, spool).patients == 2
    assert counted(path, spool, base_url=base).patients == 1


def some_files(folder: Path, order: random.Random) -> Path:
    """The same resources over differently named files, in another order."""
    resources = [score(f"o{n % 40}", n % 27, meta=newer(n % 9 + 1)) for n in range(90)]
    resources += [score(f"q{n}", n, patient="p2") for n in range(9)] * 2
    resources += [{"resourceType": "Encounter"}] * 5
    order.shuffle(resources)
    cut = order.randint(20, 80)
    lines(folder / f"{order.random()}.ndjson", resources[:cut])
    whole(folder / f"{order.random()}.json", bundle(*resources[cut:]))
    return folder


def test_neither_order_nor_files_matter(tmp_path: Path, spool: Path) -> None:
    runs = [
        counted(some_files(tmp_path / str(seed), random.Random(seed)), spool)
        for seed in range(6)
    ]
    assert all(run == runs[0] for run in runs)
    assert runs[0].resources == 113


def test_a_small_piece_of_a_long_file_is_held_at_a_time(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 10)
    monkeypatch.setattr(rows, "_REMEMBERED", 2)
    path = lines(
        tmp_path / "a.ndjson",
        [score(f"o{n}", n % 27, patient=f"p{n}") for n in range(95)],
    )
    run = Import(path, spool, until=UNTIL, options=Options(limits=Limits(line=2_000)))
    most = 0

    def tick(_: Progress) -> None:
        nonlocal most
        most = max(most, len(run._rows))

    assert run.run(tick).resources == 95
    run.finish()
    assert most == 10
