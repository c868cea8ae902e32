"""From the gate to the EHR: which signals of a patient move with which symptoms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from backend.predictions import correlation_digests, selectors
from backend.predictions.models import OutboxItem, Prediction, PredictionModel
from backend.predictions.outbox import DeliveryReport
from backend.twin.correlation import correlation_json
from backend.twin.correlation.correlation_json import to_dict
from tests.predictions import fakes
from tests.predictions.signals import SIGNAL, SYMPTOM

OK = "SUCCESS"
MODEL = "biometric_correlation"


def test_a_found_link_is_stored_and_told(correlate, ehr, patient):
    stored = correlate()
    (insight,) = stored.report.insights
    low, high = insight.link.lag_interval
    assert low <= 12 <= high and insight.link.method == "network"
    assert [(use.model, use.channel, use.weight) for use in stored.models] == [
        (MODEL, "production", 1.0)
    ]
    assert stored.identifiers.keys() == {(SIGNAL, SYMPTOM)}
    assert set(stored.delivery.values()) == {"pending"}
    assert (stored.reused, stored.stale, stored.notices) == (False, False, ())
    row = Prediction.objects.get()
    assert (row.service, row.patient, row.as_of) == (
        "correlation",
        patient,
        fakes.LAST_DAY + timedelta(days=1),
    )
    used = PredictionModel.objects.get()
    assert (used.prediction, used.model) == (row, MODEL)


def test_all_days_of_the_window_and_the_lags_before_it_are_read(correlate, ehr, now):
    correlate(days=40)
    correlate(days=40, as_of=fakes.LAST_DAY)
    (_, since, until), (_, first, last) = ehr.asked
    today = now.date()
    assert since <= today - timedelta(days=40 + 3) and until >= today
    assert (first, last) == (fakes.LAST_DAY - timedelta(days=43), fakes.LAST_DAY)


def test_nothing_of_it_is_stored_in_the_clear(correlate):
    correlate()
    row = Prediction.objects.get()
    for blob in (row.payload, row.evidence):
        for word in (SYMPTOM, SIGNAL, "Observation"):
            assert word.encode() not in bytes(blob)


def test_what_is_read_back_is_what_was_answered(*, correlate, actor, now, link_policy):
    stored = correlate()
    at = {"now": now, "policy": link_policy}
    read = selectors.read_correlation(actor, stored.id, **at)
    assert read == stored
    assert to_dict(read.report) == to_dict(stored.report)
    (listed,) = selectors.list_correlations(actor, stored.patient_id, **at)
    assert (listed.id, listed.as_of, listed.stale) == (stored.id, stored.as_of, False)
    old = {**at, "now": now + timedelta(hours=25)}
    assert selectors.read_correlation(actor, stored.id, **old).stale
    assert selectors.list_correlations(actor, stored.patient_id, **old)[0].stale


def test_an_equal_record_is_given_the_stored_answer(correlate, now):
    stored = correlate()
    again = correlate(now=lambda: now + timedelta(hours=2))
    assert (again.id, again.reused) == (stored.id, True)
    assert again.report == stored.report and again.identifiers == stored.identifiers


@pytest.mark.parametrize("other", [{"days": 40}, {"as_of": fakes.LAST_DAY}, "late"])
def test_another_window_or_a_later_time_is_answered_anew(correlate, now, other):
    stored = correlate()
    if other == "late":
        other = {"now": lambda: now + timedelta(hours=25)}
    again = correlate(**other)
    assert again.id != stored.id and not again.reused


def test_what_was_stored_in_another_format_is_answered_anew(correlate, monkeypatch):
    stored = correlate()
    for module in (correlation_json, correlation_digests):
        monkeypatch.setattr(module, "FORMAT", correlation_json.FORMAT + 1)
    again = correlate()
    assert not again.reused and again.report == stored.report


def test_one_observation_per_insight_and_only_once(correlate, deliver, ehr, now):
    stored = correlate()
    assert deliver() == DeliveryReport(delivered=1, failed=0, waiting=0)
    (document,) = ehr.links.values()
    (identifier,) = stored.identifiers.values()
    assert document.identifier == identifier
    assert document.ehr_patient == "ehr-4711"
    assert document.insight == stored.report.insights[0]
    assert document.models == stored.models
    assert document.clock == stored.report.clock
    assert document.issued == now
    assert len(document.sources) == document.insight.link.n
    assert document.sources[-1] == "Observation/s239"
    correlate()
    assert deliver(60) == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert ehr.writes == 1 and not ehr.written


def test_equal_data_and_models_make_one_delivery(correlate, deliver, ehr, now):
    stored = correlate()
    deliver()
    Prediction.objects.update(created=now - timedelta(days=3))
    again = correlate()
    assert again.id != stored.id and again.identifiers == stored.identifiers
    assert set(again.delivery.values()) == {"delivered"}
    assert OutboxItem.objects.count() == 1


def test_another_value_of_a_wearable_makes_another_answer(correlate, ehr):
    stored = correlate()
    (stream,) = ehr.record.streams
    values = np.where(np.arange(len(stream)) == 400, 44.0, stream.value)
    ehr.record = replace(ehr.record, streams=(replace(stream, value=values),))
    again = correlate()
    assert not again.reused
    assert set(again.identifiers.values()).isdisjoint(stored.identifiers.values())
