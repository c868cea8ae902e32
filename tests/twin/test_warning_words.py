"""What is said of an early warning: numbers with units, no cause, no certainty."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from backend.twin.control_chart import ControlChart, State
from backend.twin.early_warning import Chance
from backend.twin.scales import Scale, local_scale, scale
from backend.twin.warning_words import (
    CAVEAT,
    NOT_COMPUTED,
    UNCOMPARED,
    chart_words,
    points,
    warning_words,
)
from tests.twin.made import WARNING, forecast

SCALE = local_scale("worry", system="urn:x", low=0.0, high=10.0)


def said(*chances: Chance, of: Scale = SCALE) -> list[str]:
    warning = replace(WARNING, chances=chances)
    return list(warning_words(forecast(of, 5.0, warning=warning)))


def test_a_shift_is_said_with_its_threshold_and_reference() -> None:
    first, caveat, _ = said(Chance("worse", 0.254, "above", 5.6))
    assert first == (
        "Early warning: a probability of 25 % that the mean of the 14 days after "
        "2026-03-01 lies above 5.6 points: a mean half an sd worse than that of 20 "
        "days (5 points, sd 1.2 points)."
    )
    assert caveat == CAVEAT


def test_a_questionnaires_scores_are_no_days() -> None:
    shift, band, caveat, _ = said(
        Chance("worse", 0.25, "above", 5.6),
        Chance("worse-band", 0.4, "above", 10.0, "moderate"),
        of=scale("phq9"),
    )
    assert "half an sd worse than that of 20 days with scores (5 points" in shift
    assert "than that of the scores of the last 14 days" in band
    assert caveat == UNCOMPARED


BAND = Chance("worse-band", 0.4, "above", 10.0, "moderate")
SHIFT = Chance("up", 0.3, "above", 5.6)
NONE = Chance("worse-band", reason="the scale has no severity bands")


@pytest.mark.parametrize(
    ("chances", "caveats"),
    [
        ((SHIFT, NONE), [CAVEAT]),
        ((SHIFT, BAND), [CAVEAT, UNCOMPARED]),
        ((BAND,), [UNCOMPARED]),
        ((NONE,), []),
    ],
)
def test_only_a_diarys_shift_was_held_against_what_followed(
    chances: tuple[Chance, ...], caveats: list[str]
) -> None:
    assert said(*chances)[len(chances) : -1] == caveats


def test_without_a_direction_nothing_is_called_worse() -> None:
    up, down, *_ = said(
        Chance("up", 0.3, "above", 5.6), Chance("down", 0.2, "below", 4.4)
    )
    assert "half an sd above that of 20 days" in up
    assert "lies below 4.4 points: a mean half an sd below" in down
    assert "worse" not in up + down


@pytest.mark.parametrize(
    ("side", "where"),
    [("above", "lies at or above 10 points"), ("below", "lies below 10 points")],
)
def test_a_band_is_named(side: str, where: str) -> None:
    first, *_ = said(Chance("worse-band", 0.4, side, 10.0, "moderate"))  # type: ignore[arg-type]
    assert f"{where}: a worse band (“moderate”) than that of the last 14 days" in first


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "under 1 %"),
        (0.0099, "under 1 %"),
        (0.01, "1 %"),
        (0.5, "50 %"),
        (0.99, "99 %"),
        (1.0, "over 99 %"),
    ],
)
def test_nothing_ahead_is_certain(probability: float, words: str) -> None:
    first, *_ = said(Chance("worse", probability, "above", 5.6))
    assert f"a probability of {words} that" in first


def test_where_there_is_none_the_reason_is_said_and_no_caveat() -> None:
    lines = said(Chance("worse", reason="6 observed days; 7 or more are needed"))
    assert lines[0] == (
        "Early warning: no probability of a mean half an sd worse than that of 20 days "
        "(5 points, sd 1.2 points): 6 observed days; 7 or more are needed."
    )
    assert lines[1:] == [
        "No control chart: 20 observed days; a chart takes 28 or more."
    ]


def test_what_was_stored_before_says_so() -> None:
    assert list(warning_words(forecast(SCALE, 5.0, warning=None))) == [NOT_COMPUTED]


@pytest.mark.parametrize(
    ("state", "since", "words"),
    [
        ("inside", None, "is inside its limits (4.1"),
        ("worse", date(2026, 2, 20), "is on the worse side of its limits since 2026-0"),
        ("better", date(2026, 2, 20), "is on the better side of its limits since"),
        ("above", date(2026, 2, 20), "is above its limits since 2026-02-20 (4.1"),
        ("below", date(2026, 2, 20), "is below its limits since"),
    ],
)
def test_the_charts_state(state: State, since: date | None, words: str) -> None:
    chart = ControlChart(
        state=state,
        since=since,
        average=5.25,
        lower=4.1,
        upper=5.9,
        centre=5.0,
        sd=1.0,
        baseline_days=28,
        days=30,
    )
    text = chart_words(replace(WARNING, chart=chart), scale=SCALE)
    assert words in text
    assert text.startswith("Control chart: the moving average of 5.25 points ")
    assert text.endswith("to 5.9 points, from the first 28 days).")
    text = chart_words(replace(WARNING, chart=chart), scale=scale("phq9"))
    assert text.endswith("from the first 28 days with scores).")


def test_a_score_keeps_its_unit() -> None:
    assert points(scale("phq9"), 10.0) == "10 points"
    assert points(replace(SCALE, unit="mg"), 0.125) == "0.12 mg"
