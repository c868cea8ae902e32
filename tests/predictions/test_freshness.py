"""When a stored answer is given again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from backend.predictions import digests
from backend.predictions.answer import open_answer, seal_answer
from backend.predictions.models import OutboxItem, Prediction
from backend.registry.models import ModelRelease
from backend.twin.record import PatientRecord, Reason, Refusal
from tests.predictions import fakes


def at(moment):
    return {"now": lambda: moment}


def test_an_equal_question_gives_the_stored_answer(ask, models, audited):
    first = ask()
    asked = len(models.asked)
    audited()
    again = ask()
    assert (again.id, again.reused, first.reused) == (first.id, True, False)
    assert again.instruments == first.instruments
    assert len(models.asked) == asked
    assert Prediction.objects.count() == 1
    assert audited() == [("PULL", "SUCCESS"), ("FORECAST", "SUCCESS")]


def test_an_answer_of_before_there_were_warnings_is_computed_anew(ask, patient):
    """As an earlier version sealed it: without the fields that came later."""
    first = ask()
    prediction = Prediction.objects.get(pk=first.id)
    answer = open_answer(patient, prediction)
    old = tuple(
        replace(one, forecast=replace(one.forecast, fortnight=(), warning=None))
        for one in answer.instruments
    )
    answer = replace(answer, instruments=old)
    prediction.payload = seal_answer(patient, prediction.pk, answer)
    prediction.save()
    again = ask()
    assert (again.reused, again.id != first.id) == (False, True)
    assert again.instruments == first.instruments


def test_over_midnight_it_is_still_fresh(ask, now):
    first = ask()
    again = ask(**at(now + timedelta(hours=20)))
    assert again.id == first.id
    assert again.age_seconds == 20 * 3600
    assert not again.stale


def test_after_its_hours_it_is_computed_anew_and_delivered_once(ask, now):
    first = ask()
    again = ask(**at(now + timedelta(hours=24)))
    assert again.id != first.id
    assert again.instruments[0].identifier == first.instruments[0].identifier
    assert OutboxItem.objects.count() == 1
    assert set(again.delivery.values()) == {"pending"}


def test_a_new_entry_makes_a_new_answer(ask, ehr):
    first = ask()
    ehr.record = PatientRecord(series=(fakes.diary(41),))
    assert ask().id != first.id


def test_a_change_in_the_medicines_makes_a_new_answer(ask, ehr):
    answers = [ask()]
    for days_ago in (9, 8):
        medications = (fakes.ordered(days_ago),)
        ehr.record = PatientRecord(series=(fakes.diary(),), medications=medications)
        answers += [ask(), ask()]
    assert [one.reused for one in answers] == [False, False, True, False, True]
    assert len({one.id for one in answers}) == 3


def test_other_constants_around_the_models_make_a_new_answer(ask, monkeypatch):
    first = ask()
    monkeypatch.setattr(digests, "constants", lambda _versions: None)
    again = ask()
    assert (again.reused, again.id != first.id) == (False, True)


def test_another_model_makes_a_new_answer(ask):
    first = ask()
    ModelRelease.objects.filter(model="symptom_xgboost").update(sha256="c" * 64)
    assert ask().id != first.id


def test_another_weight_makes_a_new_answer(ask, policy):
    first = ask()
    weights = {"symptom_transformer": 0.5, "symptom_xgboost": 0.5}
    assert ask(policy=replace(policy, weights=weights)).id != first.id


def test_a_new_refusal_makes_a_new_answer(ask, ehr, now):
    first = ask()
    refused = (Refusal("Observation/9", Reason.WRONG_UNIT),)
    ehr.record = PatientRecord(series=(fakes.diary(),), refused=refused)
    again = ask(**at(now + timedelta(hours=1)))
    assert again.id != first.id
    assert again.refused == {"wrong-unit": 1}
    assert ask(**at(now + timedelta(hours=2))).id == again.id


def test_a_finding_that_became_history_makes_a_new_answer(ask, ehr, now):
    day = now.date() - timedelta(days=14)
    ehr.record = PatientRecord(series=(fakes.diary(),), safety=(fakes.self_harm(day),))
    first = ask()
    assert ask().id == first.id
    again = ask(**at(now + timedelta(hours=20)))
    assert again.id != first.id
    assert (len(first.urgent_findings), len(again.urgent_findings)) == (1, 0)


def test_a_far_day_makes_a_new_answer_of_an_equal_record(ask, now):
    first = ask(as_of=now.date() - timedelta(days=1))
    later = now + timedelta(hours=20)  # within the hours, and two days further on
    assert ask(as_of=later.date(), **at(later)).id != first.id


def test_a_series_that_became_historical_makes_a_new_answer(ask, ehr, now):
    ehr.record = PatientRecord(
        series=(fakes.diary(last=now.date() - timedelta(days=28)),)
    )
    first = ask(as_of=now.date())
    again = ask(as_of=now.date() + timedelta(days=1), **at(now.replace(hour=12)))
    assert (first.historical, again.historical) == (False, True)
    assert again.id != first.id


def test_the_future_is_not_fresh(ask, now):
    first = ask()
    assert ask(**at(now - timedelta(minutes=1))).id != first.id
