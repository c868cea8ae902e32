"""Urgent findings become alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.people import crypto
from backend.people.access import Actor
from backend.predictions.alerts import acknowledge, list_alerts
from backend.predictions.models import Alert
from backend.twin.errors import NotVisible
from backend.twin.record import PatientRecord
from tests.predictions import fakes


@pytest.fixture
def urgent(ehr):
    ehr.record = PatientRecord(
        series=(fakes.questionnaire(8, 12),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )


@pytest.fixture
def alert(urgent, ask):
    ask()
    return Alert.objects.get()


def test_a_finding_makes_one_alert_however_often_it_is_read(urgent, ask, now):
    ask()
    ask(now=lambda: now + timedelta(hours=30))
    assert Alert.objects.count() == 1


def test_new_versions_of_an_answer_are_one_finding(ask, ehr):
    answer = fakes.self_harm(fakes.LAST_DAY)
    for version in ("/_history/1", "/_history/2", "/_history/3", ""):
        new = replace(answer, source=answer.source + version)
        ehr.record = PatientRecord(series=(fakes.diary(),), safety=(new,))
        ask()
    assert Alert.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"value": 2.0}, {"source": "Observation/another/_history/1"}]
)
def test_another_value_or_answer_is_another_finding(ask, ehr, other):
    answer = fakes.self_harm(fakes.LAST_DAY)
    for one in (answer, replace(answer, **other)):
        ehr.record = PatientRecord(series=(fakes.diary(),), safety=(one,))
        ask()
    assert Alert.objects.count() == 2


def test_what_was_urgent_long_ago_is_history(urgent, ask, now):
    ask(now=lambda: now + timedelta(days=30))
    assert not Alert.objects.exists()


def test_a_forecast_as_of_long_ago_raises_no_alert(urgent, ask, ehr, now):
    day = now.date() - timedelta(days=60)
    ehr.record = PatientRecord(
        series=(fakes.questionnaire(8, 12, last=day),), safety=(fakes.self_harm(day),)
    )
    (item,) = ask(as_of=day).instruments
    assert item.recommendations[0].code == "URGENT_FINDING"
    assert not Alert.objects.exists()


def test_nothing_of_the_finding_is_stored_in_the_clear(alert):
    assert b"phq9" not in bytes(alert.finding)
    assert b"2026" not in bytes(alert.finding)


def test_the_care_team_sees_it_and_nobody_else(alert, actor, stranger, audited):
    audited()
    (seen,) = list_alerts(actor)
    assert (seen.patient_id, seen.kind, seen.day) == (
        alert.patient_id,
        "self-harm",
        fakes.LAST_DAY,
    )
    assert list_alerts(stranger) == []
    assert audited() == [("LIST", "SUCCESS"), ("LIST", "SUCCESS")]


def test_a_command_sees_every_alert(alert):
    assert len(list_alerts(Actor.of_command("test"))) == 1


def test_the_first_acknowledgement_stands(alert, actor, now, audited):
    audited()
    first = acknowledge(actor, alert.pk, now=now)
    later = acknowledge(actor, alert.pk, now=now + timedelta(hours=1))
    assert first == later
    assert (first.acknowledged_at, first.acknowledged_by) == (now, actor.name)
    assert audited() == [("ACKNOWLEDGE", "SUCCESS")] * 2
    assert list_alerts(actor) == []
    assert list_alerts(actor, acknowledged=True) == [first]


@pytest.mark.parametrize("whose", ["unknown", "forbidden"])
def test_unknown_and_forbidden_alerts_are_the_same(alert, stranger, audited, whose):
    asked_for = uuid4() if whose == "unknown" else alert.pk
    audited()
    with pytest.raises(NotVisible):
        acknowledge(stranger, asked_for, now=alert.created)
    assert audited() == [("ACKNOWLEDGE", "DENIED")]
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_a_command_is_nobody_who_could_have_seen_it(alert, now):
    with pytest.raises(NotVisible):
        acknowledge(Actor.of_command("test"), alert.pk, now=now)


def test_a_finding_moved_to_another_alert_does_not_open(alert, actor, patient, now):
    moved = Alert.objects.create(
        patient=patient, key="other", finding=alert.finding, created=now
    )
    seen = {one.id: one for one in list_alerts(actor)}
    assert (seen[alert.pk].readable, seen[alert.pk].kind) == (True, "self-harm")
    assert (seen[moved.pk].readable, seen[moved.pk].kind) == (False, None)
    assert '"unreadable":1' in AccessEvent.objects.latest("seq").detail


def test_an_alert_of_an_erased_patient_is_still_one(alert, actor, patient, now):
    crypto.shred(patient)
    (seen,) = list_alerts(actor)
    assert (seen.id, seen.patient_id) == (alert.pk, patient.pk)
    assert (seen.kind, seen.scale, seen.day, seen.value) == (None,) * 4
    assert not acknowledge(actor, alert.pk, now=now).readable
    assert list_alerts(actor) == []
