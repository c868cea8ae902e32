"""What is kept of a closed record, and when it closes what is stored."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from backend.people import access
from backend.people.eligibility import EVERY, PRIVATE, objection, same_person
from backend.people.models import Patient
from backend.twin.errors import (
    PatientDeceased,
    PatientMerged,
    PatientOptedOut,
    PatientRestricted,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(operator, site, patient):
    """Four patients: three of one person, merged in a chain, and somebody else."""
    second, third, alone = (
        access.enrol(actor=operator, site=site, ehr_id=f"ehr-{n}") for n in (2, 3, 4)
    )
    for one, into in ((patient, second), (second, third)):
        one.merged_into, one.closed = into, "merged"
        one.save()
    return patient, second, third, alone


def test_merges_make_one_person_seen_from_any_record(family):
    *three, alone = family
    for one in three:
        assert {each.pk for each in same_person(one)} == {each.pk for each in three}
    assert same_person(alone) == [alone]


def test_a_loop_of_merges_comes_to_an_end(family):
    first, _, third, _ = family
    Patient.objects.filter(pk=third.pk).update(merged_into=first)
    assert len(same_person(Patient.objects.get(pk=first.pk))) == 3


def test_nobody_is_merged_into_themselves(patient):
    patient.merged_into = patient
    with pytest.raises(IntegrityError), transaction.atomic():
        patient.save()


def test_a_survivor_that_goes_leaves_the_others(family):
    first, second, *_ = family
    Patient.objects.filter(pk=second.pk).delete()
    first.refresh_from_db()
    assert first.merged_into is None


@pytest.mark.parametrize(
    ("opted_out", "closed", "among", "found"),
    [
        (False, "", EVERY, None),
        (True, "", PRIVATE, PatientOptedOut),
        (True, "restricted", PRIVATE, PatientOptedOut),
        (False, "restricted", PRIVATE, PatientRestricted),
        (False, "deceased", PRIVATE, None),
        (False, "deceased", EVERY, PatientDeceased),
        (False, "merged", PRIVATE, None),
        (False, "merged", EVERY, PatientMerged),
    ],
)
def test_the_first_reason_counts(*, patient, opted_out, closed, among, found):
    patient.opted_out, patient.closed = opted_out, closed
    patient.save()
    assert type(objection(patient, among)) is (found or type(None))


def test_a_merge_closes_one_record_and_a_wish_closes_all(family):
    first, second, third, alone = family
    assert isinstance(objection(first, EVERY), PatientMerged)
    assert objection(third, EVERY) is None
    Patient.objects.filter(pk=second.pk).update(opted_out=True)
    for one in (first, second, third):
        one.refresh_from_db()
        assert isinstance(objection(one, PRIVATE), PatientOptedOut)
    assert objection(alone, EVERY) is None
