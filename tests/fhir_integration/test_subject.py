from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.reader import read_record
from fhir_integration.subject import Subject
from tests.fhir_integration.made import BASE, SINCE, UNTIL, observation

OURS = Subject.at(f"{BASE}/", "p1")


def about(reference: object) -> dict[str, Any]:
    return observation(subject={"reference": reference})


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "Patient/p1/_history/2",
        f"{BASE}/Patient/p1",
        f"{BASE}/Patient/p1/_history/2",
    ],
)
def test_a_reference_at_this_ehr_is_our_patient(reference: str) -> None:
    assert OURS.owns(about(reference))


@pytest.mark.parametrize(
    "reference",
    [
        "https://other-hospital.example/fhir/Patient/p1",
        "https://ehr.example:8443/other/Patient/p1",
        "https://ehr.example/fhir/Patient/p1",  # another port
        f"{BASE}/nested/Patient/p1",
        "/Patient/p1",
        "x/Patient/p1",
        "urn:uuid:p1",
        "#p1",
        "p1",
        "",
        None,
        7,
    ],
)
def test_any_other_reference_is_not(reference: object) -> None:
    assert not OURS.owns(about(reference))


def test_the_base_counts_as_configured_and_as_normalised() -> None:
    subject = Subject.at("https://EHR.example:443/fhir", "p1")
    assert subject.owns(about("https://EHR.example:443/fhir/Patient/p1"))
    assert subject.owns(about("https://ehr.example/fhir/Patient/p1"))


def test_without_a_base_only_relative_references_count() -> None:
    subject = Subject.at("", "p1")
    assert subject.owns(about("Patient/p1"))
    assert not subject.owns(about(f"{BASE}/Patient/p1"))


@pytest.mark.parametrize(
    ("reference", "another"),
    [
        ("Patient/p2", True),
        ("Patient/p2/_history/1", True),
        ("https://other-hospital.example/fhir/Patient/p2", True),
        ("https://other-hospital.example/fhir/Patient/p1", False),
        ("Patient/p1", False),
        ("Group/p2", False),
        ("urn:uuid:p2", False),
        (None, False),
    ],
)
def test_only_another_id_names_another_patient(
    reference: object, another: bool
) -> None:
    assert OURS.is_another(about(reference)) is another


@pytest.mark.parametrize(
    ("focus", "owned", "another"),
    [
        ([], True, False),
        ([{"reference": "Patient/p1"}], True, False),
        ([{"reference": f"{BASE}/Patient/p1/_history/2"}], True, False),
        (
            [{"reference": "Condition/c1"}, {"reference": f"{BASE}/Procedure/1"}],
            True,
            0,
        ),
        ([{"reference": "Patient/p1"}, {"reference": "Patient/p2"}], False, True),
        ([{"reference": "RelatedPerson/p1"}], False, True),
        ([{"reference": "Device/1"}], False, False),
        ([{"reference": "Patient/Condition"}], False, True),
        ([{"reference": "#c"}], False, False),
        ([{"display": "the fetus"}], False, False),
        ({"reference": "Patient/p1"}, True, False),
        ("Patient/p1", False, False),
        (None, False, False),
        ([7], False, False),
    ],
)
def test_a_focus_may_be_somebody_else(focus: Any, owned: bool, another: bool) -> None:
    resource = {**about("Patient/p1"), "focus": focus}
    assert OURS.owns(resource) is owned
    assert OURS.is_another(resource) is bool(another)


def test_a_merged_record_names_the_patient_too() -> None:
    subject = Subject.at(BASE, "p1", also=["p2"])
    for reference in ("Patient/p2", f"{BASE}/Patient/p2/_history/1", "Patient/p1"):
        assert subject.owns(about(reference))
        assert not subject.is_another(about(reference))
    assert not subject.owns(about("Patient/p3"))
    assert subject.is_another(about("Patient/p3"))


def test_the_reader_takes_the_sites_base() -> None:
    found = {
        base: read_record(
            [about(f"{BASE}/Patient/p1")],
            ehr_patient="p1", since=SINCE, until=UNTIL, base_url=base,
        )
        for base in (BASE, "https://other-hospital.example/fhir", "")
    }  # fmt: skip
    assert [len(record.series) for record in found.values()] == [1, 0, 0]
    assert found[""].refused[0].reason is Reason.WRONG_PATIENT
