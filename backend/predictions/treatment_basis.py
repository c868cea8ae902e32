"""What advice on medicines rests on, and what is to be said of its record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from backend.predictions.remarks import Remarks, remarks
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.record_case import FromRecord, case_of
from backend.twin.pharmacogenomics.report import Case
from backend.twin.record import PatientRecord, Reason

NO_GENES = "The record has no genetic result: no advice here goes by genes."
NO_MEDICINES = (
    "The EHR gives no medicines: what is taken is not known, and not counted."
)
# What is said of an order that was never to be counted.
_NO_ORDER = frozenset(
    {Reason.ENTERED_IN_ERROR, Reason.CANCELLED, Reason.NOT_FINAL, Reason.DUPLICATE}
    | {Reason.IN_FUTURE, Reason.WRONG_PATIENT}
)


@dataclass(frozen=True, eq=False)
class Basis:
    """A record, what is asked of it, and what else is to be said."""

    record: PatientRecord
    found: FromRecord
    remarks: Remarks

    @property
    def case(self) -> Case:
        """What is asked."""
        return self.found.case


def basis_of(
    record: PatientRecord,
    day: date,
    *,
    medications: Sequence[str],
    given: Population,
) -> Basis:
    """The record as of `day`, with a notice for each thing that is missing from it."""
    found = case_of(record, day, medications=medications, given=given)
    said = remarks(replace(record, treatment_known=True), day)  # said in other words
    notices = (*said.notices, *_notices(record, found))
    return Basis(record, found, replace(said, notices=notices))


def _notices(record: PatientRecord, found: FromRecord) -> Iterator[str]:
    if not record.genotypes:
        yield NO_GENES
    if not record.treatment_known:
        yield NO_MEDICINES
    for name, why in found.unsure.items():
        yield f"Not counted as taken: {name}; {why}."
    unread = _unread_orders(record)
    if unread:
        what = "order or statement" if unread == 1 else "orders or statements"
        yield f"{unread} {what} of medicines could not be read; look in the EHR."
    if found.case.population.age_years is None:
        yield "The age is not known well enough for every rule."


def _unread_orders(record: PatientRecord) -> int:
    """How many resources say something of a medicine that nobody here can read."""
    read = {one.source for one in record.medications}
    lost = {
        one.source
        for one in record.refused
        if one.source.startswith(("MedicationRequest/", "MedicationStatement/"))
        and one.reason not in _NO_ORDER
    }
    return len(lost - read)
