"""Who may not ask for links, whose are not looked at, and what is told of neither."""

from __future__ import annotations

import logging
from dataclasses import replace
from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.people import crypto
from backend.people.opting_out import set_opted_out
from backend.predictions import selectors
from backend.predictions.errors import (
    PatientErased,
    TooManySamples,
)
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outbox import DeliveryReport
from backend.registry.switches import switch
from backend.twin.errors import (
    ModelUnavailable,
    NotVisible,
    PatientOptedOut,
    ServiceOff,
)
from tests.predictions.signals import SIGNAL, SYMPTOM, Silenced
from tests.predictions.test_closed import CLOSED, EHR_ID

OK, DENIED = "SUCCESS", "DENIED"


@pytest.fixture
def off(db):
    def off():
        switch("correlation", on=False, actor="user:1", reason="looks wrong")

    return off


def test_switched_off_nobody_is_asked_and_it_is_recorded(*, correlate, off, ehr):
    off()
    with pytest.raises(ServiceOff):
        correlate()
    with pytest.raises(ServiceOff):
        correlate(patient_id=uuid4())
    ours, nobodys = AccessEvent.objects.order_by("-seq")[:2][::-1]
    assert (ours.action, ours.outcome) == ("CORRELATE", DENIED)
    assert ours.patients.exists() and not nobodys.patients.exists()
    assert ehr.asked == []


def test_a_switch_thrown_while_the_record_is_read_counts(correlate, off, ehr, audited):
    audited()
    read = ehr.read_signals
    ehr.read_signals = lambda *args, **other: (off(), read(*args, **other))[1]
    with pytest.raises(ServiceOff):
        correlate()
    assert audited()[-2:] == [("PULL", OK), ("CORRELATE", DENIED)]
    assert not Prediction.objects.exists() and not OutboxItem.objects.exists()


def test_deliveries_wait_until_it_is_on_again(correlate, off, deliver, ehr):
    correlate()
    off()
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=1)
    switch("correlation", on=True, actor="user:1", reason="")
    assert deliver().delivered == 1


@pytest.mark.parametrize("error", CLOSED)
def test_closed_records_are_not_looked_at_nor_told(
    *, correlate, deliver, ehr, audited, error
):
    correlate()
    ehr.persons[EHR_ID] = CLOSED[error]
    audited()
    with pytest.raises(error):
        correlate()
    assert audited() == [("PULL", DENIED)]
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert ehr.writes == 0
    assert OutboxItem.objects.get().state == "cancelled"


def test_who_opts_out_closes_what_is_stored(*, correlate, actor, now, link_policy):
    stored = correlate()
    set_opted_out(actor=actor, patient_id=stored.patient_id, opted_out=True)
    at = {"now": now, "policy": link_policy}
    with pytest.raises(PatientOptedOut):
        selectors.read_correlation(actor, stored.id, **at)
    with pytest.raises(PatientOptedOut):
        selectors.list_correlations(actor, stored.patient_id, **at)


def test_an_erased_patient_has_no_correlation(
    *, correlate, actor, patient, now, link_policy, deliver, ehr
):
    stored = correlate()
    crypto.shred(patient)
    with pytest.raises(PatientErased):
        selectors.read_correlation(actor, stored.id, now=now, policy=link_policy)
    with pytest.raises(PatientErased):
        correlate()
    assert deliver().failed == 1 and ehr.writes == 0
    for row in Prediction.objects.all():
        assert SYMPTOM.encode() not in bytes(row.payload) + bytes(row.evidence)


def test_one_that_does_not_open_is_made_anew(correlate):
    stored = correlate()
    Prediction.objects.update(payload=b"spoilt")
    again = correlate()
    assert not again.reused and again.report == stored.report


def test_strangers_and_unknown_ids_learn_nothing(
    *, correlate, stranger, actor, now, link_policy
):
    stored = correlate()
    at = {"now": now, "policy": link_policy}
    for who, which in [(stranger, stored.id), (actor, uuid4())]:
        with pytest.raises(NotVisible):
            selectors.read_correlation(who, which, **at)
    with pytest.raises(NotVisible):
        selectors.list_correlations(stranger, stored.patient_id, **at)
    with pytest.raises(NotVisible):
        correlate(actor=stranger)


def test_no_patient_data_in_logs_errors_or_rows(
    *, correlate, deliver, ehr, caplog, link_policy, audited
):
    with caplog.at_level(logging.DEBUG):
        correlate(models=Silenced(ModelUnavailable("gone")))
        deliver()
        Prediction.objects.update(payload=b"spoilt")
        correlate()
    with pytest.raises(TooManySamples) as error:
        correlate(policy=replace(link_policy, max_samples=1))
    details = "".join(row.detail for row in AccessEvent.objects.all())
    row = OutboxItem.objects.first()
    said = f"{caplog.text}{error.value}{details}{row.last_error}"
    for word in (EHR_ID, SYMPTOM, SIGNAL, "Observation/", "12 hours"):
        assert word not in said
    assert '"samples":1536' in details and '"entries":240' in details
