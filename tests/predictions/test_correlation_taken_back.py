"""What becomes of correlations whose reports are taken back or amended; and that no
service takes another one's answers for its own.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.predictions import selectors
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.outcomes import score_outcomes
from backend.twin.errors import NotVisible
from backend.twin.record import Reason, Refusal, Series
from tests.predictions import fakes, signals
from tests.predictions.signals import SYMPTOM
from tests.twin.correlation.made import World

SOURCE = "Observation/s100"
TAKEN_BACK = "an entry it used was taken back"
AMENDED = "an entry it used was amended"


def changed(record, value=None):
    """The record with the entry SOURCE taken back, or with another value."""
    (series,) = (one for one in record.series if one.scale.key == SYMPTOM)
    entries = [
        entry if entry.source != SOURCE else replace(entry, value=value)
        for entry in series.entries
        if entry.source != SOURCE or value is not None
    ]
    gone = (Refusal(SOURCE, Reason.ENTERED_IN_ERROR),) if value is None else ()
    return replace(record, series=(Series(series.scale, tuple(entries)),), refused=gone)


@pytest.mark.parametrize(
    ("value", "reason"), [(None, TAKEN_BACK), (9.5, AMENDED)], ids=["gone", "amended"]
)
@pytest.mark.parametrize("pulled_by", ["correlation", "forecast"])
def test_a_report_taken_back_cancels_what_rests_on_it(
    *, correlate, ask, actor, ehr, now, link_policy, value, reason, pulled_by
):
    first = correlate()
    ehr.record = changed(ehr.record, value)
    second = correlate() if pulled_by == "correlation" else ask()
    assert not second.reused
    at = {"now": now, "policy": link_policy}
    read = selectors.read_correlation(actor, first.id, **at)
    assert (read.stale, read.stale_reason) == (True, reason)
    listed = selectors.list_correlations(actor, first.patient_id, **at)
    assert {one.id: one.stale_reason for one in listed}[first.id] == reason
    (identifier,) = first.identifiers.values()
    assert read.delivery == {identifier: "cancelled"}


def test_what_was_delivered_is_said_to_stand_no_longer(correlate, deliver, ehr):
    first = correlate()
    deliver()
    ehr.record = changed(ehr.record)
    second = correlate()
    assert second.no_longer_standing == tuple(first.identifiers.values())
    assert set(second.delivery.values()) == {"pending"}


def test_a_silence_that_rests_on_a_report_is_stale_too(
    *, correlate, ehr, actor, now, link_policy
):
    ehr.record = signals.linked(World(days=60, r=0.0))
    first = correlate()
    assert first.report.insights == ()
    ehr.record = changed(ehr.record)
    correlate()
    read = selectors.read_correlation(actor, first.id, now=now, policy=link_policy)
    assert read.stale_reason == TAKEN_BACK


def test_a_report_outside_the_window_changes_nothing_of_it(
    *, correlate, ehr, actor, now, link_policy
):
    first = correlate(days=30)  # SOURCE is of the 26th day of 60
    ehr.record = changed(ehr.record)
    correlate()
    read = selectors.read_correlation(actor, first.id, now=now, policy=link_policy)
    assert not read.stale


def test_the_entry_that_comes_back_is_told_again(correlate, deliver, ehr):
    before = correlate()
    whole = ehr.record
    ehr.record = changed(whole)
    correlate()
    ehr.record = whole
    again = correlate()
    assert again.identifiers == before.identifiers and not again.reused
    (identifier,) = again.identifiers.values()
    assert OutboxItem.objects.get(pk=identifier).stands
    assert again.delivery == {identifier: "pending"}


@pytest.fixture
def both(ask, correlate, ehr):
    """A forecast, and a correlation made after it of the same record."""
    ehr.record = replace(
        signals.linked(), series=(fakes.diary(), *signals.linked().series)
    )
    return ask(), correlate()


def test_no_service_opens_the_others_answers(*, both, actor, now, policy, link_policy):
    forecast, links = both
    mine, theirs = {"now": now, "policy": policy}, {"now": now, "policy": link_policy}
    patient = forecast.patient_id
    with pytest.raises(NotVisible):
        selectors.get_forecast(actor, links.id, **mine)
    with pytest.raises(NotVisible):
        selectors.read_correlation(actor, forecast.id, **theirs)
    listed = selectors.list_forecasts(actor, patient, **mine)
    assert [one.id for one in listed] == [forecast.id]
    found = selectors.list_correlations(actor, patient, **theirs)
    assert [one.id for one in found] == [links.id]
    latest = selectors.latest_forecast(actor, patient, **mine)
    assert latest is not None and latest.id == forecast.id


def test_who_has_links_alone_has_no_forecast(*, correlate, actor, now, policy):
    links = correlate()
    at = {"now": now, "policy": policy}
    assert selectors.latest_forecast(actor, links.patient_id, **at) is None
    assert selectors.list_forecasts(actor, links.patient_id, **at) == []


def test_both_are_delivered_each_as_what_it_is(both, deliver, ehr):
    forecast, links = both
    assert deliver().failed == 0
    assert set(ehr.links) == set(links.identifiers.values())
    assert set(ehr.written) == {one.identifier for one in forecast.instruments}


def test_links_are_not_scored_as_forecasts(*, correlate, patient, ehr, now):
    correlate()
    assert score_outcomes(patient, ehr.record, until=now.date(), now=now) == 0
    assert Prediction.objects.get().scored_with == ""
