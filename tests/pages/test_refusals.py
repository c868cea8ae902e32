"""Whoever is turned away, or only looks around, leaves a row in the access log too."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from backend.audit.models import AccessedPatient, AccessEvent
from backend.people.access import Actor, enrol
from backend.people.models import CareTeamMember, Patient, Site, User

pytestmark = pytest.mark.django_db


@dataclass
class Visit:
    """An answer's status and the rows it left."""

    status: int
    rows: list[tuple[str, str, str]]
    patients: list


@pytest.fixture
def patient() -> Patient:
    site = Site.objects.create(slug="s", name="S", ehr_url="http://127.0.0.1:1/fhir")
    return enrol(actor=Actor.of_command("test"), site=site, ehr_id="ehr-1")


@pytest.fixture
def clinician(patient: Patient) -> User:
    user = User.objects.create_user("c", password="correct-horse", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_patient"))
    CareTeamMember.objects.create(patient=patient, user=user)
    return user


def visit(client: Client, path: str) -> Visit:
    before = AccessEvent.objects.count()
    status = client.get(path).status_code
    rows = AccessEvent.objects.order_by("seq")[before:]
    touched = AccessedPatient.objects.filter(event__in=[row.pk for row in rows])
    return Visit(
        status,
        [(row.action, row.outcome, row.actor) for row in rows],
        [one.patient for one in touched],
    )


@pytest.fixture
def client(clinician: User) -> Client:
    client = Client()
    client.force_login(clinician)
    return client


def test_nobody_signed_in_is_a_denial() -> None:
    seen = visit(Client(), reverse("admin:people_patient_changelist"))
    assert (seen.status, seen.rows) == (302, [("ADMIN", "DENIED", "anonymous")])


def test_somebody_who_is_no_staff_is_a_denial(client: Client, clinician: User) -> None:
    User.objects.update(is_staff=False)
    seen = visit(client, reverse("admin:index"))
    who = f"user:{clinician.pk}"
    assert (seen.status, seen.rows) == (302, [("ADMIN", "DENIED", who)])


PAGES = {
    "change": (200, "SUCCESS"),
    "history": (200, "SUCCESS"),
    "delete": (403, "DENIED"),
}


@pytest.mark.parametrize("view", PAGES)
def test_each_page_of_one_patient_leaves_one_row_that_names_them(
    client: Client, clinician: User, patient: Patient, view: str
) -> None:
    path = reverse(f"admin:people_patient_{view}", args=[patient.pk])
    status, outcome = PAGES[view]
    seen = visit(client, path)
    assert seen.status == status
    assert seen.rows == [("ADMIN", outcome, f"user:{clinician.pk}")]
    assert seen.patients == [patient.pk]


@pytest.mark.parametrize(
    "asked", ["7d9c1c1e-4a53-4b1c-9d0e-5f3f3b0c9a11", "MRN-4711", "_5F"]
)
def test_a_patient_out_of_sight_is_a_denial_that_keeps_nothing(
    client: Client, clinician: User, asked: str
) -> None:
    seen = visit(client, reverse("admin:people_patient_change", args=[asked]))
    assert (seen.status, seen.patients) == (302, [])
    assert seen.rows == [("ADMIN", "DENIED", f"user:{clinician.pk}")]


@pytest.mark.parametrize("page", ["people_user_changelist", "people_user_add"])
def test_a_page_without_permission_is_a_denial(
    client: Client, clinician: User, page: str
) -> None:
    seen = visit(client, reverse(f"admin:{page}"))
    assert seen.status == 403
    assert seen.rows == [("ADMIN", "DENIED", f"user:{clinician.pk}")]


@pytest.mark.parametrize(("is_superuser", "outcome"), [(0, "DENIED"), (1, "SUCCESS")])
def test_the_page_of_a_password_leaves_one_row(
    client: Client, clinician: User, is_superuser: int, outcome: str
) -> None:
    User.objects.update(is_superuser=is_superuser)
    path = reverse("admin:auth_user_password_change", args=[clinician.pk])
    seen = visit(client, path)
    assert seen.rows == [("ADMIN", outcome, f"user:{clinician.pk}")]


def test_a_new_object_leaves_one_row(client: Client, clinician: User) -> None:
    User.objects.update(is_superuser=True)
    seen = visit(client, reverse("admin:people_user_add"))
    assert seen.status == 200
    assert seen.rows == [("ADMIN", "SUCCESS", f"user:{clinician.pk}")]
