"""A run over files: each resource once, whatever the order, whatever is in them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.files import first_look, importing, rows
from fhir_integration.files.documents import Limits
from fhir_integration.files.importing import Import, Options, Progress
from fhir_integration.files.rows import UNNAMED, UNREADABLE
from fhir_integration.files.spool import SpoolMismatch
from fhir_integration.files.verdict import Counts
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


@pytest.mark.parametrize("after", ["looking", "150", "1100", "counting"])
def test_a_killed_run_goes_on_and_reports_the_same(
    tmp_path: Path, spool: Path, after: str
) -> None:
    folder = tmp_path / "f"
    resources = [score(f"o{n}", n % 27, patient=f"p{n % 9}") for n in range(700)]
    lines(folder / "a.ndjson", resources)
    whole(folder / "b.json", bundle(*resources[:300]))
    lines(folder / "c.ndjson", [*resources[200:], {"resourceType": "Encounter"}])
    with (folder / "a.ndjson").open("ab") as file:
        file.write(b"{torn\n")
    once = counted(folder, spool)
    driver = "import fhir_integration.files.importing as i; i._AT_ONCE = 100; "
    driver += "from tests.fhir_integration.files import killed_import; "
    driver += "killed_import.main(*__import__('sys').argv[1:])"
    killed = subprocess.run(
        [sys.executable, "-c", driver, str(folder), str(spool), after],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    resumed = Import(folder, spool, until=date(2030, 1, 1))
    seen: list[Progress] = []
    assert resumed.run(seen.append) == once
    resumed.finish()
    assert once.resources == 1502
    if after == "1100":  # what was kept is not read again
        assert max(one.resources for one in seen) < 600
    assert list(spool.parent.iterdir()) == []


def begun(folder: Path, spool: Path) -> None:
    """A run that was cut off."""
    Import(folder, spool, until=UNTIL).close()


@pytest.mark.parametrize("change", ["content", "more", "less", "options"])
def test_a_changed_source_is_not_gone_on_with(
    tmp_path: Path, spool: Path, change: str
) -> None:
    folder = tmp_path / "f"
    for name in ("a", "b"):
        lines(folder / f"{name}.ndjson", [score("a", 1)])
    begun(folder, spool)
    options = Options(base_url="https://x.example" if change == "options" else "")
    if change == "content":
        lines(folder / "b.ndjson", [score("b", 2)])
    elif change == "more":
        lines(folder / "c.ndjson", [score("b", 2)])
    elif change == "less":
        (folder / "b.ndjson").unlink()
    with pytest.raises(SpoolMismatch, match="--fresh starts anew"):
        Import(folder, spool, until=UNTIL, options=options)
    fresh = Import(folder, spool, until=UNTIL, options=options, fresh=True)
    assert not fresh.resumed
    assert fresh.run().used == (2 if change in {"content", "more"} else 1)
    fresh.finish()


def test_two_runs_at_once_are_refused(tmp_path: Path, spool: Path) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    first = Import(path, spool, until=UNTIL)
    with pytest.raises(SpoolMismatch, match="another import of the same files"):
        Import(path, spool, until=UNTIL)
    assert first.run().used == 1
    first.finish()


@pytest.mark.parametrize("how", ["damaged", "old"])
def test_a_spool_that_cannot_be_read_is_not_gone_on_with(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    if how == "old":
        begun(path, spool)
        monkeypatch.setattr("fhir_integration.files.spool._FORMAT", "0")
    else:
        spool.parent.mkdir()
        spool.write_bytes(b"no database" * 1_000)
    with pytest.raises(SpoolMismatch, match="--fresh starts anew"):
        Import(path, spool, until=UNTIL)


def test_the_spool_is_its_owner_s_and_holds_nothing_of_a_record(
    tmp_path: Path, spool: Path
) -> None:
    spool.parent.mkdir()
    mrn = [{"system": "urn:mrn", "value": "canary-mrn"}]
    run = Import(
        lines(
            tmp_path / "canary-file.ndjson",
            [
                {**PATIENT, "id": "canary-p", "identifier": mrn},
                score("canary-id", 7, patient="canary-p", identifier=mrn),
                {"resourceType": "canary-type", "id": "canary-q"},
            ],
        ),
        spool,
        until=UNTIL,
    )
    run.run()
    run.close()
    assert spool.stat().st_mode & 0o777 == 0o600
    content = b"".join(one.read_bytes() for one in spool.parent.iterdir())
    assert b"canary" not in content
    assert b"2026-02-08" not in content  # the entry's day


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
