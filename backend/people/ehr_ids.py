"""The EHR's id of a patient: sealed in the patient's row, found by a keyed hash."""

from __future__ import annotations

from backend.people import crypto
from backend.people.models import Patient, Site

_TABLE, _COLUMN = "people_patient", "ehr_id"  # where the EHR's id is sealed for


def ehr_id_of(patient: Patient) -> str:
    """The patient's id in their EHR. Raises SealBroken."""
    return crypto.unseal(
        patient,
        table=_TABLE,
        column=_COLUMN,
        row=patient.pk,
        blob=patient.ehr_id_sealed,
    ).decode()


def seal_ehr_id(patient: Patient, ehr_id: str) -> bytes:
    """What `ehr_id_of` opens."""
    return crypto.seal(
        patient, table=_TABLE, column=_COLUMN, row=patient.pk, plain=ehr_id.encode()
    )


def find_patient(site: Site, ehr_id: str) -> Patient | None:
    """Our patient for the EHR's id at this site, whoever may see them."""
    index = crypto.blind_index(site.slug, ehr_id)
    return Patient.objects.filter(site=site, ehr_id_index=index).first()
