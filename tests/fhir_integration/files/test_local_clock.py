"""Times of files: offsets, zones, and the hours that clocks skip or show twice."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.measures import Window
from backend.twin.record import Reason
from fhir_integration.files.local_clock import Clock, NoSuchZone, zone_of
from fhir_integration.kinds.spans import Span, span_of
from fhir_integration.strict_json import Json

BERLIN = Clock(zone_of("Europe/Berlin"))
NOWHERE = Clock()


def at(text: str) -> Json:
    return {"effectiveDateTime": text}


def period(start: str, end: str) -> Json:
    return {"effectivePeriod": {"start": start, "end": end}}


POINTS = [
    ("2025-10-26T02:30:00+02:00", BERLIN, at("2025-10-26T02:30:00+02:00")),
    ("2025-10-26T02:30:00+01:00", BERLIN, at("2025-10-26T02:30:00+01:00")),
    ("2025-10-26 02:30:00 +0100", NOWHERE, at("2025-10-26T02:30:00+01:00")),
    ("2025-10-26 02:30", BERLIN, Reason.NO_TIME),  # twice that night
    ("2025-03-30 02:30", BERLIN, Reason.MALFORMED),  # never that night
    ("2025-10-26 03:00", BERLIN, at("2025-10-26T03:00:00+01:00")),
    ("2025-07-01T08:00:00.25", BERLIN, at("2025-07-01T08:00:00.250000+02:00")),
    ("2025-07-01T08:00", NOWHERE, Reason.NO_TIME),
    ("2025-07-01T08:00", Clock(BERLIN.zone, bare=False), Reason.NO_TIME),
    ("2025-07-01T06:00:00Z", BERLIN, at("2025-07-01T08:00:00+02:00")),
    ("2025-07-01T06:00:00-00:00", BERLIN, at("2025-07-01T08:00:00+02:00")),
    ("2025-07-01T06:00:00Z", NOWHERE, at("2025-07-01T06:00:00Z")),
    ("2025-07-01T06:00:00Z", Clock(zone_of("-0330")), at("2025-07-01T02:30:00-03:30")),
    ("0001-01-01T00:00:00Z", Clock(zone_of("-01:00")), at("0001-01-01T00:00:00+00:00")),
    ("2025-07-01", NOWHERE, Reason.NO_TIME),
    ("2025-07-01", BERLIN, at("2025-07-01")),
    ("2025-02-30T08:00", BERLIN, Reason.MALFORMED),
    ("2025-02-30T08:00Z", BERLIN, Reason.MALFORMED),
    ("2025-07", BERLIN, at("2025-07")),  # span_of says PARTIAL_DATE
    ("noon", BERLIN, at("noon")),
    ("", BERLIN, Reason.NO_DATE),
    (None, BERLIN, Reason.NO_DATE),
    (7, BERLIN, Reason.MALFORMED),
]


@pytest.mark.parametrize(("text", "clock", "expected"), POINTS)
def test_a_moment(text: object, clock: Clock, expected: Json | Reason) -> None:
    assert clock.effective(text, None, "instant") == expected


DAYS: list[tuple[str, str | None, Window, Clock, Json | Reason]] = [
    # the local day has 25 hours when clocks go back, and 23 when they go forward
    *(
        (day, None, "day", BERLIN, period(f"{day}T00:00:00{one}", f"{then}{two}"))
        for day, one, then, two in [
            ("2025-10-26", "+02:00", "2025-10-27T00:00:00", "+01:00"),
            ("2025-03-30", "+01:00", "2025-03-31T00:00:00", "+02:00"),
        ]
    ),
    # Beirut's clock skips midnight: the day begins at one
    (
        "2025-03-30",
        None,
        "day",
        Clock(zone_of("Asia/Beirut")),
        period("2025-03-30T01:00:00+03:00", "2025-03-31T00:00:00+03:00"),
    ),
    ("2025-07-01", None, "night", BERLIN, at("2025-07-01T00:00:00+02:00")),
    ("2025-07-01", None, "day", NOWHERE, Reason.NO_TIME),
    ("2025-07-01", None, "night", NOWHERE, Reason.NO_TIME),
    ("9999-12-31", None, "day", BERLIN, Reason.MALFORMED),
    ("2025-02-30", None, "day", BERLIN, Reason.MALFORMED),
    ("2025-07-01T05:00:00Z", None, "night", NOWHERE, Reason.NO_TIME),
    ("2025-07-01T05:00:00Z", "2025-07-01T06:00:00Z", "day", NOWHERE, Reason.NO_TIME),
    # a day of UTC is none of Berlin's, but is one in UTC
    ("2025-07-01T00:00:00Z", "2025-07-02T00:00:00Z", "day", BERLIN, Reason.NO_WINDOW),
    (
        "2025-07-01T00:00:00Z",
        "2025-07-02T00:00:00Z",
        "day",
        Clock(zone_of("UTC")),
        period("2025-07-01T00:00:00+00:00", "2025-07-02T00:00:00+00:00"),
    ),
    (
        "2025-06-30T22:00:00Z",
        "2025-07-01T22:00:00Z",
        "day",
        BERLIN,
        period("2025-07-01T00:00:00+02:00", "2025-07-02T00:00:00+02:00"),
    ),
    # resting through a night is no day of UTC
    (
        "2025-06-30T21:00:00Z",
        "2025-07-01T05:00:00Z",
        "day",
        BERLIN,
        period("2025-06-30T23:00:00+02:00", "2025-07-01T07:00:00+02:00"),
    ),
    (
        "2025-07-01T00:00Z",
        "noon",
        "day",
        BERLIN,
        period("2025-07-01T02:00:00+02:00", "noon"),
    ),
    ("2025-07-01T08:00Z", "", "interval", BERLIN, Reason.NO_DATE),
]


@pytest.mark.parametrize("case", DAYS)
def test_a_day_and_a_period(
    case: tuple[str, str | None, Window, Clock, Json | Reason],
) -> None:
    start, end, window, clock, expected = case
    assert clock.effective(start, end, window) == expected


@pytest.mark.parametrize(
    ("text", "seconds", "clock", "expected"),
    [
        ("2025-10-26T02:30:00+02:00", 3600, BERLIN, "2025-10-26T03:30:00+02:00"),
        ("2025-10-26T00:30:00Z", 3600, BERLIN, "2025-10-26T02:30:00+01:00"),
        ("2025-10-26 01:30", 7200, BERLIN, "2025-10-26T02:30:00+01:00"),
        ("2025-10-26T00:30:00Z", -3600, NOWHERE, "2025-10-25T23:30:00Z"),
        ("2025-10-26", 3600, BERLIN, Reason.NO_TIME),
        ("2025-10-26", 3600, NOWHERE, Reason.NO_TIME),
        ("2025-10", 3600, BERLIN, Reason.PARTIAL_DATE),
        ("9999-12-31T00:00:00Z", 90_000, NOWHERE, Reason.MALFORMED),
        (None, 60, BERLIN, Reason.NO_DATE),
    ],
)
def test_a_time_moved_by_a_duration(
    text: object, seconds: float, clock: Clock, expected: str | Reason
) -> None:
    assert clock.moved(text, seconds) == expected


@pytest.mark.parametrize("name", ["", "Berlin", "Europe", "../etc", "+15:00", "CEST"])
def test_a_zone_that_does_not_exist(name: str) -> None:
    with pytest.raises(NoSuchZone, match="like Europe/Berlin"):
        zone_of(name)


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Beirut", "UTC"]),
)
def test_whatever_the_zone_the_instant_stays_and_the_day_is_local(
    utc: datetime, name: str
) -> None:
    utc = utc.replace(microsecond=0, tzinfo=UTC)
    text = utc.isoformat().replace("+00:00", "Z")
    effective = Clock(zone_of(name)).effective(text, None, "instant")
    assert isinstance(effective, dict)
    span = span_of(effective, "instant")
    assert isinstance(span, Span)
    local = utc.astimezone(ZoneInfo(name))
    assert span.start == int(utc.timestamp())
    assert (
        span.day
        == local.date().toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    )
    assert (span.start + 60 * span.offset) % 86_400 == (
        local.hour * 3600 + local.minute * 60 + local.second
    )


@given(st.text(max_size=40), st.one_of(st.none(), st.text(max_size=40)))
def test_no_text_breaks_it(start: str, end: str | None) -> None:
    for clock in (BERLIN, NOWHERE):
        for window in ("instant", "interval", "day", "night"):
            found = clock.effective(start, end, window)
            assert isinstance(found, Reason | dict)
        assert isinstance(clock.moved(start, 60.0), str)
