"""What becomes of deliveries when an entry that they rest on is taken back."""

from __future__ import annotations

import pytest

from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import CareTeamMember, Patient, Site
from backend.predictions.errors import NoHistory
from backend.predictions.models import OutboxItem
from backend.predictions.outbox import requeue_failed
from backend.predictions.selectors import get_forecast
from backend.twin.errors import ModelUnavailable
from fhir_integration.site import FhirEhr
from tests.predictions.clinic import MOOD, PHQ9, RETRACTED, Clinic


@pytest.fixture
def patient(site: Site, clinic: Clinic) -> Patient:
    command = Actor.of_command("test")
    return access.enrol(actor=command, site=site, ehr_id=clinic.patient)


@pytest.fixture
def ehr(clinic: Clinic) -> FhirEhr:
    """In place of the fake one: asking and delivering go to the clinic."""
    return clinic.site


def test_only_what_rests_on_the_entry_is_kept_from_the_ehr(ask, clinic, deliver):
    first = ask()
    clinic.change(MOOD, **RETRACTED)
    second = ask()
    mood, phq9 = (item.identifier for item in first.instruments)
    assert second.instruments[1].identifier == phq9  # nothing changed for it
    anew = second.instruments[0].identifier
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert states == {mood: "cancelled", phq9: "pending", anew: "pending"}
    assert OutboxItem.objects.get(pk=mood).last_error == "taken-back"
    assert deliver().delivered == 2
    assert requeue_failed(now=second.created) == 0
    assert second.no_longer_standing == ()
    assert set(clinic.forecasts()) == {str(anew), str(phq9)}


def test_what_failed_is_not_tried_anew(ask, clinic):
    first = ask()
    OutboxItem.objects.update(state="failed")
    clinic.change(MOOD, **RETRACTED)
    ask()
    assert requeue_failed(now=first.created) == 0
    states = dict(OutboxItem.objects.values_list("pk", "state"))
    assert states[first.instruments[0].identifier] == "cancelled"


def test_what_was_delivered_is_named_as_no_longer_standing(  # noqa: PLR0917 - fixtures
    ask, actor, clinic, deliver, now, policy
):
    first = ask()
    deliver()
    clinic.change(MOOD, **RETRACTED)
    second = ask()
    mood = first.instruments[0].identifier
    for stored in (first, second):
        read = get_forecast(actor, stored.id, now=now, policy=policy)
        assert read.no_longer_standing == (mood,)
    assert get_forecast(actor, first.id, now=now, policy=policy).delivery[mood] == (
        "delivered"
    )


@pytest.mark.parametrize("sent", [False, True])
def test_what_is_stale_may_lose_its_other_instruments_too(  # noqa: PLR0917 - fixtures
    ask, clinic, deliver, models, sent
):
    """The second answer, made without a model, has other names than the first."""
    first = ask()
    if sent:
        deliver()
    mood, phq9 = (item.identifier for item in first.instruments)
    clinic.change(PHQ9, **RETRACTED)
    models.broken["symptom_transformer"] = ModelUnavailable("down")
    assert ask().instruments[0].identifier != mood
    models.broken.clear()
    clinic.change(MOOD, **RETRACTED)
    third = ask()
    assert set(third.no_longer_standing) == ({mood, phq9} if sent else set())
    deliver()
    assert (str(mood) in clinic.forecasts()) is sent


def survive(actor: Actor, site: Site, clinic: Clinic) -> Patient:
    """The patient's record is merged into this one's; the actor may see both."""
    command = Actor.of_command("test")
    survivor = access.enrol(actor=command, site=site, ehr_id="survivor")
    CareTeamMember.objects.create(user=actor.user, patient=survivor)
    clinic.merge_into("survivor")
    return survivor


@pytest.mark.parametrize("sent", [False, True])
def test_what_a_merged_record_made_is_looked_at_as_well(  # noqa: PLR0917 - fixtures
    ask, actor, clinic, deliver, reason_of, site, sent
):
    first = ask()
    if sent:
        deliver()
    survivor = survive(actor, site, clinic)
    clinic.change(MOOD, **RETRACTED)
    second = ask()
    mood = first.instruments[0].identifier
    item = OutboxItem.objects.get(pk=mood)
    assert second.patient_id == survivor.pk
    assert reason_of(first) == "an entry it used was taken back"
    assert (item.state, item.stands) == ("delivered" if sent else "cancelled", False)
    assert second.no_longer_standing == ((mood,) if sent else ())


def test_who_may_see_a_merged_record_learns_nothing_of_the_survivors(  # noqa: PLR0917
    ask, actor, clinic, deliver, now, policy, site
):
    first = ask()
    survive(actor, site, clinic)
    ask()
    deliver()
    clinic.change(MOOD, **RETRACTED)
    assert len(ask().no_longer_standing) == 1
    read = get_forecast(actor, first.id, now=now, policy=policy)
    assert read.no_longer_standing == ()


def test_a_merged_record_whose_key_is_gone_stops_nothing(ask, actor, clinic, site):
    first = ask()
    survivor = survive(actor, site, clinic)
    ask()
    crypto.shred(Patient.objects.get(pk=first.patient_id))
    clinic.change(MOOD, **RETRACTED)
    with pytest.raises(NoHistory):  # all of it was the merged one's
        ask(patient_id=survivor.pk)


def test_a_delivery_under_way_ends_as_delivered_and_no_longer_standing(
    ask, clinic, deliver
):
    first = ask()
    mood = first.instruments[0].identifier

    class Meanwhile:
        """The entry is taken back while a worker talks to the EHR."""

        def write_forecast(self, document):
            receipt = clinic.site.write_forecast(document)
            if document.identifier == mood:
                clinic.change(MOOD, **RETRACTED)
                self.second = ask()
            return receipt

    site = Meanwhile()
    deliver(ehr=lambda _site: site, limit=1)
    item = OutboxItem.objects.get(pk=mood)
    assert (item.state, item.stands) == ("delivered", False)
    assert ask().no_longer_standing == (mood,)


def test_an_entry_that_is_there_again_revives_its_delivery(ask, clinic, deliver):
    first = ask()
    before = clinic.change(MOOD, **RETRACTED)
    ask()
    clinic.put(before)
    third = ask()
    assert third.id != first.id
    assert set(third.delivery.values()) == {"pending"}
    assert deliver().failed == 0
