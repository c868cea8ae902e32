"""One simulated patient whose genes and medicines do not go together.

CYP2C19 works hardly at all, and citalopram, which it breaks down, is taken; CYP2D6 is
normal by the genes, and bupropion, which is taken too, inhibits it. Of HLA nothing is
known. The orders are of one day, so every run sees the same record.
"""

from __future__ import annotations

from datetime import date

from backend.twin.genes import GeneCall
from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.person import Person
from backend.twin.record import PatientRecord

LABEL = "patient-8"
TESTED = date(2024, 1, 15)
ORDERED = date(2024, 2, 1)
CALLS = (("CYP2C19", "*2/*2"), ("CYP2D6", "*1/*1"))
TAKEN = (("citalopram", "2556"), ("bupropion", "42347"))  # ingredient, RxNorm code
BORN = date(1979, 6, 5)


def treatment_records() -> dict[str, PatientRecord]:
    """The patient by label; nobody asked this one for symptoms."""
    calls = (GeneCall(gene, said, "", None, TESTED, "") for gene, said in CALLS)
    orders = (
        MedicationEvent(
            ingredients=(ingredient,),
            code=code,
            change=MedicationChange.START,
            day=ORDERED,
            at="",
            dose=None,
            source="",
            state=CourseState.ACTIVE,
        )
        for ingredient, code in TAKEN
    )
    record = PatientRecord(
        series=(),
        genotypes=tuple(calls),
        medications=tuple(orders),
        person=Person(BORN, BORN),
    )
    return {LABEL: record}
