from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.measures import Measure, measures
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import scale
from backend.twin.streams import NO_OFFSET, Rows, Stream, stream
from fhir_integration.reader import read_record
from fhir_integration.seed import observations, put
from fhir_integration.seed_streams import told
from fhir_integration.site import FhirEhr
from tests.peer import Peer

DAY, HOUR = 86_400, 3600
FIRST = date(2026, 1, 1)
DAYS = 93
LAST = FIRST + timedelta(days=DAYS - 1)
START = (FIRST - date(1970, 1, 1)).days  # days since 1970
EAST = 60  # minutes


def of_rows(measure: Measure, rows: list[tuple[int, float, int, int, float]]) -> Stream:
    """(start, seconds, day, offset, value) of each."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    start, seconds, day, offset, value = columns
    made, again = stream(
        measure,
        Rows(
            [1_000_000 * one for one in start],
            *(seconds, day, offset, value),
            source=[""] * len(rows),
            of=list(range(len(rows))),
        ),
    )
    assert again == []
    return made


def hourly(key: str, *, keep: float = 0.9, seed: int = 1, days: int = DAYS) -> Stream:
    """A value an hour with gaps, on a local clock east of UTC."""
    random, measure = np.random.default_rng(seed), measures()[key]
    length = float(HOUR) if measure.window == "interval" else 0.0
    rows = []
    for hour in np.flatnonzero(random.random(24 * days) < keep).tolist():
        value = round(float(random.uniform(30, 90)), 1)
        start = START * DAY + hour * HOUR - 60 * EAST
        rows.append((start, length, START + hour // 24, EAST, value))
    return of_rows(measure, rows)


def nightly(key: str, days: int) -> Stream:
    rows = []
    for night in range(days):
        end = (START + night) * DAY + 7 * HOUR - 60 * EAST
        rows.append(
            (end - 8 * HOUR, 8.0 * HOUR, START + night, EAST, 400.0 + night % 9)
        )
    return of_rows(measures()[key], rows)


def patient_of_a_demo(days: int = DAYS) -> PatientRecord:
    dates = [FIRST + timedelta(days=n) for n in range(days)]
    mood = tuple(
        Entry(d, float(n % 11), "", f"{d}T20:00:00+01:00") for n, d in enumerate(dates)
    )
    return PatientRecord(
        series=(Series(scale("mood-0-10"), mood),),
        streams=(
            hourly("heart-rate", days=days),
            hourly("hrv-sdnn", seed=2, days=days),
            nightly("sleep-duration", days),
            hourly("steps", keep=1.0, seed=3, days=days),
        ),
    )


def content(of: PatientRecord) -> object:
    """All of a record but the references, which the EHR gives."""
    streams = [replace(one, sources=()).digest for one in of.streams]
    series = [(s.scale, [(e.day, e.value, e.at) for e in s.entries]) for s in of.series]
    return series, streams, of.refused


def test_a_demo_patient_comes_back_and_a_second_run_adds_nothing(ehr: FhirEhr) -> None:
    record = patient_of_a_demo()
    first, second = (put(ehr.client, "case 1", record) for _ in range(2))
    read = ehr.read_signals(first.patient, since=FIRST, until=LAST)
    assert content(read) == content(record)
    assert (first.patient, second.written) == (second.patient, frozenset())


def test_another_partys_server_takes_and_gives_them_too(peer: Peer) -> None:
    site, record = peer.ehr(), patient_of_a_demo(days=12)
    patient = put(site.client, "case 1", record).patient
    read = site.read_signals(patient, since=FIRST, until=LAST)
    assert content(read) == content(record)
    site.close()


def test_hours_without_gaps_make_one_observation_a_day() -> None:
    record = PatientRecord(series=(), streams=(hourly("steps", keep=1.0),))
    assert len(list(observations(record, patient="p1"))) == DAYS


def test_a_stream_without_values_makes_no_observation() -> None:
    assert list(told(hourly("steps", keep=0.0))) == []


def test_what_no_plain_digits_tell_has_an_observation_of_its_own() -> None:
    start = START * DAY
    rows = [
        (start + n * HOUR, float(HOUR), START, EAST, value)
        for n, value in enumerate((4.0, 1 / 3, 5.0, 6.0))
    ]
    made = of_rows(measures()["steps"], rows)
    assert [("valueQuantity" in said) for _, said in told(made)] == [True, True, False]
    assert_comes_back(made)


DATED = [("steps-daily", float(DAY)), ("sleep-duration", 0.0), ("active-minutes", DAY)]


@pytest.mark.parametrize(("key", "seconds"), DATED)
def test_what_has_a_day_and_no_time_comes_back(key: str, seconds: float) -> None:
    rows = [
        (DAY * (START + n), seconds, START + n, NO_OFFSET, 200.0 + n) for n in range(9)
    ]
    assert_comes_back(of_rows(measures()[key], rows))


def assert_comes_back(of: Stream) -> None:
    record = PatientRecord(series=(), streams=(of,))
    made = [
        {**resource, "id": str(number)}
        for number, resource in enumerate(observations(record, patient="p1"))
    ]
    read = read_record(made, ehr_patient="p1", since=FIRST, until=LAST)
    assert content(read) == content(record)


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Values of one measure: even and uneven paces, several offsets, odd numbers."""
    measure = measures()[
        draw(st.sampled_from(["heart-rate", "steps", "skin-temperature"]))
    ]
    lasts = measure.window == "interval"
    rows, at = [], START * DAY + DAY
    for _ in range(draw(st.integers(1, 40))):
        offset = draw(st.sampled_from([EAST, EAST, -330, 0]))
        pace = draw(st.sampled_from([HOUR, HOUR, HOUR, 60, 7 * HOUR]))
        seconds = float(draw(st.sampled_from([pace, pace, 60]))) if lasts else 0.0
        if not lasts:
            seconds = float(draw(st.sampled_from([0, 0, 0, 300])))
        end = int(at + max(seconds - 1, 0)) + 60 * offset
        value = draw(st.floats(20, 43) | st.integers(20, 43).map(float))
        rows.append((at, seconds, end // DAY, offset, value))
        at += pace
    return of_rows(measure, rows)


@settings(max_examples=150)
@given(streams())
def test_whatever_is_put_in_is_what_is_read(of: Stream) -> None:
    assert_comes_back(of)
