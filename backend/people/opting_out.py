"""Our own opt-out flag, set or taken back; both leave a row."""

from __future__ import annotations

from uuid import UUID

from backend.audit.ledger import Action
from backend.people.access import Actor, open_patient
from backend.people.models import Patient


def set_opted_out(*, actor: Actor, patient_id: UUID, opted_out: bool) -> Patient:
    """Close the patient's data to every use, or open them again.

    Forecasts on their way to the EHR are cancelled when their turn comes. Raises
    NotVisible, AuditUnavailable.
    """
    detail: dict[str, str | int] = {"of": "opt-out", "opted_out": int(opted_out)}
    patient = open_patient(actor, patient_id, action=Action.ADMIN, detail=detail)
    patient.opted_out = opted_out
    patient.save(update_fields=["opted_out"])
    return patient
