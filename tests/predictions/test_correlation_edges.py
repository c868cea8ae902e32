"""When there is little to correlate, too much of it, or no network to ask."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from backend.audit.models import AccessEvent
from backend.predictions.correlation import EMPTY
from backend.predictions.correlation_answer import open_correlation
from backend.predictions.days import today_of
from backend.predictions.errors import (
    DayOutOfRange,
    DaysOutOfRange,
    TooManySamples,
)
from backend.predictions.link_network import NO_ANSWER, NONE_APPROVED, TOO_MANY
from backend.predictions.models import Prediction, PredictionModel
from backend.predictions.outbox import DeliveryReport
from backend.registry.channels import needed
from backend.registry.models import Channel, ModelRelease
from backend.twin.correlation.model_inputs import MODEL
from backend.twin.errors import (
    ModelRefused,
    ModelUnavailable,
)
from backend.twin.measures import measures
from backend.twin.record import PatientRecord, Series
from tests.predictions import fakes, signals
from tests.predictions.signals import EAST, SIGNAL, Silenced
from tests.twin.correlation.made import World

OK, FAILED, DENIED = "SUCCESS", "FAILED", "DENIED"
BEGIN = datetime(2026, 1, 1, tzinfo=EAST)


def few_reports():
    return signals.linked(World(days=6, per_day=2, r=-0.8, lag=12))


def without(record, *, streams=False, series=False):
    return replace(
        record,
        streams=() if streams else record.streams,
        series=() if series else record.series,
    )


def questionnaires():
    made = signals.linked()
    return replace(made, series=(fakes.questionnaire(8, 9),))


def dated(record):
    (one,) = record.series
    entries = tuple(replace(entry, at="") for entry in one.entries)
    return replace(record, series=(Series(one.scale, entries),))


def abroad(record, hours):
    """The same by the local clock of a place that far east, with a diary in UTC."""
    moved, (one,), (worn,) = 3600 * (hours - 1), record.series, record.streams
    entries = []
    for entry in one.entries:
        at = datetime.fromisoformat(entry.at).astimezone(UTC) - timedelta(seconds=moved)
        entries.append(replace(entry, at=at.isoformat(), day=at.date()))
    offset = np.full(len(worn), 60 * hours, np.int16)
    return replace(
        record,
        series=(Series(one.scale, tuple(entries)),),
        streams=(replace(worn, start=worn.start - moved, offset=offset),),
    )


def watch_in_utc(record, hours):
    """The same with a diary that states that zone; the watch's last value is newest."""
    (one,), (worn,) = record.series, record.streams
    zone = timezone(timedelta(hours=hours))
    entries = tuple(
        replace(entry, at=datetime.fromisoformat(entry.at).astimezone(zone).isoformat())
        for entry in one.entries
    )
    offset = np.zeros_like(worn.offset)
    series, streams = Series(one.scale, entries), replace(worn, offset=offset)
    return replace(record, series=(series,), streams=(streams,))


def many(count):
    """One link, and signals that go with nothing, `count` in all."""
    made = signals.linked()
    keys = [key for key in measures() if key not in {SIGNAL, "steps-daily"}]
    rng = np.random.default_rng(5)
    others = tuple(
        signals.hourly(key, BEGIN, 50 + rng.standard_normal(24 * 61))
        for key in keys[: count - 1]
    )
    return replace(made, streams=(*made.streams, *others))


NOTHING_TO_SAY = {
    "no reports": lambda: without(signals.linked(), series=True),
    "no wearables": lambda: without(signals.linked(), streams=True),
    "nothing at all": lambda: PatientRecord(series=()),
    "too few reports": few_reports,
    "questionnaires alone": questionnaires,
    "no link": lambda: signals.linked(World(days=60, r=0.0)),
}


@pytest.mark.parametrize("name", NOTHING_TO_SAY)
def test_silence_is_an_answer_and_nothing_is_delivered(
    *, correlate, deliver, ehr, audited, name
):
    ehr.record = NOTHING_TO_SAY[name]()
    audited()
    stored = correlate()
    assert stored.report.insights == () and stored.report.message
    assert stored.identifiers == stored.delivery == {}
    assert (EMPTY in stored.notices) == (name == "nothing at all")
    assert audited() == [("PULL", OK), ("CORRELATE", OK)]
    assert deliver() == DeliveryReport(delivered=0, failed=0, waiting=0)
    assert ehr.writes == 0
    assert correlate().reused


@pytest.mark.parametrize("name", ["no reports", "no wearables", "too few reports"])
def test_nobody_is_asked_where_there_is_nothing_to_judge(correlate, ehr, name):
    ehr.record = NOTHING_TO_SAY[name]()
    server = Silenced(ModelUnavailable("gone"))
    stored = correlate(models=server)
    assert server.asked == 0 and stored.models == ()
    assert NO_ANSWER not in stored.notices


def test_medicines_that_nobody_asked_for_are_not_missed(correlate):
    assert not any("medicines" in one for one in correlate().notices)


def wrong(shape=(1, 12, 100), fill=2.0):
    return {"links": np.full(shape, fill, np.float32)}


@pytest.mark.parametrize(
    "says",
    [
        ModelUnavailable("gone"),
        ModelRefused("no"),
        {"other": np.zeros(1)},
        wrong((1, 12, 3)),
        wrong(fill=2.0),
        wrong(fill=np.nan),
    ],
    ids=["down", "refused", "no links", "other shape", "no probability", "nan"],
)
def test_the_engine_answers_alone_where_the_network_does_not(
    correlate, deliver, ehr, says
):
    stored = correlate(models=Silenced(says))
    (insight,) = stored.report.insights
    assert insight.link.method == "engine" and stored.models == ()
    assert stored.notices == (NO_ANSWER,)
    assert not PredictionModel.objects.exists()
    deliver()
    assert next(iter(ehr.links.values())).models == ()
    whole = correlate()
    assert not whole.reused and whole.notices == ()
    assert set(whole.identifiers.values()).isdisjoint(stored.identifiers.values())


def test_what_the_engine_said_alone_is_not_given_twice(correlate):
    server = Silenced(ModelUnavailable("gone"))
    first, second = correlate(models=server), correlate(models=server)
    assert not second.reused and second.id != first.id and server.asked == 2
    assert second.identifiers == first.identifiers


def no_channel():
    Channel.objects.filter(model=MODEL).delete()


def newest():
    return ModelRelease.objects.filter(model=MODEL).latest("version")


def other_features():
    release = newest()
    release.card["feature_schema_hash"] = "0" * 64
    release.save()


@pytest.mark.parametrize("unapprove", [no_channel, other_features])
def test_the_engine_answers_alone_where_no_network_is_approved(correlate, unapprove):
    unapprove()
    server = Silenced(ModelUnavailable("gone"))
    stored = correlate(models=server)
    assert stored.notices == (NONE_APPROVED,) and server.asked == 0
    assert [one.link.method for one in stored.report.insights] == ["engine"]
    assert not correlate(models=server).reused


def test_more_signals_than_the_network_takes_are_the_engines(correlate, ehr):
    ehr.record = many(13)
    server = Silenced(ModelUnavailable("gone"))
    stored = correlate(models=server)
    assert len(stored.report.biometrics) == 13
    assert stored.notices == (TOO_MANY,) and server.asked == 0
    assert stored.report.insights[0].link.biometric == SIGNAL
    assert correlate(models=server).reused


def test_a_fresh_installation_serves_the_network(published):
    assert needed()[MODEL] == {newest().version}


@pytest.mark.parametrize("days", [0, -1, 121])
def test_too_many_days_are_refused_before_anybody_is_asked(correlate, ehr, days):
    with pytest.raises(DaysOutOfRange, match="1 to 120 days"):
        correlate(days=days)
    assert ehr.asked == []


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(2026, 3, 4)])
def test_days_that_no_record_reaches_are_refused(correlate, ehr, day):
    with pytest.raises(DayOutOfRange):
        correlate(as_of=day)
    assert ehr.asked == []


def test_too_many_samples_are_refused_and_recorded(*, correlate, link_policy, audited):
    audited()
    held = len(signals.linked().streams[0])
    with pytest.raises(TooManySamples, match=f"at most {held - 1} values"):
        correlate(policy=replace(link_policy, max_samples=held - 1))
    assert audited() == [("PULL", OK), ("CORRELATE", FAILED)]
    assert '"error":"TooManySamples"' in AccessEvent.objects.latest("seq").detail
    assert not Prediction.objects.exists()
    assert correlate(policy=replace(link_policy, max_samples=held)).report.insights


def test_a_symptom_of_which_only_days_are_known_rests_on_all_of_them(
    correlate, deliver, ehr
):
    ehr.record = dated(signals.linked())
    stored = correlate()
    (symptom,) = stored.report.symptoms
    assert symptom.by_day
    deliver()
    for document in ehr.links.values():
        assert len(document.sources) == symptom.n


@pytest.mark.parametrize("hours", [-8, 10])
def test_what_counts_in_the_window_is_what_it_rests_on(*, correlate, ehr, now, hours):
    """A diary in UTC has other days than the patient; both ends of a window differ."""
    ehr.record = abroad(signals.linked(), hours)
    stored = correlate(days=30, as_of=now.date() - timedelta(days=20))
    (symptom,) = stored.report.symptoms
    row = Prediction.objects.get()
    (sources,) = open_correlation(row.patient, row).sources.values()
    assert len(sources) == symptom.n


def test_a_days_end_is_the_patients_own():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert today_of(PatientRecord(series=()), noon) == date(2026, 3, 2)
    early, late = noon.replace(hour=0), noon.replace(hour=23, minute=30)
    record = signals.linked()  # an hour east of Greenwich
    for one in (record, without(record, series=True), without(record, streams=True)):
        assert today_of(one, late) == date(2026, 3, 3)
        assert today_of(one, early - timedelta(hours=2)) == date(2026, 3, 1)
    assert today_of(without(dated(record), streams=True), late) == date(2026, 3, 2)
    for west in (abroad(record, -8), watch_in_utc(record, -8)):  # one of them says -8
        assert today_of(west, late.replace(hour=7)) == date(2026, 3, 1)


def test_a_day_that_has_not_begun_makes_today_no_whole_one(correlate, ehr, now):
    """Asked for by name, from where it is tomorrow already."""
    today = now.date()
    begin = datetime(today.year, today.month, today.day, tzinfo=EAST)
    steps = signals.hourly("steps-daily", begin - timedelta(days=59), np.arange(60.0))
    daily = replace(
        steps,
        start=steps.start[0] + 86_400 * np.arange(60),
        seconds=np.full(60, 86_400.0),
        day=steps.day[0] + np.arange(60, dtype=np.int32),
    )
    ehr.record = replace(signals.linked(), streams=(daily,))
    late = now.replace(hour=13)
    for as_of in (today, today + timedelta(days=1)):
        stored = correlate(as_of=as_of, days=30, now=lambda: late)
        ((name, count, _),) = map(astuple, stored.report.left_out)
        assert (name, count) == ("steps-daily", 1)
