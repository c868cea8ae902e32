"""What is said of a link, over signs, polarities, lags and units."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest

from backend.twin.correlation.insight_table import insight_table
from backend.twin.correlation.insight_words import (
    Direction,
    caveat,
    evidence,
    headline,
    order_of,
    symptom_words,
)
from backend.twin.correlation.link import LagUnit, Link
from tests.twin.correlation.linked import ASSOCIATED, STRONG, reversed_in_time, turned

TABLE = insight_table()
HRV = TABLE.biometrics["hrv-rmssd"]
SLEEP = TABLE.biometrics["sleep-duration"]
ANXIETY = symptom_words(TABLE, "anxiety-0-10")


def said(link: Link, direction: Direction = "improves") -> str:
    return headline(link, HRV, ANXIETY, direction)


def lagged(unit: LagUnit, lag: float, low: float, high: float) -> Link:
    return replace(STRONG, lag_unit=unit, lag_hours=lag, lag_interval=(low, high))


HEADLINES = [
    (
        ("hours", 20, 15, 26),
        "precedes less anxiety by about 20 hours (90 % interval 15 to 26).",
    ),
    (
        ("hours", -5, -9, -1),
        "follows less anxiety by about 5 hours (90 % interval 1 to 9).",
    ),
    (
        ("hours", 1, 1, 1),
        "precedes less anxiety by about 1 hour (90 % interval that hour).",
    ),
    (
        ("hours", 1, -4, 3),
        "goes with less anxiety; which comes first cannot be told: the symptom lies "
        "from 4 hours before to 3 hours after.",
    ),
    (
        ("hours", 2, 0, 4),
        "goes with less anxiety; which comes first cannot be told: the symptom lies "
        "from 0 hours before to 4 hours after.",
    ),
    (
        ("hours", 0, 0, 0),
        "goes with less anxiety; which comes first cannot be told: the symptom lies "
        "in the same hour.",
    ),
    (
        ("days", 24, 12, 36),
        "precedes less anxiety by about 1 day (90 % interval 0.5 to 1.5 days).",
    ),
    (
        ("days", -48, -84, -12),
        "follows less anxiety by about 2 days (90 % interval 0.5 to 3.5 days).",
    ),
    (
        ("days", 0, -12, 12),
        "goes with less anxiety; which comes first cannot be told: the symptom lies "
        "from 12 hours before to 12 hours after.",
    ),
]


@pytest.mark.parametrize(("lag", "rest"), HEADLINES)
def test_lags_in_hours_and_days(
    lag: tuple[LagUnit, float, float, float], rest: str
) -> None:
    start = "Higher heart rate variability (RMSSD) "
    assert said(lagged(*lag)) == start + rest


@pytest.mark.parametrize(
    ("lag", "ends", "text"),
    [
        (0, (-12, 12), "Longer sleep last night precedes better mood (90 % interval "
         "that night; no hour can be told)."),
        (24, (-12, 36), "Longer sleep two nights ago precedes better mood (90 % "
         "interval two nights ago to last night; no hour can be told)."),
        (72, (36, 84), "Longer sleep 4 nights ago precedes better mood (90 % interval "
         "4 nights ago to three nights ago; no hour can be told)."),
        (-24, (-36, 12), "Longer sleep the next night goes with better mood (90 % "
         "interval last night to the next night; no hour can be told)."),
        (-48, (-60, -12), "Longer sleep 2 nights later follows better mood (90 % "
         "interval the next night to 2 nights later; no hour can be told)."),
    ],
)  # fmt: skip
def test_nights_are_told_as_nights(
    lag: float, ends: tuple[float, float], text: str
) -> None:
    mood = symptom_words(TABLE, "mood-0-10")
    assert headline(lagged("nights", lag, *ends), SLEEP, mood, "improves") == text


@pytest.mark.parametrize("case", HEADLINES, ids=lambda case: str(case[0]))
def test_time_told_backwards_swaps_precedes_and_follows(
    case: tuple[tuple[LagUnit, float, float, float], str],
) -> None:
    one = said(lagged(*case[0]))
    other = said(reversed_in_time(lagged(*case[0])))
    swap = {"precedes": "follows", "follows": "precedes"}
    expected = re.sub("precedes|follows", lambda found: swap[found[0]], one)
    if order_of(lagged(*case[0])) == "goes with" and " to " in one:
        ends = re.findall(r"(\d+ hours)", one)
        expected = one.replace(f"{ends[0]} before to {ends[1]}", "{} before to {}")
        expected = expected.format(ends[1], ends[0])
    assert other == expected


def test_no_sentence_speaks_of_causes_or_orders() -> None:
    for unit, lag, direct in product(
        ("hours", "days", "nights"), (-48.0, 0.0, 48.0), (True, False)
    ):
        link = replace(lagged(unit, lag, lag - 12, lag + 12), direct=direct)
        for direction in ("worsens", "improves"):
            text = f"{said(link, direction)} {evidence(link, direction)}"
            assert not re.search(r"caus|lead|because|due to|should|must", text)
        assert "an association, not a cause" in caveat(link, ())


def test_evidence_carries_every_number() -> None:
    assert evidence(STRONG, "improves") == (
        "One standard deviation more of the signal goes with 0.50 (90 % interval 0.40 "
        "to 0.60) of the symptom's towards better. 200 reports from 2026-01-05 to "
        "2026-03-05 are worth 80 independent ones; probability of a direct link above "
        "99 %."
    )
    assert "probability of a direct link 10 %" in evidence(ASSOCIATED, "improves")
    assert "below 1 %" in evidence(replace(STRONG, p_link=0.001), "improves")


def test_a_turned_scale_gives_the_same_evidence() -> None:
    assert evidence(turned(STRONG), "improves") == evidence(STRONG, "improves")
    crossing = replace(STRONG, ci=(-0.6, 0.1))
    assert "(90 % interval -0.10 to 0.60)" in evidence(crossing, "improves")


def test_what_else_goes_with_the_symptom_is_named() -> None:
    assert caveat(STRONG, ()).endswith("was not measured may move both.")
    assert caveat(STRONG, ("longer sleep",)).endswith(
        "Other signals go with the symptom too (longer sleep)."
    )
    assert caveat(ASSOCIATED, ("longer sleep",)) == (
        "This is an association, not a cause; other signals of this window explain it "
        "(longer sleep)."
    )


def test_words_of_symptoms_without_any_are_their_names() -> None:
    assert symptom_words(TABLE, "cms-self-harm")[0] == (
        "worse “CMS mood interview: thoughts of self-harm, present”"
    )
    assert symptom_words(TABLE, "dizzy") == ("worse “dizzy”", "better “dizzy”")
