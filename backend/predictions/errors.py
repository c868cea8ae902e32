"""What this room adds to the tree in `backend.twin.errors`.

InsufficientData
 ├─ NoHistory        an empty record; carries what else there is to say of it
 ├─ DayOutOfRange    a day that no record can reach
 ├─ DaysOutOfRange   no days, or more than are looked at
 ├─ TooManySamples   more values of wearables than are looked at at once
 └─ TooManyMedications  more medicines than one answer may be asked about
ModelUnavailable
 └─ ModelsDown       no model answers and nothing stored may stand in; carries the same
SealBroken
 └─ PatientErased    the patient's key was destroyed, and all of their data with it
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from backend.people.models import PatientKey
from backend.predictions.remarks import Remarks
from backend.twin.errors import InsufficientData, ModelUnavailable, SealBroken


class NoHistory(InsufficientData):
    """The record holds no entry to forecast from.

    `remarks` is what it does hold: an urgent finding needs no forecast to be said.
    Neither message nor arguments name it.
    """

    def __init__(self, remarks: Remarks) -> None:
        super().__init__(("symptom history",))
        self.remarks = remarks


class DayOutOfRange(InsufficientData):
    """A forecast was asked for a day before the first or after the latest one."""

    def __init__(self, first: date, last: date) -> None:
        super().__init__((f"a day from {first} to {last}",))


class DaysOutOfRange(InsufficientData):
    """A correlation was asked for over no days or over too many."""

    def __init__(self, most: int) -> None:
        super().__init__((f"a window of 1 to {most} days",))


class TooManySamples(InsufficientData):
    """The window holds more values of wearables than are looked at at once."""

    def __init__(self, most: int) -> None:
        super().__init__(
            (f"a window of at most {most} values of wearables; ask for fewer days",)
        )


class TooManyMedications(InsufficientData):
    """Advice was asked for on more medicines than one answer is made of."""

    def __init__(self, most: int) -> None:
        super().__init__((f"a choice of at most {most} medicines",))


class ModelsDown(ModelUnavailable):
    """No model answered, and there is no stored forecast to give in its place.

    `remarks` is what there is to say of the record all the same, as in NoHistory.
    """

    def __init__(self, remarks: Remarks) -> None:
        super().__init__("no model answers and no stored forecast can stand in for it")
        self.remarks = remarks


class PatientErased(SealBroken):
    """The patient's key was destroyed: there is nothing left to open, on purpose."""

    def __init__(self) -> None:
        super().__init__("the patient's data were erased")


@contextmanager
def erasure_told(patient_id: UUID) -> Iterator[None]:
    """Raise PatientErased for a SealBroken that comes of a destroyed key.

    Tampering stays SealBroken. Ask only for a patient whom the gate has opened.
    """
    try:
        yield
    except SealBroken as error:
        if PatientKey.objects.filter(patient=patient_id).exists():
            raise
        raise PatientErased from error
