"""An id names somebody at one server only: nobody is merged, nobody is split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_integration.files.containers import resources_in
from fhir_integration.files.placing import Placed, Places
from fhir_integration.files.references import References
from fhir_integration.files.scope import server_of
from tests.fhir_integration.files.made_files import counted, lines, newer, score, whole

Json = dict[str, Any]
NORTH, SOUTH = "https://north.example/fhir", "https://south.example/fhir"
PATIENT: Json = {"resourceType": "Patient", "id": "1"}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SERTRALINE, FLUOXETINE = "36437", "4493"


def at(server: str, resource: Json) -> Json:
    url = f"{server}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource}


def held(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def about(reference: str, own_id: str, value: float) -> Json:
    return score(own_id, value, subject={"reference": reference})


def medication(code: str, **more: Any) -> Json:
    coding = [{"system": RXNORM, "code": code}]
    code_of = {"resourceType": "Medication", "id": "m", "code": {"coding": coding}}
    return {**code_of, **more}


def order(own_id: str, patient: str = "Patient/1", at: str = "Medication/m") -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": own_id,
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-02-01",
        "subject": {"reference": patient},
        "medicationReference": {"reference": at},
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{NORTH}/Patient/1", NORTH),
        (f"{NORTH}/Patient/1/_history/2", NORTH),
        ("https://a.example/Patient/1", "https://a.example"),
        ("https://a.example/x/1", "https://a.example"),
        ("https://a.example", "https://a.example"),
        ("urn:uuid:1", ""),
        ("Patient/1", ""),
        (7, ""),
    ],
)
def test_a_url_names_its_server(url: object, expected: str) -> None:
    assert server_of(url) == expected


BOTH = (at(NORTH, PATIENT), at(SOUTH, PATIENT))


@pytest.mark.parametrize(
    ("entries", "patients"),
    [
        (BOTH, 2),
        ((*BOTH, at(NORTH, about(f"{NORTH}/Patient/1", "a", 1)),
          at(SOUTH, about(f"{SOUTH}/Patient/1", "b", 1))), 2),
        ((*BOTH, at(NORTH, about("Patient/1", "a", 1)),
          at(SOUTH, about("Patient/1", "a", 1))), 2),
        ((at(NORTH, PATIENT), at(SOUTH, about("Patient/1", "a", 1))), 2),
        ((at(NORTH, PATIENT), at(NORTH, about("Patient/1", "a", 1))), 1),
        ((at(NORTH, PATIENT), {"resource": about("Patient/1", "a", 1)}), 1),
        (({"resource": PATIENT}, at(NORTH, about("Patient/1", "a", 1))), 1),
        (({"fullUrl": f"{NORTH}/x", "resource": PATIENT},
          at("https://north.example", about("Patient/1", "a", 1))), 1),
    ],
)  # fmt: skip
def test_entries_of_one_id_are_of_their_servers(
    tmp_path: Path, entries: tuple[Json, ...], patients: int
) -> None:
    for turn in (entries, entries[::-1]):
        path = whole(tmp_path / "b.json", held(*turn))
        counts = counted(path, tmp_path / "spool")
        assert (counts.patients, counts.refused) == (patients, {})


def test_a_reference_that_could_be_either_is_the_source_s_own(tmp_path: Path) -> None:
    one = {"resource": about("Patient/1", "a", 1)}
    path = whole(tmp_path / "b.json", held(*BOTH, one))
    plain = counted(path, tmp_path / "spool")
    assert (plain.used, plain.patients) == (3, 3)


def test_bundle_files_of_different_servers_are_kept_apart(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    for name, server in (("a", NORTH), ("b", SOUTH)):
        entries = at(server, PATIENT), at(server, about("Patient/1", "o", 3))
        whole(folder / f"{name}.json", held(*entries))
    counts = counted(folder, tmp_path / "spool")
    assert (counts.used, counts.patients, counts.refused) == (4, 2, {})
    lines(folder / "c.ndjson", [about("Patient/1", "own", 4)])
    assert counted(folder, tmp_path / "spool").patients == 3
    assert counted(folder, tmp_path / "spool", base_url=SOUTH).patients == 2


def test_a_medication_of_the_same_server_is_meant(tmp_path: Path) -> None:
    entries = [
        *BOTH,
        at(NORTH, medication(SERTRALINE)),
        at(SOUTH, medication(FLUOXETINE)),
        at(SOUTH, order("r")),
        at(NORTH, order("q", at=f"{SOUTH}/Medication/m")),
    ]
    for turn in (entries, entries[::-1]):
        path = whole(tmp_path / "b.json", held(*turn))
        found = counted(path, tmp_path / "spool").concepts
        assert found["medication:fluoxetine"] == {"entries": 2, "patients": 2}


@pytest.mark.parametrize("in_bundle", [False, True])
def test_the_newest_version_of_a_medication_counts(
    tmp_path: Path, in_bundle: bool
) -> None:
    versions = [
        medication(SERTRALINE, meta=newer(1)),
        medication(FLUOXETINE, meta=newer(2)),
        order("r"),
    ]
    for turn in (versions, versions[::-1]):
        if in_bundle:
            entries = [{"resource": one} for one in turn]
            path = whole(tmp_path / "b.json", held(*entries))
        else:
            path = lines(tmp_path / "a.ndjson", turn)
        found = counted(path, tmp_path / "spool").concepts
        assert list(found) == ["medication:fluoxetine"]


def placed(*entries: Json, base_url: str = "") -> list[Json]:
    places = Places("a", References(base_url=base_url, bearer={}.get))
    found = [places.place(one) for one in resources_in(held(*entries))]
    return [one.resource for one in found if isinstance(one, Placed)]


def test_an_ehr_holds_the_patients_of_two_servers_apart() -> None:
    north, south, a, b, medicine, request = placed(
        *BOTH,
        at(NORTH, about("Patient/1", "a", 1)),
        at(SOUTH, about(f"{SOUTH}/Patient/1", "a", 1)),
        at(SOUTH, medication(SERTRALINE)),
        at(SOUTH, order("r")),
    )
    assert north["id"] != south["id"]
    assert a["subject"] == {"reference": f"Patient/{north['id']}"}
    assert b["subject"] == {"reference": f"Patient/{south['id']}"}
    assert a["id"] != b["id"]
    assert request["medicationReference"] == {
        "reference": f"Medication/{medicine['id']}"
    }


def test_what_lies_at_another_server_is_not_moved() -> None:
    links = {"hasMember": [{"reference": f"{NORTH}/Observation/x"}]}
    links["focus"] = [{"reference": "Patient?identifier=urn:a|http://x/Patient/1"}]
    (one,) = placed(at(SOUTH, {**about("Patient/1", "a", 1), **links}))
    assert {name: one[name] for name in links} == links
    (own,) = placed({"resource": {**about("Patient/1", "a", 1), **links}},
                    base_url=NORTH)  # fmt: skip
    assert own["hasMember"] != links["hasMember"]
