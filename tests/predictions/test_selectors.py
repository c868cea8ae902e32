"""Reading stored forecasts."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from backend.audit.models import AccessEvent
from backend.people import crypto
from backend.predictions.errors import PatientErased
from backend.predictions.models import Prediction
from backend.predictions.selectors import (
    get_forecast,
    latest_forecast,
    list_forecasts,
)
from backend.twin.errors import NotVisible, SealBroken


@pytest.fixture
def when(now, policy):
    return {"now": now + timedelta(hours=25), "policy": policy}


def test_what_was_stored_is_what_is_read(ask, actor, when, audited):
    stored = ask()
    audited()
    read = get_forecast(actor, stored.id, **when)
    assert read.instruments == stored.instruments
    assert (read.age_seconds, read.stale) == (25 * 3600, True)
    assert audited() == [("READ", "SUCCESS")]


def test_the_newest_comes_first_and_the_list_ends(ask, actor, patient, when):
    hours_ago = [timedelta(hours=25), timedelta(hours=1)]
    newest = [ask(now=lambda ago=ago: when["now"] - ago).id for ago in hours_ago][::-1]
    assert [one.id for one in list_forecasts(actor, patient.pk, **when)] == newest
    (one,) = list_forecasts(actor, patient.pk, limit=1, **when)
    assert one.id == newest[0]
    assert (one.age_seconds, one.stale) == (3600, False)
    assert latest_forecast(actor, patient.pk, **when).id == newest[0]


def test_a_patient_without_forecasts_has_none(actor, patient, when):
    assert latest_forecast(actor, patient.pk, **when) is None
    assert list_forecasts(actor, patient.pk, **when) == []


@pytest.mark.parametrize("whose", ["unknown", "forbidden"])
def test_unknown_and_forbidden_are_the_same(ask, stranger, when, whose):
    stored = ask()
    with pytest.raises(NotVisible):
        get_forecast(stranger, uuid4() if whose == "unknown" else stored.id, **when)
    row = AccessEvent.objects.latest("seq")
    assert (row.action, row.outcome, row.actor) == ("READ", "DENIED", stranger.name)


def test_lists_and_newest_are_refused_to_strangers(ask, stranger, when, audited):
    patient_id = ask().patient_id
    audited()
    for read in (list_forecasts, latest_forecast):
        with pytest.raises(NotVisible):
            read(stranger, patient_id, **when)
    assert audited() == [("LIST", "DENIED"), ("READ", "DENIED")]


def test_an_answer_of_another_row_does_not_open(ask, actor, now, when):
    first = ask()
    second = ask(now=lambda: now + timedelta(hours=24))
    moved = Prediction.objects.get(pk=first.id).payload
    Prediction.objects.filter(pk=second.id).update(payload=moved)
    with pytest.raises(SealBroken):
        get_forecast(actor, second.id, **when)


def test_of_an_erased_patient_only_the_list_is_left(ask, actor, patient, when):
    stored = ask()
    crypto.shred(patient)
    with pytest.raises(PatientErased):
        get_forecast(actor, stored.id, **when)
    with pytest.raises(PatientErased):
        latest_forecast(actor, patient.pk, **when)
    assert len(list_forecasts(actor, patient.pk, **when)) == 1
