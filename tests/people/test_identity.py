"""Who is refused before anything is pulled."""

from __future__ import annotations

from datetime import date

import pytest

from backend.people.models import Patient, Site
from backend.twin.errors import (
    EhrNotFound,
    PatientDeceased,
    PatientMerged,
    PatientOptedOut,
    PatientRestricted,
)
from backend.twin.person import Person
from tests.people.conftest import into, last_row

pytestmark = pytest.mark.django_db
WHOLE = Person()


@pytest.mark.parametrize(
    ("person", "error"),
    [
        (Person(opted_out=True), PatientOptedOut),
        (Person(restricted=True), PatientRestricted),
        (Person(opted_out=True, restricted=True, deceased=True), PatientOptedOut),
        (Person(restricted=True, replaced_by="ehr-2"), PatientRestricted),
        (Person(deceased=True), PatientDeceased),
        (Person(deceased=True, died=date(2026, 3, 1)), PatientDeceased),
        (Person(deceased=True, died=date(2020, 1, 1)), PatientDeceased),
        (into(1), PatientMerged),
    ],
)
def test_a_closed_record_is_never_pulled(patient, pull, person, error) -> None:
    with pytest.raises(error):
        pull(p1=person)
    assert pull.ehr.asked == []
    reason = {"reason": error.reason}
    assert last_row() == ("PULL", "DENIED", reason, [patient.pk])
    patient.refresh_from_db()
    assert patient.closed == error.reason
    pull(p1=WHOLE)
    patient.refresh_from_db()
    assert (patient.closed, patient.merged_into) == ("", None)


def test_our_own_flag_closes_before_the_ehr_is_asked(patient, pull) -> None:
    Patient.objects.update(opted_out=True)
    with pytest.raises(PatientOptedOut):
        pull(p1=WHOLE)
    assert pull.ehr.met == pull.ehr.asked == []
    assert last_row() == ("PULL", "DENIED", {"reason": "opted-out"}, [patient.pk])


def test_a_site_may_read_restricted_records(site, pull) -> None:
    Site.objects.update(reads_restricted=True)
    _, record = pull(p1=Person(restricted=True))
    assert record.person.restricted


def test_the_time_before_a_death_may_be_looked_at(patient, pull) -> None:
    person = Person(deceased=True, died=date(2026, 3, 2))
    assert pull(p1=person)[1].person == person
    patient.refresh_from_db()
    assert patient.closed == "deceased"  # and so nothing is delivered


def test_a_patient_whom_the_ehr_does_not_know_is_its_error(pull) -> None:
    with pytest.raises(EhrNotFound):
        pull(p7=WHOLE)
    assert last_row()[1:3] == ("FAILED", {"error": "EhrNotFound"})
