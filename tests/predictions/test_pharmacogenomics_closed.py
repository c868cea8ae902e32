"""Who may not ask for advice, whose is not looked at, and what is told of neither."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.people import crypto
from backend.people.opting_out import set_opted_out
from backend.predictions import selectors
from backend.predictions.errors import PatientErased
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outbox import DeliveryReport
from backend.registry.switches import switch
from backend.twin.errors import (
    EhrUnavailable,
    NotVisible,
    PatientOptedOut,
    ServiceOff,
)
from tests.predictions import treatments
from tests.predictions.test_closed import CLOSED, EHR_ID
from tests.predictions.treatments import GONE, Responder

OK, DENIED, FAILED = "SUCCESS", "DENIED", "FAILED"


@pytest.fixture
def off(db):
    def off():
        switch("pharmacogenomics", on=False, actor="user:1", reason="looks wrong")

    return off


def test_switched_off_nobody_is_asked_and_it_is_recorded(*, advise, off, ehr):
    off()
    with pytest.raises(ServiceOff):
        advise()
    with pytest.raises(ServiceOff):
        advise(patient_id=uuid4())
    ours, nobodys = AccessEvent.objects.order_by("-seq")[:2][::-1]
    assert (ours.action, ours.outcome) == ("ADVISE", DENIED)
    assert ours.patients.exists() and not nobodys.patients.exists()
    assert ehr.asked == []


def test_a_switch_thrown_while_the_record_is_read_counts(advise, off, ehr, audited):
    audited()
    read = ehr.read_treatment
    ehr.read_treatment = lambda *args, **other: (off(), read(*args, **other))[1]
    with pytest.raises(ServiceOff):
        advise()
    assert audited()[-2:] == [("PULL", OK), ("ADVISE", DENIED)]
    assert not Prediction.objects.exists() and not OutboxItem.objects.exists()


def test_deliveries_wait_until_it_is_on_again(advise, off, deliver):
    advise(medications=["citalopram"])
    off()
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=1)
    switch("pharmacogenomics", on=True, actor="user:1", reason="")
    assert deliver().delivered == 1


def test_another_services_switch_changes_nothing(advise):
    switch("correlation", on=False, actor="user:1", reason="looks wrong")
    switch("forecast", on=False, actor="user:1", reason="looks wrong")
    assert advise().report.recommendations


@pytest.mark.parametrize("error", CLOSED)
def test_closed_records_are_not_looked_at_nor_told(
    *, advise, deliver, ehr, audited, error
):
    advise(medications=["citalopram"])
    ehr.persons[EHR_ID] = CLOSED[error]
    audited()
    with pytest.raises(error):
        advise()
    assert audited() == [("PULL", DENIED)]
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert ehr.writes == 0
    assert OutboxItem.objects.get().state == "cancelled"


def test_an_ehr_that_is_down_leaves_one_row_and_nothing_else(advise, ehr, audited):
    audited()
    ehr.down = EhrUnavailable("gone")
    with pytest.raises(EhrUnavailable):
        advise()
    assert audited() == [("PULL", FAILED)]
    assert not Prediction.objects.exists()


def test_who_opts_out_closes_what_is_stored(*, advise, actor, now, advice_policy):
    stored = advise()
    set_opted_out(actor=actor, patient_id=stored.patient_id, opted_out=True)
    at = {"now": now, "policy": advice_policy}
    with pytest.raises(PatientOptedOut):
        selectors.read_advice(actor, stored.id, **at)
    with pytest.raises(PatientOptedOut):
        selectors.list_advice(actor, stored.patient_id, **at)


def test_an_erased_patient_has_no_advice(
    *, advise, actor, patient, now, advice_policy, deliver, ehr
):
    stored = advise(medications=["citalopram"])
    crypto.shred(patient)
    with pytest.raises(PatientErased):
        selectors.read_advice(actor, stored.id, now=now, policy=advice_policy)
    with pytest.raises(PatientErased):
        advise()
    assert deliver().failed == 1 and ehr.writes == 0
    for row in Prediction.objects.all():
        assert b"citalopram" not in bytes(row.payload) + bytes(row.evidence)


def test_one_that_does_not_open_is_made_anew(advise):
    stored = advise()
    Prediction.objects.update(payload=b"spoilt")
    again = advise()
    assert not again.reused and again.report == stored.report


def test_strangers_and_unknown_ids_learn_nothing(
    *, advise, stranger, actor, now, advice_policy
):
    stored = advise()
    at = {"now": now, "policy": advice_policy}
    for who, which in [(stranger, stored.id), (actor, uuid4())]:
        with pytest.raises(NotVisible):
            selectors.read_advice(who, which, **at)
    with pytest.raises(NotVisible):
        selectors.list_advice(stranger, stored.patient_id, **at)
    with pytest.raises(NotVisible):
        advise(actor=stranger)


def test_no_patient_data_in_logs_or_rows(*, advise, deliver, ehr, caplog):
    treatments.publish()
    with caplog.at_level(logging.DEBUG):
        advise(models=Responder(GONE), medications=["citalopram", "a herb"])
        ehr.down = EhrUnavailable("gone")
        deliver()
        ehr.down = None
        Prediction.objects.update(payload=b"spoilt")
        advise()
    details = "".join(row.detail for row in AccessEvent.objects.all())
    errors = "".join(OutboxItem.objects.values_list("last_error", flat=True))
    said = f"{caplog.text}{details}{errors}"
    for word in (EHR_ID, "citalopram", "herb", "CYP2C19", "*2", "Observation/"):
        assert word not in said
    assert '"genotypes":2' in details and '"medications":1' in details
