"""A bulkhead: an EHR that hangs holds a few threads of a process, never all of them.

Pattern: M. Nygard, "Release It!" - a compartment that fills up leaves the ship afloat.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from backend.twin.errors import EhrUnavailable
from backend.twin.person import Person
from backend.twin.ports import (
    CorrelationDocument,
    Ehr,
    ForecastDocument,
    Receipt,
    TreatmentDocument,
)
from backend.twin.record import PatientRecord

PATIENCE_S = 0.5  # an EHR that is well frees a place sooner; a hanging one does not


class Places:
    """How many calls to EHRs may be under way in a process at once; threads share it.

    `retry_after_s` is what a refused caller is told: by then a call that hangs has met
    its own deadline. `patience_s` is how long one waits for a place before that.
    """

    def __init__(
        self, count: int, *, retry_after_s: float, patience_s: float = PATIENCE_S
    ) -> None:
        """Raises ValueError when there is no place at all."""
        if count < 1:
            raise ValueError("at least one call to an EHR must be possible")
        self._free = threading.BoundedSemaphore(count)
        self._retry_after_s, self._patience_s = retry_after_s, patience_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises EhrUnavailable: none is free."""
        if not self._free.acquire(timeout=self._patience_s):
            raise EhrUnavailable(
                "too many requests wait for an EHR", retry_after_s=self._retry_after_s
            )
        try:
            yield
        finally:
            self._free.release()


class Bulkhead:
    """An EHR around another one; refused while every place is taken."""

    def __init__(self, ehr: Ehr, *, places: Places) -> None:
        """`places` is shared by all EHRs of a process: its threads are shared too."""
        self._ehr, self._places = ehr, places

    def read_symptoms(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.read_symptoms(
                ehr_patient, since=since, until=until, also=also
            )

    def read_signals(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.read_signals(
                ehr_patient, since=since, until=until, also=also
            )

    def read_treatment(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.read_treatment(
                ehr_patient, since=since, until=until, also=also
            )

    def read_person(self, ehr_patient: str, *, on: date) -> Person:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.read_person(ehr_patient, on=on)

    def write_forecast(self, document: ForecastDocument) -> Receipt:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.write_forecast(document)

    def write_correlation(self, document: CorrelationDocument) -> Receipt:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.write_correlation(document)

    def write_treatment(self, document: TreatmentDocument) -> Receipt:
        """As the EHR does it. Raises EhrUnavailable when no place is free."""
        with self._places.one():
            return self._ehr.write_treatment(document)
