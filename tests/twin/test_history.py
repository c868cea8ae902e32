"""What treatment leaves in a record: it changes the record's digest, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from backend.twin.history import (
    Certainty,
    ClinicalState,
    Diagnosis,
    Dose,
    MedicationChange,
    MedicationEvent,
)
from backend.twin.record import PatientRecord

START = MedicationEvent(
    ingredients=("sertraline",),
    code="36437",
    change=MedicationChange.START,
    day=date(2026, 1, 5),
    at="",
    dose=None,
    source="MedicationRequest/a",
)
STOP = replace(START, change=MedicationChange.STOP, day=None)
DEPRESSION = Diagnosis(
    concept="depression",
    system="http://hl7.org/fhir/sid/icd-10-cm",
    code="F32.9",
    state=ClinicalState.ACTIVE,
    certainty=Certainty.CONFIRMED,
    onset=None,
    resolved=None,
    source="Condition/a",
)


@pytest.mark.parametrize(
    "changed",
    [
        replace(START, ingredients=("fluoxetine",)),
        replace(START, day=None),
        replace(START, dose=Dose(50.0, "mg")),
        replace(START, dose=Dose(50.0, "mg", 1.0)),
        STOP,
    ],
)
def test_a_medicine_changes_the_digest(changed: MedicationEvent) -> None:
    first, second = _record(START), _record(changed)
    assert first.digest != second.digest


@pytest.mark.parametrize(
    "changed",
    [
        replace(DEPRESSION, state=ClinicalState.UNKNOWN),
        replace(DEPRESSION, certainty=Certainty.REFUTED),
        replace(DEPRESSION, onset=date(2026, 1, 5)),
    ],
)
def test_a_diagnosis_changes_the_digest(changed: Diagnosis) -> None:
    before = PatientRecord(series=(), diagnoses=(DEPRESSION,))
    assert before.digest != PatientRecord(series=(), diagnoses=(changed,)).digest


def test_order_does_not() -> None:
    assert _record(START, STOP).digest == _record(STOP, START).digest


def _record(*events: MedicationEvent) -> PatientRecord:
    return PatientRecord(series=(), medications=events)
