from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from backend.audit import ledger
from backend.audit.models import AccessEvent
from backend.people.access import Actor, enrol
from backend.people.models import Patient, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    site = Site.objects.create(slug="s", name="S", ehr_url="http://127.0.0.1:1/fhir")
    return enrol(actor=Actor.of_command("test"), site=site, ehr_id="ehr-1")


def test_the_flag_is_set_and_taken_back_with_a_row_each(patient: Patient) -> None:
    for undo, flag, said in ((False, True, "opted out"), (True, False, "in again")):
        out = io.StringIO()
        call_command("opt_out", str(patient.pk), undo=undo, stdout=out)
        patient.refresh_from_db()
        assert patient.opted_out is flag
        assert said in out.getvalue()
        row = AccessEvent.objects.latest("seq")
        assert (row.action, row.outcome) == ("ADMIN", "SUCCESS")
        assert row.actor.startswith("command:opt_out@")
        assert f'"opted_out":{int(flag)}' in row.detail


def test_nobody_of_that_id_is_said_and_recorded() -> None:
    with pytest.raises(CommandError, match="no such patient"):
        call_command("opt_out", str(uuid4()))
    assert AccessEvent.objects.latest("seq").outcome == "DENIED"


def test_nothing_is_changed_without_a_row(patient: Patient) -> None:
    ledger.current().anchor.path.unlink()
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("opt_out", str(patient.pk))
    patient.refresh_from_db()
    assert not patient.opted_out
