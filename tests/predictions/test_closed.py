"""Closed records: no forecast, no delivery, and of some not even the stored ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.audit.models import AccessEvent
from backend.people import access
from backend.people.access import Actor
from backend.people.models import CareTeamMember, Patient, Site
from backend.people.opting_out import set_opted_out
from backend.predictions import selectors
from backend.predictions.alerts import list_alerts
from backend.predictions.models import Alert, OutboxItem, Prediction
from backend.predictions.outbox import DeliveryReport
from backend.twin.errors import (
    PatientDeceased,
    PatientMerged,
    PatientOptedOut,
    PatientRestricted,
)
from backend.twin.person import Person
from backend.twin.record import PatientRecord
from tests.predictions import fakes

EHR_ID = "ehr-4711"
CLOSED = {
    PatientOptedOut: Person(opted_out=True),
    PatientRestricted: Person(restricted=True),
    PatientMerged: Person(replaced_by=EHR_ID),
    PatientDeceased: Person(deceased=True),
}
OPERATOR = Actor.of_command("test")


@pytest.fixture
def reads(actor, patient, now, policy):
    """Every way to read what is stored."""
    at = {"now": now, "policy": policy}
    return [
        lambda: selectors.list_forecasts(actor, patient.pk, **at),
        lambda: selectors.latest_forecast(actor, patient.pk, **at),
        lambda: selectors.get_forecast(actor, Prediction.objects.get().pk, **at),
    ]


def reason_of_last_row():
    row = AccessEvent.objects.latest("seq")
    return row.action, row.outcome, json.loads(row.detail)


@pytest.mark.parametrize("error", CLOSED)
def test_no_forecast_is_made_of_a_closed_record(*, ask, ehr, models, audited, error):
    ask()
    asked = len(models.asked), len(ehr.asked)
    ehr.persons[EHR_ID] = CLOSED[error]
    audited()
    with pytest.raises(error):
        ask()
    assert audited() == [("PULL", "DENIED")]
    assert (len(models.asked), len(ehr.asked)) == asked
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize("error", CLOSED)
def test_what_is_on_its_way_is_cancelled_and_that_is_recorded(
    *, item, ask, deliver, ehr, error
):
    ehr.persons[EHR_ID] = CLOSED[error]
    with pytest.raises(error):
        ask()
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert ehr.writes == 0
    item.refresh_from_db()
    assert (item.state, item.last_error) == ("cancelled", error.__name__)
    assert reason_of_last_row() == ("DELIVER", "DENIED", {"reason": error.reason})
    assert deliver(after_s=100_000) == DeliveryReport(0, 0, 0)


def test_what_is_cancelled_keeps_nothing_else_waiting(ask, ehr, deliver, site):
    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    ask()
    other = access.enrol(actor=OPERATOR, site=site, ehr_id="ehr-2")
    ask(actor=OPERATOR, patient_id=other.pk)
    Patient.objects.exclude(pk=other.pk).update(opted_out=True)
    assert deliver(limit=1).delivered == 1


def test_who_opts_in_again_gets_the_same_delivery(*, item, ask, deliver, patient, now):
    set_opted_out(actor=OPERATOR, patient_id=patient.pk, opted_out=True)
    deliver()
    set_opted_out(actor=OPERATOR, patient_id=patient.pk, opted_out=False)
    again = ask(now=lambda: now + timedelta(hours=25))
    assert again.delivery == {item.pk: "pending"}
    assert deliver(after_s=100_000).delivered == 1


@pytest.mark.parametrize("error", CLOSED)
def test_stored_forecasts_close_for_privacy_and_not_for_death(ask, ehr, reads, error):
    ask()
    ehr.persons[EHR_ID] = CLOSED[error]
    with pytest.raises(error):
        ask()
    for read in reads:
        if error in {PatientOptedOut, PatientRestricted}:
            with pytest.raises(error):
                read()
            assert reason_of_last_row()[1:] == ("DENIED", {"reason": error.reason})
        else:
            assert read()
    ehr.persons.clear()
    assert ask().reused
    assert all(read() for read in reads)


def test_our_own_flag_closes_stored_forecasts_at_once(ask, patient, reads, stranger):
    ask()
    set_opted_out(actor=OPERATOR, patient_id=patient.pk, opted_out=True)
    assert reason_of_last_row() == (
        "ADMIN",
        "SUCCESS",
        {"of": "opt-out", "opted_out": 1},
    )
    for read in reads:
        with pytest.raises(PatientOptedOut):
            read()
    set_opted_out(actor=OPERATOR, patient_id=patient.pk, opted_out=False)
    assert all(read() for read in reads)


def test_a_site_that_reads_restricted_records_opens_the_stored_ones(ask, ehr, reads):
    ask()
    ehr.persons[EHR_ID] = CLOSED[PatientRestricted]
    with pytest.raises(PatientRestricted):
        ask()
    Site.objects.update(reads_restricted=True)
    assert all(read() for read in reads)


def test_an_alert_stays_where_it_is(ask, ehr, patient, actor):
    """Somebody may have harm in mind: that is said whatever else is closed."""
    ehr.record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    ask()
    Patient.objects.update(opted_out=True)
    assert [one.id for one in list_alerts(actor)] == [Alert.objects.get().pk]


def test_the_forecast_of_a_merged_patient_is_the_survivors(
    *, ask, ehr, actor, site, patient, reads, deliver
):
    ask()
    survivor = access.enrol(actor=OPERATOR, site=site, ehr_id="ehr-2")
    CareTeamMember.objects.create(user=actor.user, patient=survivor)
    ehr.persons = {EHR_ID: Person(replaced_by="ehr-2")}
    answer = ask()
    assert answer.patient_id == survivor.pk
    assert deliver() == DeliveryReport(delivered=1, failed=0, waiting=0)
    states = OutboxItem.objects.values_list("patient", "state")
    assert set(states) == {(patient.pk, "cancelled"), (survivor.pk, "delivered")}
    assert reads[0]()  # the old one's stay readable
    Patient.objects.filter(pk=survivor.pk).update(opted_out=True)
    with pytest.raises(PatientOptedOut):
        reads[0]()  # for it is the same person


def test_the_time_before_a_death_may_be_looked_at_and_is_not_delivered(ask, ehr, now):
    died = now.date() - timedelta(days=3)
    ehr.persons[EHR_ID] = Person(deceased=True, died=died)
    answer = ask(as_of=died - timedelta(days=1))
    assert set(answer.delivery.values()) == {"not-sent"}
    with pytest.raises(PatientDeceased):
        ask(as_of=died)
    assert not OutboxItem.objects.exists()


def test_a_consent_counts_by_the_day_of_the_request(ask, ehr, now):
    days = []

    class Asked(fakes.FakeEhr):
        def read_person(self, ehr_patient, *, on: date):
            days.append(on)
            return Person()

    other = Asked(ehr.record)
    ask(ehr=lambda _site: other, as_of=now.date() - timedelta(days=9))
    assert days == [now.date()]


def test_what_the_ehr_leaves_open_is_said(ask, ehr):
    ehr.persons[EHR_ID] = replace(Person(), consent_known=False, active=False)
    answer = ask()
    assert answer.notices == (
        "The EHR does not tell whether the patient consents to this use.",
        "The EHR marks the patient's record as not in use.",
    )
    ehr.persons.clear()
    assert ask().notices == ()
