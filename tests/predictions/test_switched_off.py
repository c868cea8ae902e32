"""The kill switch: nothing is asked, what was made before stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outbox import DeliveryReport
from backend.predictions.selectors import get_forecast
from backend.registry.switches import switch
from backend.twin.errors import ModelUnavailable, ServiceOff
from backend.twin.record import PatientRecord
from tests.predictions import fakes


@pytest.fixture
def off(db):
    def off(*, on=False):
        switch("forecast", on=on, actor="user:1", reason="looks wrong")

    return off


def test_nobody_is_asked_and_it_is_recorded(*, ask, off, ehr, models, patient):
    off()
    with pytest.raises(ServiceOff):
        ask()
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome) == ("FORECAST", "DENIED")
    assert '"error":"ServiceOff"' in row.detail
    assert [one.patient for one in row.patients.all()] == [patient.pk]
    assert ehr.asked == models.asked == []


def test_an_id_that_is_none_of_ours_is_not_written_down(ask, off):
    off()
    with pytest.raises(ServiceOff):
        ask(patient_id=uuid4())
    assert not AccessEvent.objects.latest("seq").patients.exists()


def test_what_was_made_before_stays_readable(*, ask, off, actor, policy, now):
    stored = ask()
    off()
    assert get_forecast(actor, stored.id, now=now, policy=policy).id == stored.id


def test_deliveries_wait_until_it_is_on_again(ask, off, deliver, ehr):
    ask()
    off()
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=1)
    assert (ehr.writes, OutboxItem.objects.get().attempts) == (0, 0)
    off(on=True)
    assert deliver() == DeliveryReport(delivered=1, failed=0, waiting=0)


def test_a_switch_thrown_while_delivering_stops_the_next_one(ask, off, deliver, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(), fakes.questionnaire(8, 9)))
    ask()
    write = ehr.write_forecast
    ehr.write_forecast = lambda document: (off(), write(document))[1]
    assert deliver() == DeliveryReport(delivered=1, failed=0, waiting=1)


@pytest.mark.parametrize("service", ["correlation", "pharmacogenomics"])
def test_deliveries_do_not_wait_for_another_service(ask, deliver, service):
    ask()
    switch(service, on=False, actor="user:1", reason="looks wrong")
    assert deliver().delivered == 1


@pytest.mark.parametrize("stored", ["none", "equal", "to stand in"])
def test_a_switch_thrown_while_the_record_is_read_counts(
    *, ask, off, ehr, models, audited, stored, now
):
    later = now
    if stored != "none":
        ask()
    if stored == "to stand in":
        later = now + timedelta(days=2)
        models.broken = dict.fromkeys(models.shift, ModelUnavailable("gone"))
    before = Prediction.objects.count(), OutboxItem.objects.count()
    audited()
    read = ehr.read_symptoms
    ehr.read_symptoms = lambda *args, **other: (off(), read(*args, **other))[1]
    with pytest.raises(ServiceOff):
        ask(now=lambda: later)
    assert (Prediction.objects.count(), OutboxItem.objects.count()) == before
    assert audited()[-2:] == [("PULL", "SUCCESS"), ("FORECAST", "DENIED")]
    assert '"error":"ServiceOff"' in AccessEvent.objects.latest("seq").detail


def test_it_can_be_switched_on_again(ask, off):
    off()
    off(on=True)
    assert not ask().reused
