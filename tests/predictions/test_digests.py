"""When two answers are the same answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from backend.people import crypto
from backend.predictions import digests
from backend.predictions.digests import digest_of_models, identifier
from backend.predictions.models import OutboxItem
from backend.twin.calibration import UNFITTED
from backend.twin.errors import ModelUnavailable
from backend.twin.record import PatientRecord, Reason, Refusal
from backend.twin.trajectory import ModelUse
from tests.predictions import fakes

ONE = ModelUse("a", 1, "0" * 64, "production", 0.7)
TWO = ModelUse("b", 1, "1" * 64, "production", 0.3)
OTHER = replace(UNFITTED, middle=0.5)


def names(answer):
    return {item.forecast.scale.key: item.identifier for item in answer.instruments}


def name(patient, forecast, *, window_digest="r", asked=None):
    models = forecast.models if asked is None else asked
    return identifier(patient, forecast, window_digest=window_digest, asked=models)


def test_the_order_of_models_does_not_count():
    assert digest_of_models([ONE, TWO]) == digest_of_models([TWO, ONE])


@pytest.mark.parametrize(
    "other", [{"version": 2}, {"sha256": "2" * 64}, {"weight": 0.6}, {"model": "c"}]
)
def test_version_weights_and_share_count(other):
    assert digest_of_models([ONE]) != digest_of_models([replace(ONE, **other)])


def test_the_channel_does_not_count():
    assert digest_of_models([ONE]) == digest_of_models([replace(ONE, channel="shadow")])


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("CALCULATION", -1),
        ("constants", lambda _versions: OTHER),
        ("irregular", SimpleNamespace(table=lambda: {"daily": OTHER})),
    ],
)
def test_all_that_was_fitted_around_the_models_counts(monkeypatch, part, other):
    before = digest_of_models([ONE, TWO])
    monkeypatch.setattr(digests, part, other)
    assert digest_of_models([ONE, TWO]) != before


def test_the_constants_that_count_are_those_of_all_that_were_asked(
    ask, patient, models, monkeypatch
):
    """Beside a silent model of an unfitted version nothing was calibrated."""
    models.broken["symptom_xgboost"] = ModelUnavailable("gone")
    (item,) = ask().instruments
    (use,) = item.forecast.models
    silent = replace(use, model="symptom_xgboost")
    monkeypatch.setattr(
        digests, "constants", lambda found: UNFITTED if len(found) > 1 else OTHER
    )
    alone = name(patient, item.forecast)
    assert name(patient, item.forecast, asked=(use,)) == alone
    assert name(patient, item.forecast, asked=(use, silent)) != alone


def test_a_fallbacks_name_knows_no_calibration(ask, patient, monkeypatch):
    (item,) = ask().instruments
    fallback = replace(item.forecast, models=(), method="climatology")
    before = name(patient, fallback, asked=[ONE])
    monkeypatch.setattr(digests, "constants", lambda _versions: OTHER)
    assert name(patient, fallback, asked=[ONE]) == before


def test_an_equal_answer_has_an_equal_identifier(ask, patient):
    (item,) = ask().instruments
    again = name(patient, item.forecast)
    assert again == name(patient, item.forecast)
    assert again != name(patient, item.forecast, window_digest="s")


def test_a_fallback_is_another_answer_than_the_ensemble(ask, patient):
    (item,) = ask().instruments
    fallback = replace(item.forecast, models=(), method="climatology")
    assert name(patient, fallback) != name(patient, item.forecast)
    other = replace(fallback, method="irregular")
    assert name(patient, fallback) != name(patient, other)


def test_an_entry_of_another_instrument_leaves_a_forecasts_name(ask, ehr):
    ehr.record = PatientRecord(series=(fakes.diary(40), fakes.questionnaire(8, 9)))
    first = names(ask())
    ehr.record = PatientRecord(series=(fakes.diary(41), fakes.questionnaire(8, 9)))
    answer = ask()
    assert not answer.reused
    assert names(answer)["phq9"] == first["phq9"]
    assert names(answer)["mood-0-10"] != first["mood-0-10"]
    assert OutboxItem.objects.count() == 3


def test_a_change_of_treatment_changes_a_forecasts_name(ask, ehr):
    """Orders of medicines reach the models; one that begins in the window counts."""
    first = names(ask())
    series = (fakes.diary(),)
    ehr.record = PatientRecord(series=series, medications=(fakes.ordered(9),))
    changed = names(ask())
    ehr.record = PatientRecord(series=series, medications=(fakes.ordered(12),))
    assert len({*first.values(), *changed.values(), *names(ask()).values()}) == 3


def test_another_medicine_leaves_a_forecasts_name(ask, ehr):
    first = names(ask())
    ehr.record = PatientRecord(
        series=(fakes.diary(),), medications=(fakes.ordered(9, "ibuprofen"),)
    )
    answer = ask()
    assert (answer.reused, names(answer)) == (False, first)


def test_a_day_that_leaves_the_look_back_leaves_a_forecasts_name(ask, ehr, now):
    ehr.record = PatientRecord(series=(fakes.diary(410),))
    first = ask()
    later = ask(now=lambda: now + timedelta(days=2))
    assert not later.reused
    assert names(later) == names(first)
    assert OutboxItem.objects.count() == 1


def test_an_answer_that_cannot_be_read_leaves_a_forecasts_name(ask, ehr):
    first = names(ask())
    refused = (Refusal("Observation/9", Reason.NO_VALUE, safety=True),)
    ehr.record = PatientRecord(series=(fakes.diary(),), refused=refused)
    assert names(ask()) == first


def test_a_name_confirms_no_guess_to_who_lacks_the_key(ask, patient, settings):
    """The name goes to the EHR: with the window's digest alone it could be tried."""
    (item,) = ask().instruments
    ours = name(patient, item.forecast, window_digest="guess")
    own = settings.MINDTWIN
    try:
        crypto.configure(master_keys=own["MASTER_KEYS"], index_key=b"k" * 32)
        theirs = name(patient, item.forecast, window_digest="guess")
    finally:
        crypto.configure(master_keys=own["MASTER_KEYS"], index_key=own["INDEX_KEY"])
    assert ours != theirs
