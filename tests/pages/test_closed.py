"""The opt-out flag in the admin, and what closed records show there."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from backend.people.models import CareTeamMember, Patient, User
from backend.twin.record import PatientRecord
from tests.pages.conftest import Visit
from tests.pages.test_admin import page_of

pytestmark = pytest.mark.django_db
SHOWN = "Clinical judgement decides"


@pytest.fixture
def mine(boss: User, patient: Patient) -> Patient:
    """A patient of the operator's own care team."""
    CareTeamMember.objects.create(patient=patient, user=boss)
    return patient


def change(patient: Patient) -> str:
    return reverse("admin:people_patient_change", args=[patient.pk])


@pytest.mark.parametrize("flag", [True, False])
def test_the_flag_is_changed_with_a_row_and_a_diff(
    visit: Visit, mine: Patient, flag: bool
) -> None:
    Patient.objects.update(opted_out=not flag)
    seen = visit(change(mine), {"opted_out": "on"} if flag else {"_save": "1"})
    assert seen.answer.status_code == 302
    assert seen.told == [("SUCCESS", "object", 1)]
    assert seen.patients == [mine.pk]
    mine.refresh_from_db()
    assert mine.opted_out is flag
    diff = LogEntry.objects.get_for_object(mine).latest("pk").changes
    assert diff == {"opted_out": [str(not flag), str(flag)]}


def test_nothing_else_of_a_patient_is_changed_here(visit: Visit, mine: Patient) -> None:
    other = {
        "id": "0",
        "closed": "merged",
        "site": "",
        "merged_into": "",
        "created": "",
    }
    visit(change(mine), other)
    before = (mine.pk, mine.site_id, mine.closed, mine.created)
    mine.refresh_from_db()
    assert (mine.pk, mine.site_id, mine.closed, mine.created) == before


def test_the_flag_needs_permission_and_the_care_team(
    visit: Visit, patient: Patient
) -> None:
    outside = visit(change(patient), {"opted_out": "on"})
    assert outside.told == [("DENIED", "object", 0)]
    user = User.objects.create_user("c", password="correct-horse", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_patient"))
    CareTeamMember.objects.create(patient=patient, user=user)
    client = Client()
    client.force_login(user)
    reader = visit(change(patient), {"opted_out": "on"}, client)
    assert (reader.answer.status_code, reader.told[0][0]) == (403, "DENIED")
    patient.refresh_from_db()
    assert not patient.opted_out


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"opted_out": True}, "Closed: the patient opted out."),
        ({"closed": "restricted"}, "Closed: the EHR labels this patient"),
        ({"closed": "deceased"}, SHOWN),
        ({"closed": "merged"}, SHOWN),
    ],
)
def test_a_closed_forecast_says_why_and_shows_nothing(
    boss: User, mine: Patient, columns: dict, said: str
) -> None:
    Patient.objects.update(**columns)
    client = Client()
    client.force_login(boss)
    mine.refresh_from_db()
    page = page_of(client, mine, PatientRecord(series=()))
    assert said in page
    assert ("Closed" in page) is (SHOWN not in page)
