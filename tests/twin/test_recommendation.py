from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.recommendation import Finding, from_forecast, urgent_findings
from backend.twin.record import Entry, PatientRecord, SafetyAnswer, Series
from backend.twin.scales import local_scale, scale, scales
from tests.twin.made import LAST, forecast, record, series

PHQ9 = scale("phq9")
ANXIETY = scale("anxiety-0-100")
MOOD = scale("mood-0-10")
ORDERS = re.compile(r"\b(must|start|stop|increase|reduce|prescribe|should)\b", re.I)


def codes(*args: object) -> list[str]:
    return [one.code for one in from_forecast(*args, LAST)]  # type: ignore[arg-type]


def test_a_worse_band_ahead_is_said_with_its_numbers() -> None:
    (found,) = from_forecast(
        forecast(PHQ9, [9] * 4 + [11] * 10), record(series([8, 9], of=PHQ9)), LAST
    )
    assert found.code == "BAND_CROSSED"
    assert found.urgency == "routine"
    assert found.day == LAST + timedelta(days=5)
    assert "more severe band" in found.text
    assert "“mild” (5 to 9) to “moderate” (10 to 14)" in found.text
    assert "Last score 9 points" in found.text
    assert f"median on {found.day} 11 points" in found.text
    assert "80 % interval 10.2 to 11.8" in found.text
    assert found.reason.startswith("Reliability medium: 20 observed days")
    assert found.source == PHQ9.source


def test_a_milder_band_and_an_important_change_for_the_better() -> None:
    crossed, changed = from_forecast(
        forecast(PHQ9, 6.5), record(series([12], of=PHQ9)), LAST
    )
    assert "milder band" in crossed.text
    assert changed.code == "IMPORTANT_CHANGE"
    assert "for the better by 5.5 points; 5 points count" in changed.text
    assert changed.source == PHQ9.change_source


@pytest.mark.parametrize(
    ("of", "now", "then", "words"),
    [
        (ANXIETY, 40, 56, "for the worse"),
        (ANXIETY, 40, 24, "for the better"),
        (replace(ANXIETY, higher_is_worse=False), 40, 56, "for the better"),
        (replace(ANXIETY, higher_is_worse=None), 40, 56, "moves up by"),
        (replace(ANXIETY, higher_is_worse=None), 40, 24, "moves down by"),
    ],
)
def test_the_direction_of_a_change(of: object, now: int, then: int, words: str) -> None:
    (found,) = from_forecast(forecast(of, then), record(series([now] * 7, of=of)), LAST)  # type: ignore[arg-type]
    assert words in found.text
    assert found.code == "IMPORTANT_CHANGE"


def test_a_diary_is_compared_with_its_last_seven_days_not_one() -> None:
    calm_week = [40] * 6 + [70]
    assert codes(forecast(ANXIETY, 45), record(series(calm_week, of=ANXIETY))) == [
        "NO_RECOMMENDATION"
    ]
    (found,) = from_forecast(
        forecast(ANXIETY, 65), record(series([99, *calm_week], of=ANXIETY)), LAST
    )
    assert "Mean of the last seven days 44.3 points" in found.text


def test_only_the_same_instrument_is_compared_with() -> None:
    both = record(series([25], of=PHQ9), series([4], of=scale("gad7")))
    assert codes(forecast(scale("gad7"), 4), both) == ["NO_RECOMMENDATION"]


@pytest.mark.parametrize(
    ("made", "entries", "why"),
    [
        (forecast(PHQ9, 20, historical=True), [5], "this is history"),
        (forecast(PHQ9, 20, method="prior", entries=3), [5], "Too few entries (3)"),
        (forecast(PHQ9, 20), [], "no entry to compare"),
        (forecast(PHQ9, 8), [6], "severity band and moves by less than 5 points"),
        (forecast(ANXIETY, 44), [40] * 7, "the median moves by less than 15 points"),
        (forecast(scale("phq2"), 1), [1], "the median stays in its severity band."),
        (forecast(MOOD, 9), [2] * 7, "No severity bands"),
    ],
    ids=["history", "prior", "empty", "calm", "no bands", "bands only", "neither"],
)
def test_no_recommendation_is_said_and_why(
    made: object, entries: list[int], why: str
) -> None:
    held = record(series(entries, of=made.scale))  # type: ignore[attr-defined]
    (found,) = from_forecast(made, held, LAST)  # type: ignore[arg-type]
    assert found.code == "NO_RECOMMENDATION"
    assert (found.urgency, found.day) == ("none", None)
    assert why in found.reason
    assert made.scale.title in found.text  # type: ignore[attr-defined]


def test_self_harm_is_urgent_even_where_the_forecast_is_history() -> None:
    held = record(series([12], of=PHQ9), safety={LAST: 2})
    (found,) = from_forecast(forecast(PHQ9, 12, historical=True), held, LAST)
    assert (found.code, found.urgency) == ("URGENT_FINDING", "urgent")
    assert "Answer above 0 to the item “Thoughts of self-harm”" in found.text
    assert "(2 points)" in found.text
    assert found.day == LAST
    assert found.source == f"Observation/safety-{LAST}"


def test_urgent_comes_first_and_only_for_its_scale() -> None:
    held = record(series([8, 21], of=PHQ9), series([3] * 7, of=MOOD), safety={LAST: 1})
    assert codes(forecast(PHQ9, 14), held) == [
        "URGENT_FINDING",
        "URGENT_FINDING",
        "BAND_CROSSED",
        "IMPORTANT_CHANGE",
    ]
    assert codes(forecast(MOOD, 3), held) == ["NO_RECOMMENDATION"]


@pytest.mark.parametrize(
    ("age", "value", "found"),
    [(0, 1, True), (14, 1, True), (15, 1, False), (-1, 1, False), (0, 0, False)],
)
def test_a_safety_answer_is_urgent_for_fourteen_days(
    age: int, value: float, found: bool
) -> None:
    held = record(safety={LAST - timedelta(days=age): value})
    assert bool(urgent_findings(held, LAST)) is found


def test_an_answer_without_a_safety_item_is_no_finding() -> None:
    odd = SafetyAnswer(scale("gad7"), LAST, 3, "Observation/1")
    assert urgent_findings(PatientRecord((), (odd,)), LAST) == ()


@pytest.mark.parametrize(
    ("scores", "days_ago"),
    [
        ([20], [0]),
        ([19, 20], [0]),
        ([20, 27], [7]),
        ([20, 10, 22], [14, 0]),
        ([22, 21, 20, 20], []),  # entered 21 days ago
        ([4, 19], []),
    ],
)
def test_entering_a_severe_band_is_found_once(
    scores: list[int], days_ago: list[int]
) -> None:
    held = record(series(scores, of=PHQ9, every=7))
    found = urgent_findings(held, LAST)
    assert [(LAST - one.day).days for one in found] == days_ago
    assert {one.kind for one in found} <= {"severe-band"}


def test_a_severe_band_reads_as_such() -> None:
    held = record(series([21], of=PHQ9))
    (urgent,) = from_forecast(forecast(PHQ9, 21), held, LAST)
    assert urgent.text == (
        f"PHQ-9 total score entered a severe band on {LAST} (21 points)."
    )
    (finding,) = urgent_findings(held, LAST)
    assert finding == Finding("severe-band", "phq9", LAST, 21.0, "Observation/0")


def test_findings_are_in_order_of_day() -> None:
    early = Entry(LAST - timedelta(days=3), 16, "Observation/g")
    held = PatientRecord(
        (Series(scale("gad7"), (early,)),),
        (SafetyAnswer(PHQ9, LAST, 1, "Observation/p"),),
    )
    assert [one.kind for one in urgent_findings(held, LAST)] == [
        "severe-band",
        "self-harm",
    ]


@given(
    st.sampled_from([*scales(), "local"]),
    st.floats(0, 1),
    st.lists(st.floats(0, 1), min_size=1, max_size=10),
)
def test_something_is_always_said_and_never_ordered(
    key: str, ahead: float, shares: list[float]
) -> None:
    local = local_scale("restless", system="urn:diary", low=-3, high=3)
    of = local if key == "local" else scale(key)
    scores = [of.low + share * of.width for share in shares]
    made = forecast(of, of.low + ahead * of.width)
    for one in from_forecast(made, record(series(scores, of=of)), LAST):
        assert one.text
        assert one.reason
        assert one.source
        assert not ORDERS.search(one.text + one.reason)
        if of.higher_is_worse is None:
            assert not re.search("better|worse|milder|severe", one.text)
