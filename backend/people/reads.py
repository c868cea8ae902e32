"""What of a record a service needs, and so all that is pulled for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum, auto

from backend.twin.ports import Ehr
from backend.twin.record import PatientRecord


class Reads(Enum):
    """What a pull is for."""

    SYMPTOMS = auto()  # and the orders of medicines that tell how treatment changed
    SIGNALS = auto()  # symptoms, and the streams of wearables
    TREATMENT = auto()  # genes, medicines, conditions, laboratory facts; no symptoms

    def pull(
        self,
        ehr: Ehr,
        ehr_patient: str,
        *,
        days: tuple[date, date],
        also: Sequence[str],
    ) -> PatientRecord:
        """This of the days, first and last; raises what the EHR raises."""
        read = {
            Reads.SYMPTOMS: "read_symptoms",
            Reads.SIGNALS: "read_signals",
            Reads.TREATMENT: "read_treatment",
        }[self]
        found: PatientRecord = getattr(ehr, read)(
            ehr_patient, since=days[0], until=days[1], also=also
        )
        return found

    def counts(self, pulled: PatientRecord) -> dict[str, int]:
        """How much of it that was, for the audit."""
        found = {"refused": len(pulled.refused)}
        if self is Reads.TREATMENT:
            return found | {
                "genotypes": len(pulled.genotypes),
                "medications": len(pulled.medications),
                "conditions": len(pulled.diagnoses),
                "lab_facts": len(pulled.lab_facts),
            }
        found["entries"] = sum(len(series.entries) for series in pulled.series)
        if self is Reads.SIGNALS:
            found["samples"] = sum(map(len, pulled.streams))
        return found
