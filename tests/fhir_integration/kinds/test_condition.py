"""Conditions in every shape that records hold; one row per rule."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.history import Certainty, ClinicalState, Diagnosis
from backend.twin.record import Reason
from fhir_integration.kinds.condition import read_condition
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject

ANNA = Subject.at("https://ehr.example/fhir", "anna")
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SCT = "http://snomed.info/sct"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
DAY = date(2024, 5, 1)


def _coded(system: object, code: object) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _made(**fields: object) -> Json:
    resource = {
        "resourceType": "Condition",
        "clinicalStatus": _coded(CLINICAL, "active"),
        "verificationStatus": _coded(VERIFIED, "confirmed"),
        "code": _coded(ICD, "F32.9"),
        "subject": {"reference": "Patient/anna"},
        **fields,
    }
    return {key: value for key, value in resource.items() if value is not None}


def _read(resource: Json) -> tuple[Diagnosis | Refused, ...]:
    return read_condition(resource, subject=ANNA, source="Condition/a")


def _diagnosis(resource: Json) -> Diagnosis:
    (found,) = _read(resource)
    assert isinstance(found, Diagnosis)
    return found


def test_a_whole_condition() -> None:
    made = _made(onsetDateTime="2024-05-01", category=None)
    assert _diagnosis(made) == Diagnosis(
        concept="depression",
        system=ICD,
        code="F32.9",
        state=ClinicalState.ACTIVE,
        certainty=Certainty.CONFIRMED,
        onset=DAY,
        resolved=None,
        source="Condition/a",
    )


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        (_coded(ICD, "F32.9"), "depression"),
        (_coded(ICD, "F329"), "depression"),
        (_coded("urn:oid:2.16.840.1.113883.6.90", "F31.9"), "bipolar"),
        (_coded(SCT, "47505003"), "ptsd"),
        (_coded("urn:oid:2.16.840.1.113883.6.96", "55680006"), "overdose"),
        (
            {
                "coding": [
                    "not an object",
                    {"display": "Schizophrenia"},
                    {"system": [ICD], "code": "F20.0"},
                    {"system": ICD, "code": 20},
                    {"system": SCT, "code": "38341003"},
                    {"system": SCT, "code": "192127007", "display": "De\u200bpression"},
                    {"system": ICD, "code": "F32.9"},
                ]
            },
            "adhd",
        ),
    ],
)
def test_codes(code: Json, concept: str) -> None:
    assert _diagnosis(_made(code=code)).concept == concept


@pytest.mark.parametrize(
    ("clinical", "state"),
    [
        (_coded(CLINICAL, "active"), ClinicalState.ACTIVE),
        (_coded(CLINICAL, "recurrence"), ClinicalState.ACTIVE),
        (_coded(CLINICAL, "relapse"), ClinicalState.ACTIVE),
        (_coded(CLINICAL, "inactive"), ClinicalState.INACTIVE),
        (_coded(CLINICAL, "remission"), ClinicalState.REMISSION),
        (_coded(CLINICAL, "resolved"), ClinicalState.RESOLVED),
        (_coded(CLINICAL, "bogus"), ClinicalState.UNKNOWN),
        (_coded("urn:local", "active"), ClinicalState.UNKNOWN),
        (_coded(CLINICAL, ["active"]), ClinicalState.UNKNOWN),
        ({"text": "active"}, ClinicalState.UNKNOWN),
        ("active", ClinicalState.UNKNOWN),
        (None, ClinicalState.UNKNOWN),  # missing in most of one public measure
    ],
)
def test_states(clinical: object, state: ClinicalState) -> None:
    assert _diagnosis(_made(clinicalStatus=clinical)).state is state


@pytest.mark.parametrize(
    ("code", "clinical", "state"),
    [
        ("F33.42", "active", ClinicalState.REMISSION),
        ("F33.42", None, ClinicalState.REMISSION),
        ("F33.42", "remission", ClinicalState.REMISSION),
        ("F33.42", "resolved", ClinicalState.RESOLVED),
        ("F33.42", "inactive", ClinicalState.INACTIVE),
        ("F33.42", "relapse", ClinicalState.ACTIVE),
        ("F33.42", "recurrence", ClinicalState.ACTIVE),
        ("F33.1", "active", ClinicalState.ACTIVE),
        ("T43.222S", None, ClinicalState.INACTIVE),
        ("T43.222S", "active", ClinicalState.ACTIVE),
        ("T43.222A", None, ClinicalState.UNKNOWN),
        ("Z91.51", None, ClinicalState.INACTIVE),
        ("Z91.51", "resolved", ClinicalState.RESOLVED),
    ],
)
def test_a_code_that_says_the_state(
    code: str, clinical: str | None, state: ClinicalState
) -> None:
    status = clinical and _coded(CLINICAL, clinical)
    made = _made(code=_coded(ICD, code), clinicalStatus=status)
    assert _diagnosis(made).state is state


@pytest.mark.parametrize(
    ("code", "certainty"),
    [
        ("confirmed", Certainty.CONFIRMED),
        ("provisional", Certainty.PROVISIONAL),
        ("differential", Certainty.PROVISIONAL),
        ("unconfirmed", Certainty.PROVISIONAL),
        ("refuted", Certainty.REFUTED),
        ("bogus", Certainty.UNKNOWN),
        (None, Certainty.UNKNOWN),
    ],
)
def test_certainties(code: str | None, certainty: Certainty) -> None:
    verified = code and _coded(VERIFIED, code)
    assert _diagnosis(_made(verificationStatus=verified)).certainty is certainty


@pytest.mark.parametrize(
    ("fields", "onset", "resolved"),
    [
        ({}, None, None),
        ({"onsetDateTime": "2024-05-01T23:30:00-05:00"}, DAY, None),
        ({"onsetPeriod": {"start": "2024-05-01", "end": "2024-06-01"}}, DAY, None),
        ({"onsetPeriod": {"end": "2024-06-01"}}, None, None),
        ({"onsetPeriod": "2024-05-01"}, None, None),
        ({"onsetAge": {"value": 30, "code": "a"}}, None, None),
        ({"onsetString": "2024-05-01"}, None, None),
        ({"recordedDate": "2024-05-01"}, None, None),
        ({"abatementDateTime": "2024-05-01"}, None, DAY),
        (
            {"abatementPeriod": {"start": "2024-04-01", "end": "2024-05-01"}},
            None,
            DAY,
        ),
        ({"abatementAge": {"value": 30}}, None, None),
        ({"abatementString": "in spring"}, None, None),
        (
            {"onsetDateTime": "2024-05-01", "abatementDateTime": "2024-05-01"},
            DAY,
            DAY,
        ),
    ],
)
def test_dates(fields: Json, onset: date | None, resolved: date | None) -> None:
    found = _diagnosis(_made(**fields))
    assert (found.onset, found.resolved) == (onset, resolved)


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"onsetDateTime": "2024-05"}, [Reason.PARTIAL_DATE]),
        ({"onsetDateTime": "2024"}, [Reason.PARTIAL_DATE]),
        ({"abatementDateTime": 2024}, [Reason.MALFORMED]),
        ({"onsetDateTime": "2024", "abatementDateTime": "2025"}, [Reason.PARTIAL_DATE]),
        (
            {"onsetDateTime": "2024", "abatementDateTime": "soon"},
            [Reason.MALFORMED, Reason.PARTIAL_DATE],
        ),
    ],
)
def test_the_diagnosis_outlives_its_dates(fields: Json, reasons: list[Reason]) -> None:
    found, *refused = _read(_made(**fields))
    assert isinstance(found, Diagnosis)
    assert (found.onset, found.resolved) == (None, None)
    assert refused == [Refused(reason) for reason in reasons]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (_made(resourceType="Observation"), Reason.WRONG_TYPE),
        (_made(resourceType=None), Reason.WRONG_TYPE),
        (
            _made(verificationStatus=_coded(VERIFIED, "entered-in-error")),
            Reason.ENTERED_IN_ERROR,
        ),
        *(
            (_made(verificationStatus={"coding": inner}), Reason.ENTERED_IN_ERROR)
            for inner in (
                [{"code": "entered-in-error"}],
                [{"system": "urn:local", "code": "entered-in-error"}],
                [
                    {"system": VERIFIED, "code": "confirmed"},
                    {"code": "entered-in-error"},
                ],
            )
        ),
        (_made(subject={"reference": "Patient/bert"}), Reason.WRONG_PATIENT),
        (_made(subject={"display": "Anna"}), Reason.WRONG_PATIENT),
        (_made(code=_coded(SCT, "38341003")), Reason.UNKNOWN_CODE),
        (_made(code=_coded(ICD, "Z51.5")), Reason.UNKNOWN_CODE),
        (_made(code={"text": "depression"}), Reason.UNKNOWN_CODE),
        (_made(code="F32.9"), Reason.UNKNOWN_CODE),
        (_made(code=None), Reason.UNKNOWN_CODE),
        (
            _made(subject=None, code=None),
            Reason.WRONG_PATIENT,
        ),
    ],
)
def test_refusals(resource: Json, reason: Reason) -> None:
    assert _read(resource) == (Refused(reason),)


@given(
    st.sampled_from([*_made(), "onsetDateTime", "onsetPeriod", "abatementPeriod"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["coding", "system", "code", "start", "end"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    ),
)
def test_it_never_raises(field: str, value: object) -> None:
    found = _read({**_made(), field: value})
    assert all(isinstance(one, Diagnosis | Refused) for one in found)


def test_the_conditions_of_the_public_patients(shared: Path) -> None:
    """As its README counts the codes, but for two codes that it does not map."""
    found: Counter[str] = Counter()
    for path in (shared / "data" / "fhir" / "demo").rglob("*.json"):
        for entry in orjson.loads(path.read_bytes())["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "Condition":
                reference = resource["subject"]["reference"]
                subject = Subject("", frozenset({reference}))
                results = read_condition(resource, subject=subject, source="")
                found.update(
                    one.reason if isinstance(one, Refused) else one.concept
                    for one in results
                )
    assert found == {
        "depression": 30 + 13 + 2 + 1,
        "overdose": 7,
        "adhd": 5,
        "alcohol-use": 3,
        "bipolar": 3,
        "opioid-use": 2,
        "pregnancy": 2,
        "autism": 1,
        "ptsd": 1,
        "schizophrenia": 1,
        "unknown-code": 144,
    }
