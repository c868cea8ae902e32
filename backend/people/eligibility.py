"""Whose data may not be used although the caller may see the patient, and why.

Two things decide: our own flag, and what the EHR said at the last pull. Both are kept
with the patient, so that stored forecasts and deliveries heed them without the EHR.
An opt-out or a restriction holds for a person, under whichever of the records that the
EHR merged it was noted.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from backend.people.models import Patient, Site
from backend.twin.errors import (
    PatientDeceased,
    PatientMerged,
    PatientOptedOut,
    PatientRestricted,
    RecordClosed,
)
from backend.twin.person import Person

Closing = type[RecordClosed]

# In order of what is said first: a wish of the patient's before a fact.
EVERY: tuple[Closing, ...] = (
    PatientOptedOut,
    PatientRestricted,
    PatientMerged,
    PatientDeceased,
)
PRIVATE: tuple[Closing, ...] = (PatientOptedOut, PatientRestricted)  # also when stored


def objection(patient: Patient, among: Iterable[Closing]) -> RecordClosed | None:
    """The first of these reasons that closes the patient's record, or None.

    That a record was merged closes this one only; all else holds for the person's
    other records too.
    """
    own = {patient.closed}
    for one in same_person(patient):
        own |= {PatientOptedOut.reason} if one.opted_out else set()
        own |= {one.closed} - {PatientMerged.reason}
    if patient.site.reads_restricted:
        own.discard(PatientRestricted.reason)
    return next((closing() for closing in among if closing.reason in own), None)


def objection_of_ehr(person: Person, site: Site) -> RecordClosed | None:
    """What the EHR says against any use of a record, dead or alive."""
    if person.opted_out:
        return PatientOptedOut()
    if person.restricted and not site.reads_restricted:
        return PatientRestricted()
    return None


def same_person(patient: Patient) -> list[Patient]:
    """The patient, and our patients whom merges in the EHR make the same person."""
    found = {patient.pk: patient}
    edge = [patient]
    while edge:
        above = [one.merged_into_id for one in edge if one.merged_into_id]
        near = Q(merged_into__in=[one.pk for one in edge]) | Q(pk__in=above)
        edge = list(Patient.objects.filter(near).exclude(pk__in=found))
        found |= {one.pk: one for one in edge}
    return list(found.values())


def keep(patient: Patient, *, closed: str, merged_into: Patient | None) -> None:
    """Note what the EHR said of the patient, if it is news."""
    into = merged_into.pk if merged_into else None
    if (patient.closed, patient.merged_into_id) != (closed, into):
        patient.closed, patient.merged_into_id = closed, into
        patient.save(update_fields=["closed", "merged_into"])
