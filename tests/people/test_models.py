"""What the models promise: no identity in their texts, no machine among the staff."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from backend.people import access
from backend.people.models import CareTeamMember, Patient, SiteMember, User

pytestmark = pytest.mark.django_db


def test_texts_carry_ids_of_ours_only(site, patient, clinician) -> None:
    member = SiteMember.objects.create(site=site, user=clinician)
    team = CareTeamMember.objects.create(patient=patient, user=clinician)
    assert [str(each) for each in (site, clinician, patient, patient.key)] == [
        "north",
        f"user:{clinician.pk}",
        f"patient {patient.pk}",
        f"key {patient.key.pk}",
    ]
    assert str(member) == f"user:{clinician.pk} at site {site.pk}"
    assert str(team) == f"user:{clinician.pk} for patient {patient.pk}"


def test_a_machine_client_is_never_staff() -> None:
    with pytest.raises(IntegrityError, match="people_service_is_not_staff"):
        User.objects.create(username="machine", is_service=True, is_staff=True)


@pytest.mark.parametrize("model", [CareTeamMember, SiteMember])
def test_a_membership_exists_once(site, patient, clinician, model) -> None:
    whole = {"site": site} if model is SiteMember else {"patient": patient}
    model.objects.create(user=clinician, **whole)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(user=clinician, **whole)


def test_a_patient_exists_once_a_site(site, patient) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.create(
            site=site, ehr_id_index=patient.ehr_id_index, ehr_id_sealed=b""
        )


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://ehr.example/fhir", True),
        ("http://127.0.0.1:8000/fhir", True),
        ("ftp://ehr.example/fhir", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_ehr_is_spoken_to_over_http_alone(site, url, fits) -> None:
    site.ehr_url = url
    if fits:
        site.full_clean()
    else:
        with pytest.raises(ValidationError, match="valid URL"):
            site.full_clean()


def test_diffs_are_kept_of_changes_but_not_of_secrets(site, operator) -> None:
    user = User.objects.create_user("somebody", password="a long password")
    patient = access.enrol(actor=operator, site=site, ehr_id="ehr-secret")
    CareTeamMember.objects.create(patient=patient, user=user)
    user.set_password("another long password")
    user.save()
    site.write_mode = "none"
    site.save()
    logged = LogEntry.objects.order_by("pk")
    models = {entry.content_type.model for entry in logged}
    assert models == {"site", "user", "patient", "careteammember"}
    columns = {column for entry in logged for column in entry.changes}
    assert not columns & {"password", "last_login", "ehr_id_sealed", "ehr_id_index"}
    assert logged.last().changes == {"write_mode": ["full", "none"]}
    text = "".join(f"{entry.changes}{entry.object_repr}" for entry in logged)
    assert "ehr-secret" not in text
    assert patient.ehr_id_index not in text
