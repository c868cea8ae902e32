"""What is given while no model answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.audit.models import AccessEvent
from backend.predictions.errors import ModelsDown
from backend.predictions.models import OutboxItem, Prediction, PredictionModel
from backend.predictions.stored import UNAVAILABLE
from backend.registry.models import ModelRelease
from backend.twin.errors import ModelUnavailable
from backend.twin.record import Entry, PatientRecord
from tests.predictions import fakes

OK, FAILED = "SUCCESS", "FAILED"
BOTH = ("symptom_transformer", "symptom_xgboost")
DIARY = fakes.diary()
NEXT = Entry(fakes.LAST_DAY + timedelta(days=1), 4.0, "Observation/next")
ONE_MORE = PatientRecord(series=(replace(DIARY, entries=(*DIARY.entries, NEXT)),))


@pytest.fixture
def outage(models):
    """No model answers from now on."""
    return lambda: models.broken.update(dict.fromkeys(BOTH, ModelUnavailable("gone")))


@pytest.fixture
def later(ask, ehr, now):
    """Ask so many days later, with an entry more, so that nothing stored is equal."""

    def later(days, **other):
        moment = now + timedelta(days=days)
        ehr.record = other.pop("record", ONE_MORE)
        return ask(now=lambda: moment, **other)

    return later


def detail():
    return AccessEvent.objects.latest("seq").detail


def test_the_last_forecast_stands_in_and_is_marked(ask, later, outage, audited):
    first = ask()
    outage()
    audited()
    given = later(3)
    assert (given.id, given.reused) == (first.id, True)
    assert (given.stale, given.stale_reason) == (True, UNAVAILABLE)
    assert given.instruments == first.instruments
    assert given.age_seconds == timedelta(days=3).total_seconds()
    assert audited() == [("PULL", OK), ("FORECAST", FAILED)]
    assert '"error":"ModelsDown"' in detail()
    assert '"answered":"stored"' in detail()
    assert Prediction.objects.count() == OutboxItem.objects.count() == 1


def test_what_is_urgent_is_said_of_the_record_of_today(ask, later, outage):
    assert ask().urgent_findings == ()
    outage()
    record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    (finding,) = later(1, record=record).urgent_findings
    assert finding.kind == "self-harm"


def test_without_a_stored_forecast_it_is_said(ask, ehr, outage, audited):
    ehr.record = PatientRecord(
        series=(fakes.diary(),), safety=(fakes.self_harm(fakes.LAST_DAY),)
    )
    outage()
    audited()
    with pytest.raises(ModelsDown) as down:
        ask()
    assert [one.kind for one in down.value.remarks.urgent_findings] == ["self-harm"]
    assert "mood" not in f"{down.value!r} {down.value}"  # errors reach logs
    assert audited() == [("PULL", OK), ("FORECAST", FAILED)]
    assert "answered" not in detail()
    assert not Prediction.objects.exists()


def test_it_is_asked_anew_once_the_models_are_back(ask, later, outage, models):
    ask()
    outage()
    assert later(1).stale
    models.broken.clear()
    again = later(1)
    assert (again.reused, again.stale) == (False, False)


@pytest.mark.parametrize("days", [14, 15])
def test_an_old_one_does_not_stand_in(ask, later, outage, days):
    ask()
    outage()
    if days <= 14:
        assert later(days).stale_reason == UNAVAILABLE
    else:
        with pytest.raises(ModelsDown):
            later(days)


@pytest.mark.parametrize("spoil", ["stale", "later day", "other instrument"])
def test_what_does_not_hold_does_not_stand_in(*, ask, later, outage, now, spoil):
    first = ask()
    kept, other = Prediction.objects.filter(pk=first.id), {}
    if spoil == "stale":
        kept.update(stale_since=now, stale_reason="amended")
    elif spoil == "later day":
        kept.update(as_of=(now + timedelta(days=2)).date())
    else:
        other = {"record": PatientRecord(series=(fakes.diary(key="energy-0-10"),))}
    outage()
    with pytest.raises(ModelsDown):
        later(1, **other)


def test_an_older_one_that_holds_stands_in(ask, ehr, later, outage):
    first = ask()
    both = (fakes.diary(), fakes.diary(key="energy-0-10"))
    ehr.record = PatientRecord(series=both)
    assert len(ask().instruments) == 2
    outage()
    assert later(1).id == first.id  # the record has the one instrument only


def test_a_look_back_does_not_pass_for_the_last_forecast(ask, later, outage, now):
    first = ask()
    hour = now + timedelta(hours=1)
    back = ask(as_of=now.date() - timedelta(days=13), now=lambda: hour)
    assert back.id != first.id
    outage()
    assert later(1).id == first.id
    Prediction.objects.filter(pk=first.id).update(stale_since=now)
    with pytest.raises(ModelsDown):
        later(1)
    again = later(1, as_of=back.as_of)  # for that very day it is the last one
    assert again.id == back.id


@pytest.mark.parametrize("broken", ["all", "newest"])
def test_one_that_does_not_open_hides_nothing(*, ask, later, outage, now, broken):
    first = ask()
    newest = ask(now=lambda: now + timedelta(days=1))
    spoilt = Prediction.objects.exclude(pk=first.id if broken == "newest" else None)
    spoilt.update(payload=b"spoilt")
    assert spoilt.filter(pk=newest.id).exists()
    outage()
    series, asked = ONE_MORE.series, (fakes.self_harm(fakes.LAST_DAY),)
    record = PatientRecord(series=series, safety=asked)
    if broken == "newest":
        given = later(2, record=record)
        assert (given.id, len(given.urgent_findings)) == (first.id, 1)
    else:
        with pytest.raises(ModelsDown) as down:
            later(2, record=record)
        assert len(down.value.remarks.urgent_findings) == 1


def test_an_equal_one_that_does_not_open_is_made_anew(ask, outage, caplog):
    first = ask()
    Prediction.objects.update(payload=b"spoilt")
    assert ask().id != first.id
    assert "SealBroken" in caplog.text
    Prediction.objects.update(payload=b"spoilt")
    outage()
    with pytest.raises(ModelsDown):
        ask()


def test_questionnaires_and_few_entries_need_no_model(ask, ehr, outage):
    ehr.record = PatientRecord(series=(fakes.questionnaire(8, 9), fakes.diary(5)))
    outage()
    given = ask()
    assert (given.reused, given.stale) == (False, False)
    assert {i.forecast.method for i in given.instruments} == {"irregular"}


def test_where_no_model_may_answer_the_climatology_does(ask, outage):
    ModelRelease.objects.update(card=fakes.card(daily=False))
    outage()
    (item,) = ask().instruments
    assert item.forecast.method == "climatology"
    assert not PredictionModel.objects.exists()
