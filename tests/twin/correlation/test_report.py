"""The whole answer: what was examined, what is said, what would be needed; as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.correlation_json import from_dict, to_dict
from backend.twin.correlation.engine import find_links
from backend.twin.correlation.record_streams import LeftOut
from backend.twin.correlation.report import (
    CorrelationReport,
    correlation_report,
    in_days,
)
from backend.twin.correlation.streams import BiometricStream, CorrelationWindow
from tests.twin.correlation.linked import STRONG
from tests.twin.correlation.made import (
    HOUR,
    START,
    World,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

RAW = window(World(days=60))
PULSE = replace(RAW.biometrics[0], name="heart-rate")
NIGHT = BiometricStream(
    "sleep-duration", START + 24 * HOUR * np.arange(60), np.arange(60) % 7.0, True, "h"
)
MADE = with_symptoms(
    with_biometrics(RAW, PULSE, noise_stream("signal-a", 3, PULSE), NIGHT),
    replace(RAW.symptoms[0], name="anxiety-0-10"),
)
LINKS = find_links(MADE)
LEFT = (LeftOut("steps", 3, "a reason"),)


def made_of(made: CorrelationWindow) -> CorrelationReport:
    return correlation_report(made, find_links(made))


REPORT = correlation_report(MADE, LINKS, left_out=LEFT, clock="UTC")


def test_a_report_says_what_was_examined() -> None:
    assert [(s.name, s.unit, s.nightly) for s in REPORT.biometrics] == [
        ("heart-rate", "/min", False),
        ("signal-a", "", False),
        ("sleep-duration", "h", True),
    ]
    assert [s.coverage for s in REPORT.biometrics] == pytest.approx(
        [link.coverage for link in LINKS]
    )
    assert REPORT.biometrics[0].n == len(PULSE.times)
    (symptom,) = REPORT.symptoms
    assert (symptom.name, symptom.n) == ("anxiety-0-10", len(RAW.symptoms[0].times))
    assert (symptom.worse_when, symptom.by_day) == ("high", False)
    assert REPORT.window == (MADE.reports_from, MADE.until)
    assert (REPORT.left_out, REPORT.clock) == (LEFT, "UTC")


def test_every_pair_is_an_insight_or_a_silence_with_a_reason() -> None:
    assert REPORT.links == LINKS
    assert len(REPORT.insights) == 1
    assert len(REPORT.insights) + len(REPORT.silences) == len(LINKS)
    assert all(one.why for one in REPORT.silences)
    assert REPORT.message == ""


def test_values_outside_the_window_do_not_count() -> None:
    late = replace(MADE, reports_from=MADE.reports_from + 24 * HOUR * 10)
    assert made_of(late).symptoms[0].n < REPORT.symptoms[0].n


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (with_biometrics(MADE), "No biometric data in the window"),
        (with_symptoms(MADE), "No symptom reports in the window"),
        (
            replace(MADE, until=MADE.reports_from + 48 * HOUR),
            "Too little data to look for links",
        ),
        (
            with_biometrics(MADE, noise_stream("signal-a", 4, PULSE)),
            "No link is sure enough to be put into words. This window has 21",
        ),
    ],
)
def test_silence_says_what_is_missing(made: CorrelationWindow, message: str) -> None:
    report = made_of(made)
    assert report.insights == ()
    assert report.message.startswith(message)


@pytest.mark.parametrize(("needed", "said"), [(200, True), (201, False)])
def test_silence_says_whether_the_reports_were_enough(needed: int, said: bool) -> None:
    silent = replace(STRONG, published=False, n=200, reports_needed=needed)
    message = correlation_report(MADE, [silent]).message
    assert f"takes about {needed}." in message
    assert ("So one would probably have been found." in message) is said
    assert message.endswith(
        "standard deviations of the symptom for one of the signal.)"
    )


def test_a_symptom_of_days_has_lags_of_days() -> None:
    report = correlation_report(MADE, LINKS, by_day={"anxiety-0-10"})
    link = report.insights[0].link
    assert report.symptoms[0].by_day
    assert (link.lag_unit, link.lag_hours) == ("days", 24.0)
    assert "by about 1 day (90 % interval 0.5 to 1.5 days)" in report.insights[0].text
    assert [one.lag_unit for one in report.links] == ["days", "days", "nights"]


def test_lags_in_days() -> None:
    made = in_days(STRONG)
    assert (made.lag_hours, made.lag_interval) == (24.0, (12.0, 36.0))
    bare = in_days(replace(STRONG, lag_hours=None, lag_interval=None))
    assert (bare.lag_unit, bare.lag_hours) == ("days", None)
    night = replace(STRONG, lag_unit="nights")
    assert in_days(night) is night


def test_a_report_survives_json_to_the_bit() -> None:
    for report in (REPORT, made_of(replace(MADE, until=MADE.reports_from + HOUR))):
        text = json.dumps(to_dict(report), allow_nan=False)
        assert from_dict(json.loads(text)) == report


def test_a_report_from_before_there_was_a_network_is_the_engines() -> None:
    written = to_dict(REPORT)
    for link in (*written["links"], *(one["link"] for one in written["insights"])):
        assert link.pop("method") == "engine"
    assert from_dict(written) == REPORT


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 1"):
        from_dict({**to_dict(REPORT), "format": 2})
