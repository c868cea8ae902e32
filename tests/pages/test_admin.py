from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backend.audit.models import AccessedPatient, AccessEvent
from backend.pages.audited import AuditedAdmin
from backend.people.models import CareTeamMember, Patient, User
from backend.predictions.answer import compose, seal_answer
from backend.predictions.models import Prediction
from backend.predictions.remarks import UrgentFinding
from backend.twin.record import PatientRecord, Reason, Refusal
from backend.twin.scales import scale
from backend.twin.warning_words import CAVEAT
from tests.twin.made import LAST, forecast, window
from tests.twin.made import record as made_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def test_every_page_of_ours_is_audited() -> None:
    ours = {
        model: page
        for model, page in admin.site._registry.items()
        if model.__module__.startswith("backend.")
    }
    assert ours
    assert [m for m, page in ours.items() if not isinstance(page, AuditedAdmin)] == []


@pytest.mark.parametrize(
    "name",
    sorted(
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model in admin.site._registry
        if model.__module__.startswith("backend.")
    ),
)
def test_a_list_opens_and_leaves_one_row(client: Client, name: str) -> None:
    before = AccessEvent.objects.count()
    answer = client.get(reverse(f"admin:{name}_changelist"))
    assert answer.status_code == 200
    (row,) = AccessEvent.objects.order_by("seq")[before:]
    assert (row.action, row.outcome) == ("ADMIN", "SUCCESS")
    assert row.actor.startswith("user:")


def test_a_superuser_outside_the_team_sees_no_patient(
    client: Client, patient: Patient
) -> None:
    page = client.get(reverse("admin:people_patient_changelist")).content.decode()
    assert str(patient.pk) not in page
    one = client.get(reverse("admin:people_patient_change", args=[patient.pk]))
    assert one.status_code == 302  # Django's own answer for what is not there


def test_the_team_sees_its_patient_and_the_row_names_them(
    client: Client, boss: User, patient: Patient
) -> None:
    CareTeamMember.objects.create(patient=patient, user=boss)
    page = client.get(reverse("admin:people_patient_changelist")).content.decode()
    assert str(patient.pk) in page
    last = AccessEvent.objects.order_by("seq").last()
    assert last is not None
    children = AccessedPatient.objects.filter(event=last)
    assert [child.patient for child in children] == [patient.pk]


def test_the_access_log_cannot_be_changed_here(client: Client) -> None:
    client.get(reverse("admin:audit_accessevent_changelist"))
    row = AccessEvent.objects.order_by("seq").first()
    assert row is not None
    url = reverse("admin:audit_accessevent_change", args=[row.pk])
    assert client.post(url, {"actor": "user:0"}).status_code == 403
    assert client.post(url.replace("change", "delete")).status_code == 403


def page_of(client: Client, patient: Patient, record: PatientRecord) -> str:
    """The page of a prediction with one forecast and what else the record says."""
    made = forecast(scale("mood-0-10"), 5.0)
    answer = compose(
        patient, record, (window([5.0]),), (made,), uses={}, as_of=made.last_entry
    )
    prediction = Prediction(
        patient=patient,
        as_of=made.last_entry,
        created=timezone.now(),
        actor="user:1",
        record_digest=record.digest,
        historical=False,
    )
    prediction.payload = seal_answer(patient, prediction.pk, answer)
    prediction.save()
    url = reverse("admin:predictions_prediction_change", args=[prediction.pk])
    return client.get(url).content.decode()


def test_a_predictions_page_shows_its_answer(
    client: Client, boss: User, patient: Patient
) -> None:
    CareTeamMember.objects.create(patient=patient, user=boss)
    page = page_of(client, patient, PatientRecord(series=()))
    assert "<svg" in page
    assert "symptom_transformer version 1" in page
    assert "Clinical judgement decides" in page
    assert "Urgent:" not in page
    assert "Early warning: a probability of 25 % that the mean of the 14 days" in page
    assert CAVEAT in page
    assert "No control chart: 20 observed days" in page


def test_a_predictions_page_begins_with_what_is_urgent(
    client: Client, boss: User, patient: Patient
) -> None:
    CareTeamMember.objects.create(patient=patient, user=boss)
    refused = (Refusal("Observation/1", Reason.NO_VALUE, safety=True),)
    record = made_record(safety={LAST: 1.0})
    page = page_of(client, patient, replace(record, refused=refused))
    urgent = page.index("<strong>Urgent: PHQ-9 total score: self-harm item above")
    unread = page.index("<strong>1 answer to a self-harm item could not be read")
    assert urgent < unread < page.index("Clinical judgement")


def test_what_a_finding_says_is_text_and_no_markup(
    client: Client, boss: User, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    CareTeamMember.objects.create(patient=patient, user=boss)
    monkeypatch.setattr(UrgentFinding, "text", "<script>")
    page = page_of(client, patient, made_record(safety={LAST: 1.0}))
    assert "Urgent: &lt;script&gt;" in page
