"""What is in the clear of a patient does not outlive their key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.db.models.signals import post_delete

from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import Patient, PatientKey
from backend.predictions import erasure
from backend.predictions.models import OutcomeScore, Prediction, ShadowAnswer
from backend.predictions.outcomes import score_outcomes
from backend.registry.models import Channel, ModelRelease
from backend.twin.record import Entry, PatientRecord
from tests.predictions import fakes

MODEL = "symptom_transformer"
DIARY = fakes.diary()
NEXT = Entry(fakes.LAST_DAY + timedelta(days=4), 4.0, "Observation/next")
LATER = replace(DIARY, entries=(*DIARY.entries, NEXT))


@pytest.fixture
def shadowed(registered):
    release = ModelRelease.objects.create(
        model=MODEL, version=2, sha256="c" * 64, card=fakes.card()
    )
    Channel.objects.create(model=MODEL, name="shadow", release=release)


@pytest.fixture
def watched(shadowed, ask, ehr, now):
    """The patient has a scored prediction, and shadow answers."""
    ask()
    ehr.record = PatientRecord(series=(LATER,))
    ask(now=lambda: now + timedelta(days=5))
    assert OutcomeScore.objects.filter(days__gt=0).exists()
    assert ShadowAnswer.objects.count() == 2


def add_another(site, now):
    """Somebody else's prediction with a score and a shadow."""
    command = Actor.of_command("test")
    other = access.enrol(actor=command, site=site, ehr_id="ehr-other")
    copy = Prediction.objects.first()
    copy.pk, copy.patient, copy._state.adding = uuid4(), other, True
    copy.save(force_insert=True)
    for row in (OutcomeScore.objects.first(), ShadowAnswer.objects.first()):
        row.pk = None if isinstance(row, OutcomeScore) else uuid4()
        row.prediction, row._state.adding = copy, True
        row.save(force_insert=True)
    return other


def shred(patient):
    crypto.shred(patient)


def delete_the_key(patient):
    PatientKey.objects.get(patient=patient).delete()


@pytest.mark.parametrize("erase", [shred, delete_the_key])
def test_scores_and_differences_are_deleted_with_the_key(
    *, watched, patient, site, now, erase
):
    other = add_another(site, now)
    erase(patient)
    owner = "prediction__patient"
    for rows in (OutcomeScore.objects, ShadowAnswer.objects):
        assert set(rows.values_list(owner, flat=True)) == {other.pk}
    mine = Prediction.objects.filter(patient=patient)
    assert set(mine.values_list("scored_with", flat=True)) == {""}


def test_nothing_says_which_days_were_reported(watched):
    kept = {field.name for field in OutcomeScore._meta.get_fields()}
    assert kept == {
        *("id", "prediction", "position", "method", "versions", "updated"),
        *("days", "inside_80", "inside_95", "error", "loss"),
    }


def test_what_was_under_way_writes_nothing_afterwards(ask, patient, now, shadowed):
    left = []
    ask(beside=lambda _name, work: left.append(work))
    held = Patient.objects.select_related("key").get(pk=patient.pk)  # as in memory
    crypto.shred(patient)
    for work in left:
        work()
    days = now + timedelta(days=5)
    record = PatientRecord(series=(LATER,))
    score_outcomes(held, record, until=days.date(), now=days)
    assert not OutcomeScore.objects.exists()
    assert not ShadowAnswer.objects.exists()
    assert Prediction.objects.get().scored_with == ""


def test_what_an_earlier_release_left_is_deleted(watched, patient, site, now):
    other = add_another(site, now)
    post_delete.disconnect(sender=PatientKey, dispatch_uid="predictions.forget")
    try:
        crypto.shred(patient)
    finally:
        post_delete.connect(
            erasure.forget, PatientKey, dispatch_uid="predictions.forget"
        )
    assert OutcomeScore.objects.filter(prediction__patient=patient).exists()
    name = "backend.predictions.migrations.0004_less_in_the_clear"
    import_module(name).forget_the_erased(apps, None)
    assert OutcomeScore.objects.get().prediction.patient_id == other.pk
    assert ShadowAnswer.objects.get().prediction.patient_id == other.pk
