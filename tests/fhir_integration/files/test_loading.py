"""Files in the sandbox EHR: the same ids each time, references that lead on."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrRefused, EhrUnavailable
from fhir_integration.files import loading
from fhir_integration.files.containers import resources_in
from fhir_integration.files.importing import Options
from fhir_integration.files.listing import NothingToRead
from fhir_integration.files.loading import Loaded, load
from fhir_integration.files.placing import Placed, Places
from fhir_integration.files.references import References
from fhir_integration.sandbox import Sandbox
from tests.fhir_integration.files.made_files import (
    UNTIL,
    bundle,
    lines,
    newer,
    score,
    whole,
)

Json = dict[str, Any]
URN = "urn:uuid:0b7f6a1e-0000-4000-8000-000000000001"
PATIENT = {"resourceType": "Patient", "id": "p1"}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "x"}}


def placed(document: Json, source: str = "a") -> list[Json]:
    places = Places(source, References(base_url="", bearer={}.get))
    found = [places.place(one) for one in resources_in(document)]
    return [one.resource for one in found if isinstance(one, Placed)]


def put_in(path: Path, sandbox: Sandbox) -> Loaded:
    *_, last = load(path, sandbox.base_url, until=UNTIL)
    return last


def held(sandbox: Sandbox, kind: str, query: str = "") -> list[Json]:
    url = f"{sandbox.base_url}/{kind}?{query}"
    entries = httpx.get(url, trust_env=False).raise_for_status().json()["entry"]
    return [entry["resource"] for entry in entries]


def test_ids_tell_sources_patients_types_and_ids_apart() -> None:
    one = placed(score("o", 1))[0]["id"]
    assert placed(score("o", 5, status="amended"))[0]["id"] == one
    others = [
        placed(score("o", 1), source="b"),
        placed(score("o", 1, patient="p2")),
        placed(score("x", 1)),
        placed({**score("o", 1), "resourceType": "Condition"}),
        placed({**score("o", 1), "id": "a b"}),
        placed({**score("o", 2), "id": "a b"}),
    ]
    assert len({one, *(other[0]["id"] for other in others)}) == 7


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "Patient/p1/_history/2", "http://a.example/Patient/9", URN],
)
def test_a_patient_is_referred_to_by_the_new_id(reference: str) -> None:
    entries = [
        {"fullUrl": URN, "resource": PATIENT},
        {"resource": score("o", 1, subject={"reference": reference, "display": "d"})},
        {"fullUrl": "http://a.example/Patient/9", "resource": {**PATIENT, "id": "9"}},
    ]
    first, observed, second = placed({"resourceType": "Bundle", "entry": entries})
    expected = second if reference.startswith("http") else first
    assert observed["subject"] == {
        "reference": f"Patient/{expected['id']}",
        "display": "d",
    }


def test_references_among_a_patient_s_resources_are_moved_along() -> None:
    links = {
        "hasMember": [{"reference": "Observation/other"}, {"reference": 7}],
        "performer": [{"reference": "Practitioner/x"}, {"reference": "#in"}],
        "encounter": {"reference": "Encounter/e1/_history/3"},
        "focus": [{"reference": "Patient/p2"}, {"reference": "odd odd"}],
    }
    order = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/m1"},
    }
    moved, other, encounter, patient, medication, request = placed(
        bundle(
            score("o", 1, **links),
            score("other", 2),
            {**score("e1", 1), "resourceType": "Encounter"},
            {**PATIENT, "id": "p2"},
            MEDICATION,
            order,
        )
    )
    assert moved["hasMember"][0] == {"reference": f"Observation/{other['id']}"}
    assert moved["hasMember"][1] == {"reference": 7}
    assert moved["performer"] == links["performer"]
    assert moved["encounter"] == {"reference": f"Encounter/{encounter['id']}"}
    assert moved["focus"][0] == {"reference": f"Patient/{patient['id']}"}
    assert moved["focus"][1] == {"reference": "odd odd"}
    expected = {"reference": f"Medication/{medication['id']}"}
    assert request["medicationReference"] == expected


def test_medications_of_two_patients_bundles_are_kept_apart() -> None:
    first, second = (
        placed(bundle({**PATIENT, "id": own_id}, MEDICATION))[1]["id"]
        for own_id in ("p1", "p2")
    )
    assert first != second
    alone = placed(MEDICATION)[0]["id"]
    assert alone not in {first, second}


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Organization", "id": "x"},
        {"resourceType": "Patient"},
        {"resourceType": "MedicationOrder", "patient": {"reference": "Patient/p1"}},
        {"resourceType": "Nothing", "subject": {"reference": "Patient/p1"}},
        {"subject": {"reference": "Patient/p1"}},
        score("o", 1, subject={"display": "somebody"}),
        bundle(score("o", 1), {"resourceType": "MedicationOrder"}),
    ],
)
def test_what_carries_no_patient_or_is_no_r4_is_left_out(resource: Json) -> None:
    assert placed(resource) == []


def test_the_ehr_holds_everything_once_however_often_it_is_put_in(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PAGE", 4)
    folder = tmp_path / "f"
    mrn = {"system": "urn:mrn", "value": "1"}
    by_identifier = {"reference": "Patient?identifier=urn:mrn|1"}
    lines(
        folder / "a.ndjson",
        [
            *(score(f"o{n}", n) for n in range(10)),
            score("late", 3, effectiveDateTime="2026-03-01"),
            score("c", 12, subject=by_identifier),
        ],
    )
    whole(folder / "b.json", bundle({**PATIENT, "id": "p2"}, score("o1", 1)))
    lines(folder / "c.ndjson", [{**PATIENT, "identifier": [mrn]}, MEDICATION])
    (folder / "d.json").write_bytes(b"torn")
    first = put_in(folder, sandbox)
    journal = (tmp_path / "ehr.ndjson").read_bytes()
    assert first.sent == 15
    assert first.left_out == {"duplicate": 1, "malformed": 1}
    assert len(first.patients) == 2
    (patient,) = first.last_entries
    assert first.last_entries == {patient: date(2026, 2, 13)}
    assert len(held(sandbox, "Observation", f"patient={patient}")) == 12
    assert put_in(folder, sandbox) == first
    assert (tmp_path / "ehr.ndjson").read_bytes() == journal


def test_absolute_references_below_the_base_lead_to_the_patient(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    base = "https://ehr.example/fhir"
    subject = {"reference": f"{base}/Patient/p1"}
    report = tmp_path / "f" / "report.json"
    path = lines(tmp_path / "f" / "a.ndjson", [PATIENT, score("a", 1, subject=subject)])
    report.write_bytes(b"{}")
    options = Options(base_url=base, besides=report)
    *_, done = load(path.parent, sandbox.base_url, until=UNTIL, options=options)
    assert set(done.last_entries) == done.patients
    assert done.left_out == {}


@pytest.mark.parametrize(
    ("entries", "size", "pages"),
    [
        (100, 10**6, [7]),
        (3, 10**6, [3, 3, 1]),
        (100, 1, [1] * 7),
        (2, 900, [2, 2, 2, 1]),
    ],
)
def test_a_batch_is_bounded_in_entries_and_bytes(
    *, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch,
    entries: int, size: int, pages: list[int],
) -> None:  # fmt: skip
    monkeypatch.setattr(loading, "PAGE", entries)
    monkeypatch.setattr(loading, "PAGE_BYTES", size)
    sent: list[int] = []
    real = loading._send

    def send(page: Any, connection: Any) -> None:
        sent.append(len(page))
        real(page, connection)

    monkeypatch.setattr(loading, "_send", send)
    path = lines(tmp_path / "a.ndjson", [score(f"o{n}", n) for n in range(7)])
    assert put_in(path, sandbox).sent == 7
    assert sent == pages


def test_what_is_left_out_is_counted_under_its_true_reason(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = lines(
        tmp_path / "a.ndjson",
        [
            score("a", 1, meta=newer(2)),
            score("a", 1, meta=newer(1)),
            score("b", 1, subject={"display": "somebody"}),
            {"resourceType": "MedicationOrder", "id": "m"},
            {"resourceType": "Bundle"},
            {"a": 1},
        ],
    )
    with path.open("ab") as file:
        file.write(b"{torn")
    assert put_in(path, sandbox).left_out == {
        "duplicate": 1,
        "no-patient": 1,
        "wrong-fhir-version": 1,
        "no-value": 1,
        "not-fhir": 1,
        "malformed": 1,
    }


def test_of_several_versions_the_newest_is_put_in(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    versions = [score("a", 3, meta=newer(n), status="final") for n in (1, 3, 2)]
    versions[1]["status"] = "entered-in-error"
    for turn, resources in enumerate((versions, versions[::-1])):
        path = tmp_path / "a.ndjson"
        done = put_in(lines(path, resources), sandbox)
        assert (done.sent, done.left_out) == (1, {"duplicate": 2}), turn
        (one,) = held(sandbox, "Observation")
        assert one["status"] == "entered-in-error"
        assert one["meta"]["versionId"] == "1"
        assert done.last_entries == {}


def test_the_patients_with_values_of_wearables_are_told(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    pulse = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "valueQuantity": {"value": 61, "unit": "/min"},
        "effectiveDateTime": "2026-02-01T08:00:00+01:00",
    }
    absent = {"valueQuantity": {"value": 0, "unit": "/min"}}
    path = lines(
        tmp_path / "a.ndjson",
        [
            *(PATIENT | {"id": own_id} for own_id in ("p1", "p2", "p3")),
            score("a", 1, **pulse),
            score("b", 1, patient="p2"),
            score("c", 1, patient="p3", **{**pulse, **absent}),
        ],
    )
    done = put_in(path, sandbox)
    (own,) = done.wearables
    (found,) = held(sandbox, "Observation", f"patient={own}")
    assert found["valueQuantity"]["value"] == 61
    assert own not in done.last_entries and len(done.last_entries) == 1


def test_nothing_to_read_and_no_ehr_are_errors(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with pytest.raises(NothingToRead):
        put_in(tmp_path / "nowhere", sandbox)
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    with pytest.raises((EhrRefused, EhrUnavailable)):
        list(load(path, f"{sandbox.base_url}/no", until=UNTIL))
