from __future__ import annotations

import pytest

from backend.twin.measures import Window
from backend.twin.record import Reason
from backend.twin.streams import NO_OFFSET
from fhir_integration.kinds.spans import Span, span_of
from tests.fhir_integration.kinds.body import AT, DAY, WHEN, Json

MIDNIGHT = DAY * 86_400  # of 14 February, as if in UTC
ISSUED = {"issued": "2026-02-14T10:00:00Z"}


def period(start: str | None, end: str | None) -> Json:
    ends = {"start": start, "end": end}
    stated = {name: text for name, text in ends.items() if text is not None}
    return {"effectivePeriod": stated}


@pytest.mark.parametrize(
    ("stated", "window", "span"),
    [
        ({"effectiveDateTime": WHEN}, "instant", Span(AT, 0.0, DAY, 60)),
        ({"effectiveInstant": WHEN}, "instant", Span(AT, 0.0, DAY, 60)),
        (
            {"effectiveTiming": {"event": [WHEN]}},
            "instant",
            Span(AT, 0.0, DAY, 60),
        ),
        ({"effectiveDateTime": WHEN, **ISSUED}, "day", Span(AT, 0.0, DAY, 60)),
        (  # the day is the one that the text states, whatever day it is in UTC
            {"effectiveDateTime": "2026-02-14T00:05:00+01:00"},
            "instant",
            Span(AT - 9 * 3600, 0.0, DAY, 60),
        ),
        (
            {"effectiveDateTime": "2026-02-14T08:05:00.750Z"},
            "instant",
            Span(AT, 0.0, DAY, 0, 750_000),
        ),
        (
            {"effectiveDateTime": "2026-02-14"},
            "day",
            Span(MIDNIGHT, 86_400.0, DAY, NO_OFFSET),
        ),
        (
            {"effectiveDateTime": "2026-02-14"},
            "night",
            Span(MIDNIGHT, 0.0, DAY, NO_OFFSET),
        ),
        (
            period(WHEN, "2026-02-14T09:35:00+01:00"),
            "interval",
            Span(AT, 1800.0, DAY, 60),
        ),
        (
            period(WHEN, "2026-02-14T09:35:00+01:00"),
            "instant",
            Span(AT, 1800.0, DAY, 60),
        ),
        (period(WHEN, WHEN), "instant", Span(AT, 0.0, DAY, 60)),
        (period(WHEN, None), "instant", Span(AT, 0.0, DAY, 60)),
        (period(None, WHEN), "day", Span(AT, 0.0, DAY, 60)),
        (  # a night counts on the day on which it ends
            period("2026-02-13T23:05:00+01:00", "2026-02-14T07:05:00+01:00"),
            "night",
            Span(AT - 10 * 3600, 8 * 3600.0, DAY, 60),
        ),
        (  # what ends at midnight was all on the day before
            period("2026-02-14T00:00:00Z", "2026-02-15T00:00:00Z"),
            "day",
            Span(MIDNIGHT, 86_400.0, DAY, 0),
        ),
        (
            period("2026-02-14", "2026-02-14"),
            "interval",
            Span(MIDNIGHT, 86_400.0, DAY, NO_OFFSET),
        ),
        (
            period("2026-02-13", "2026-02-14"),
            "night",
            Span(MIDNIGHT - 86_400, 172_800.0, DAY, NO_OFFSET),
        ),
        (
            period("2026-02-14", "2026-02-14T23:00:00Z"),
            "day",
            Span(MIDNIGHT, 86_400.0, DAY, NO_OFFSET),
        ),
    ],
)
def test_what_a_value_covers(stated: Json, window: Window, span: Span) -> None:
    assert span_of(stated, window) == span


@pytest.mark.parametrize(
    ("stated", "window", "reason"),
    [
        ({}, "instant", Reason.NO_DATE),
        (ISSUED, "instant", Reason.NO_DATE),  # a watch may send days later
        ({"_effectiveDateTime": {}, **ISSUED}, "instant", Reason.NO_DATE),
        ({"effectiveSometime": WHEN}, "instant", Reason.NO_DATE),
        ({"effectiveDateTime": "2026-02-14"}, "instant", Reason.NO_TIME),
        ({"effectiveDateTime": "2026-02"}, "day", Reason.PARTIAL_DATE),
        ({"effectiveDateTime": "2026"}, "night", Reason.PARTIAL_DATE),
        ({"effectiveDateTime": "today"}, "day", Reason.MALFORMED),
        ({"effectiveDateTime": WHEN, **period(WHEN, WHEN)}, "day", Reason.MALFORMED),
        ({"effectiveDateTime": WHEN}, "interval", Reason.NO_WINDOW),
        ({"effectiveTiming": {"event": [WHEN, WHEN]}}, "instant", Reason.NO_DATE),
        ({"effectiveTiming": {}}, "instant", Reason.NO_DATE),
        ({"effectiveTiming": WHEN}, "instant", Reason.MALFORMED),
        ({"effectivePeriod": WHEN}, "instant", Reason.MALFORMED),
        (period(None, None), "instant", Reason.NO_DATE),
        (period("2026-02", WHEN), "interval", Reason.PARTIAL_DATE),
        (period(WHEN, "2026-02"), "day", Reason.PARTIAL_DATE),
        (period(WHEN, None), "interval", Reason.NO_WINDOW),
        (period(WHEN, WHEN), "interval", Reason.NO_WINDOW),
        (period(WHEN, "2026-02-14T09:04:59+01:00"), "instant", Reason.MALFORMED),
        (period("2026-02-14", "2026-02-13"), "day", Reason.MALFORMED),
        (period("2026-02-14", "2026-02-14"), "instant", Reason.NO_TIME),
        (period("2026-02-14", WHEN), "interval", Reason.NO_TIME),
        (period("2026-02-13", "2026-02-14"), "day", Reason.NO_WINDOW),
        (period("2026-02-12", "2026-02-14"), "night", Reason.NO_WINDOW),
        (
            period("2026-02-13T00:00:00Z", "2026-02-14T01:01:00Z"),
            "day",
            Reason.NO_WINDOW,
        ),
    ],
)
def test_what_is_missing_is_named(stated: Json, window: Window, reason: Reason) -> None:
    assert span_of(stated, window) is reason
