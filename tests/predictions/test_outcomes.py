"""Stored forecasts score themselves when their days arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from backend.people import crypto
from backend.predictions import outcomes
from backend.predictions.answer import openable
from backend.predictions.models import OutcomeScore, Prediction
from backend.predictions.outcomes import score_outcomes
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord
from backend.twin.trajectory import LEVELS, MEDIAN
from tests.predictions import fakes

DAY = timedelta(days=1)


def reported(*values, series=None, start=2):
    """The record with these values from so many days after its last entry on."""
    series = series or fakes.diary()
    more = (
        Entry(fakes.LAST_DAY + (start + n) * DAY, value, f"Observation/new-{n}")
        for n, value in enumerate(values)
    )
    return PatientRecord(series=(replace(series, entries=(*series.entries, *more)),))


@pytest.fixture
def score(patient, now):
    """Score by a record as of so many days after the forecast; the row of it."""

    def score(record, *, days=20, until=None):
        moment = now + timedelta(days=days)
        until = until or moment.date()
        read = replace(record, person=Person())
        score_outcomes(patient, read, until=until, now=moment)
        return OutcomeScore.objects.first()

    return score


@pytest.fixture
def forecast(ask):
    return ask().instruments[0].forecast


def test_days_are_scored_as_they_arrive(forecast, score, ehr):
    assert score(ehr.record) is None  # nothing is new
    median = forecast.quantiles[1][MEDIAN]
    row = score(reported(median))
    assert (row.days, row.inside_80, row.inside_95) == (1, 1, 1)
    assert row.error == pytest.approx(0.0)
    row = score(reported(median, 10.0))
    sd = float(np.std([e.value for e in fakes.diary().entries]))
    assert (row.days, row.inside_80, row.inside_95) == (2, 1, 1)
    assert row.error == pytest.approx((10.0 - forecast.quantiles[2][MEDIAN]) / sd)
    assert OutcomeScore.objects.count() == 1


def test_the_loss_is_that_of_the_benchmark(forecast, score):
    row = score(reported(6.0))
    quantiles, levels = np.array(forecast.quantiles[1]), np.array(LEVELS)
    edges = np.concatenate([[0], (levels[1:] + levels[:-1]) / 2, [1]])
    gap = 6.0 - quantiles
    pinball = np.maximum(levels * gap, (levels - 1) * gap)
    sd = float(np.std([e.value for e in fakes.diary().entries]))
    assert row.loss == pytest.approx(2 * (pinball * np.diff(edges)).sum() / sd)


def test_what_is_taken_back_lowers_it_again(forecast, score, ehr):
    assert score(reported(5.0, 5.0)).days == 2
    assert score(reported(5.0)).days == 1
    assert score(ehr.record).days == 0


def test_several_entries_of_a_day_are_their_mean(forecast, score):
    record = reported(4.0)
    (series,) = record.series
    again = replace(series.entries[-1], value=6.0, source="Observation/again")
    record = PatientRecord(series=(replace(series, entries=(*series.entries, again)),))
    row = score(record)
    sd = float(np.std([e.value for e in fakes.diary().entries]))
    assert row.days == 1
    assert row.error == pytest.approx(abs(5.0 - forecast.quantiles[1][MEDIAN]) / sd)


def test_the_day_it_was_made_on_does_not_count(forecast, score, now):
    assert forecast.days[0] == now.date()
    assert score(reported(5.0, start=1)) is None


@pytest.mark.parametrize("spoil", ["stale", "historical", "old", "unreadable"])
def test_what_may_not_be_scored_is_not(*, forecast, score, patient, now, spoil):
    if spoil == "stale":
        Prediction.objects.update(stale_since=now, stale_reason="amended")
    elif spoil == "historical":
        Prediction.objects.update(historical=True)
    elif spoil == "unreadable":
        crypto.shred(patient)
    assert score(reported(5.0), days=45 if spoil == "old" else 20) is None


def test_a_pull_of_the_past_scores_nothing(forecast, score, now):
    assert score(reported(5.0), until=now.date()) is None


def test_a_questionnaire_is_scored_in_widths_of_its_scale(ask, ehr, score):
    series = fakes.questionnaire(8, 9)
    ehr.record = PatientRecord(series=(series,))
    (item,) = ask().instruments
    row = score(reported(9.0, series=series))
    assert (row.method, row.versions, row.days) == ("irregular", "", 1)
    assert row.error == pytest.approx(
        abs(9.0 - item.forecast.quantiles[1][MEDIAN]) / 27
    )


def test_a_diary_whose_sd_was_not_kept_is_left_out(ask, patient, score, monkeypatch):
    ask()

    def before(patient, prediction):
        answer = openable(patient, prediction)
        (item,) = answer.instruments
        return replace(answer, instruments=(replace(item, sd=None),))

    monkeypatch.setattr(outcomes, "openable", before)
    assert score(reported(5.0)) is None


def test_each_row_names_its_versions(forecast, score):
    assert score(reported(5.0)).versions == "symptom_transformer:1 symptom_xgboost:1"


def test_the_service_scores_at_each_pull(ask, ehr, now):
    ask()
    ehr.record = reported(5.0, 6.0)
    ask(now=lambda: now + 3 * DAY)
    rows = OutcomeScore.objects.filter(days__gt=0)
    assert [row.days for row in rows] == [2]


def test_an_entry_outside_its_days_opens_no_forecast(forecast, score, monkeypatch):
    assert score(reported(5.0)).days == 1
    monkeypatch.setattr(outcomes, "openable", None)
    record = reported(5.0)
    (series,) = record.series
    far = Entry(fakes.LAST_DAY + 17 * DAY, 5.0, "Observation/far")
    later = replace(series, entries=(*series.entries, far))
    assert score(PatientRecord(series=(later,))).days == 1


def test_what_it_was_scored_with_confirms_no_guess(forecast, score):
    assert Prediction.objects.get().scored_with == ""
    score(reported(5.0))
    stored = Prediction.objects.get().scored_with
    day = fakes.LAST_DAY + 2 * DAY
    assert stored == crypto.keyed(f"outcomes\nmood-0-10|{day}|5.0")


def test_a_record_that_says_nothing_new_costs_one_query(forecast, score):
    assert score(reported(5.0)).days == 1
    with CaptureQueriesContext(connection) as queries:
        score(reported(5.0))
    asked = [one["sql"] for one in queries if "predictions_prediction" in one["sql"]]
    assert len(asked) == 1


def test_a_database_that_fails_loses_no_answer(*, ask, ehr, now, monkeypatch, caplog):
    def fails(*_args, **_other):
        raise DatabaseError("lock timeout at 4.0")

    ask()
    ehr.record = reported(5.0)
    monkeypatch.setattr(outcomes, "kept", fails)
    assert not ask(now=lambda: now + 3 * DAY).reused
    assert "DatabaseError" in caplog.text
    assert "4.0" not in caplog.text


def test_they_go_with_the_patient(forecast, score, patient):
    score(reported(5.0))
    patient.delete()
    assert not OutcomeScore.objects.exists()
