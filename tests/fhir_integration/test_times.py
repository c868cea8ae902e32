from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.record import Reason
from fhir_integration.times import Moment, moment, span


@pytest.mark.parametrize(
    ("text", "day", "at"),
    [
        ("2026-02-14", date(2026, 2, 14), ""),
        (
            "2026-02-14T23:30:00+11:00",
            date(2026, 2, 14),
            "2026-02-14T23:30:00+11:00",
        ),
        ("2026-02-14T00:10:00-05:00", date(2026, 2, 14), "2026-02-14T00:10:00-05:00"),
        ("2026-02-14T10:00Z", date(2026, 2, 14), "2026-02-14T10:00:00+00:00"),
        (
            "2026-02-14T10:00:60.123456789Z",
            date(2026, 2, 14),
            "2026-02-14T10:00:59.123456+00:00",
        ),
    ],
)
def test_the_day_is_the_one_the_text_states(text: str, day: date, at: str) -> None:
    read = moment(text)
    assert isinstance(read, Moment)
    assert (read.day, read.at) == (day, at)


@pytest.mark.parametrize("text", ["2026", "2026-02"])
def test_a_year_or_month_is_no_day(text: str) -> None:
    assert moment(text) is Reason.PARTIAL_DATE


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "2024-13-45",
        "2023-02-29",
        "2026-02-14T24:00:00Z",
        "2026-02-14T10:00:00",
        "2026-02-14T10:00:00+99:00",
        "2026-02-14T10:00:00+12:99",
        "2026-02-14T10:00:00+14:01",
        "2026-02-14T10:00:61Z",
        "2026-02-14T10:00:99Z",
        "2026-02-14T\uff12\uff13:00Z",
        "2026-02-14T10:00:00.\u0661Z",
        "\u0662026-02-14",
        "\u0662026",
        "14.2.2026",
        "2026-02-14 ",
    ],
)
def test_what_r4_does_not_allow_is_malformed(text: object) -> None:
    assert moment(text) is Reason.MALFORMED


def test_equal_instants_in_two_offsets_are_equal_in_utc() -> None:
    here, there = moment("2026-02-14T23:30:00+01:00"), moment("2026-02-14T22:30:00Z")
    assert isinstance(here, Moment)
    assert isinstance(there, Moment)
    assert here.utc == there.utc == "2026-02-14T22:30:00+00:00"


@pytest.mark.parametrize(
    ("text", "number", "offset", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0, 0, 0),
        ("1970-01-02", 1, None, 86_400_000_000),
        ("1970-01-02T00:30:00.25+01:00", 1, 60, 84_600_250_000),
        ("1969-12-31T23:00:00-03:30", -1, -210, 9_000_000_000),
        ("0001-01-01T00:00:00+14:00", -719_162, 840, -62_135_647_200_000_000),
    ],
)
def test_a_moment_in_whole_numbers(
    text: str, number: int, offset: int | None, micros: int
) -> None:
    read = moment(text)
    assert isinstance(read, Moment)
    assert (read.number, read.offset, read.micros) == (number, offset, micros)


def test_the_edge_of_the_calendar_does_not_overflow() -> None:
    read = moment("0001-01-01T00:00:00+14:00")
    assert isinstance(read, Moment)
    assert read.utc.startswith("0001-01-01")


@given(st.text())
def test_no_text_raises(text: str) -> None:
    moment(text)
    span(text)


@given(st.datetimes(timezones=st.timezones()))
def test_a_python_time_keeps_its_own_day(made: datetime) -> None:
    offset = made.utcoffset()
    assert offset is not None
    most = timedelta(hours=14)  # and FHIR offsets have no seconds
    if offset % timedelta(minutes=1) or abs(offset) > most:
        return
    read = moment(made.isoformat())
    assert isinstance(read, Moment)
    assert read.day == made.date()


def seconds(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


def test_partial_dates_span_what_they_can_mean() -> None:
    year, month, day = span("2024"), span("2024-12"), span("2024-02-29")
    assert year is not None
    assert month is not None
    assert day is not None
    assert year[0] == seconds(2024, 1, 1)
    assert 0 < seconds(2025, 1, 1) - year[1] < 1
    assert month[0] == seconds(2024, 12, 1)
    assert 0 < seconds(2025, 1, 1) - month[1] < 1
    assert day[0] == seconds(2024, 2, 29)
    assert 0 < seconds(2024, 3, 1) - day[1] < 1


def test_a_time_spans_itself() -> None:
    assert span("2026-02-14T23:30:00+01:00") == (seconds(2026, 2, 14, 22, 30),) * 2


@pytest.mark.parametrize("text", ["2024-13", "0000", "9999", "yesterday", None])
def test_what_is_no_date_spans_nothing(text: object) -> None:
    assert span(text) is None
