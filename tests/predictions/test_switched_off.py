"""The kill switch: nothing is asked, what was made before stays."""

from __future__ import annotations

from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.predictions.selectors import get_forecast
from backend.registry.switches import switch
from backend.twin.errors import ServiceOff


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


def test_what_was_made_before_stays_readable_and_is_delivered(
    *, ask, off, actor, policy, deliver, now
):
    stored = ask()
    off()
    assert get_forecast(actor, stored.id, now=now, policy=policy).id == stored.id
    assert deliver().delivered == 1


def test_it_can_be_switched_on_again(ask, off):
    off()
    off(on=True)
    assert not ask().reused
