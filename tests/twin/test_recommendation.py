from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.findings import Finding, urgent_findings
from backend.twin.recommendation import from_forecast
from backend.twin.record import PatientRecord, SafetyAnswer
from backend.twin.scales import Scale, local_scale, scale, scales
from tests.twin.made import LAST, forecast, record, series

PHQ9 = scale("phq9")
ANXIETY = scale("anxiety-0-100")
MOOD = scale("mood-0-10")
PHQ2 = scale("phq2")
ORDERS = re.compile(r"\b(must|start|stop|increase|reduce|prescribe|should)\b", re.I)


def codes(*args: object) -> list[str]:
    return [one.code for one in from_forecast(*args, LAST)]  # type: ignore[arg-type]


def test_a_worse_band_ahead_is_said_with_its_numbers() -> None:
    (found,) = from_forecast(
        forecast(PHQ9, [9] * 4 + [11.5] * 10), record(series([8, 9], of=PHQ9)), LAST
    )
    assert found.code == "BAND_CROSSED"
    assert found.urgency == "routine"
    assert found.day == LAST + timedelta(days=5)
    assert "more severe band" in found.text
    assert "“mild” (5 to 9) to “moderate” (10 to 14)" in found.text
    assert "Last score 9 points" in found.text
    assert f"median on {found.day} 11.5 points" in found.text
    assert "80 % interval 10.7 to 12.3" in found.text
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
        (
            forecast(PHQ9, 20, method="prior"),
            [5],
            "one day with an entry in the last 126 days, so",
        ),
        (forecast(MOOD, 9, method="prior"), [2], "compared with the mean of the last"),
        (forecast(PHQ9, 20), [], "no entry to compare"),
        (forecast(PHQ9, 8), [6], "moves by less than 2.5 points and moves by less"),
        (
            forecast(ANXIETY, 80, method="irregular", entries=6),
            [40] * 6,
            "The diary has 6 days with an entry in the last 126 days, too few to tell",
        ),
        (forecast(ANXIETY, 80, method="climatology"), [40], "follows no trend"),
        (forecast(ANXIETY, 44), [40] * 7, "the median moves by less than 15 points"),
        (
            forecast(scale("phq2"), 1),
            [1],
            "stays in its severity band or moves by less than 1",
        ),
        (forecast(MOOD, 9), [2] * 7, "No severity bands"),
    ],
    ids=[
        "history",
        "prior",
        "prior of a diary",
        "empty",
        "calm",
        "irregular diary",
        "climatology",
        "no bands",
        "bands only",
        "neither",
    ],
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


def test_a_diary_that_rises_is_not_called_better_by_an_average_of_it() -> None:
    held = record(series([10, 20, 35, 50, 65, 80, 90], of=ANXIETY))
    (nothing,) = from_forecast(forecast(ANXIETY, 30, method="climatology"), held, LAST)
    assert nothing.code == "NO_RECOMMENDATION"
    assert nothing.reason == (
        "The forecast averages past scores and follows no trend, so it is not compared "
        "with the mean of the last seven days."
    )


def test_a_questionnaires_return_towards_the_own_level_is_called_that() -> None:
    held = record(series([6, 7, 6, 16], of=PHQ9, every=14))
    back = forecast(PHQ9, 10, method="irregular", entries=4)
    crossed, changed = from_forecast(back, held, LAST)
    assert crossed.text.startswith(
        "The forecast returns towards the person's own level and enters a milder band: "
        "from “moderately severe” (15 to 19) to “moderate” (10 to 14). Last score 16 "
    )
    assert changed.text.startswith(
        "The forecast returns towards the person's own level and moves for the better "
        "by 6 points; 5 points count as clinically important."
    )
    for one in (crossed, changed):
        assert one.text.endswith("It may be worth a look at the next contact.")


@pytest.mark.parametrize("then", [6, 16])
def test_what_lies_beyond_the_own_level_is_no_return_to_it(then: float) -> None:
    """Mean of the scores 8.75, and the last one 11."""
    held = record(series([8, 8, 8, 11], of=PHQ9, every=14))
    ahead = forecast(PHQ9, then, method="irregular", entries=4)
    crossed, changed = from_forecast(ahead, held, LAST)
    assert crossed.text.startswith("The forecast enters a ")
    assert changed.text.startswith("The forecast moves for the ")


def test_the_own_level_is_that_of_the_window() -> None:
    """Three scores of 27 are older than it: what is left has a mean of 12."""
    held = record(series([27, 27, 27, 8, 16], of=PHQ9, every=63))
    ahead = forecast(PHQ9, 20, method="irregular", entries=2)
    *_, crossed = from_forecast(ahead, held, LAST)
    assert crossed.text.startswith("The forecast enters a more severe band")


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (5, ["URGENT_FINDING"]),
        (20, ["URGENT_FINDING", "BAND_CROSSED", "IMPORTANT_CHANGE"]),
    ],
)
def test_beside_an_urgent_finding_nothing_is_called_better(
    then: float, said: list[str]
) -> None:
    held = record(series([12], of=PHQ9), safety={LAST: 2})
    assert codes(forecast(PHQ9, then), held) == said


@pytest.mark.parametrize(
    ("of", "now", "then", "crosses"),
    [
        (PHQ9, 15, 14.96, False),
        (PHQ9, 15, 12.6, False),
        (PHQ9, 15, 12.5, True),
        (PHQ2, 3, 2.1, False),
        (PHQ2, 3, 2.0, True),
        (replace(PHQ2, step=None), 3, 2.96, False),
        (replace(PHQ2, step=None), 3, 2.9, True),
    ],
)
def test_a_band_is_crossed_by_more_than_a_hair(
    of: Scale, now: float, then: float, crosses: bool
) -> None:
    held = record(series([now], of=of))
    assert ("BAND_CROSSED" in codes(forecast(of, then), held)) is crosses


@pytest.mark.parametrize(("age", "day"), [(5, 6), (10, 10), (14, 14), (15, None)])
def test_nothing_is_said_about_a_day_that_is_past(age: int, day: int | None) -> None:
    made = forecast(ANXIETY, [44] * 5 + [60] * 9)
    held = record(series([40] * 7, of=ANXIETY))
    (found,) = from_forecast(made, held, LAST + timedelta(days=age))
    assert found.day == (day and LAST + timedelta(days=day))
    if day is None:
        last = LAST + timedelta(days=14)
        assert found.reason == f"All forecast days are past: the last one is {last}."


def test_urgent_comes_first_and_only_for_its_scale() -> None:
    held = record(series([8, 9], of=PHQ9), series([3] * 7, of=MOOD), safety={LAST: 1})
    assert codes(forecast(PHQ9, 14), held) == [
        "URGENT_FINDING",
        "BAND_CROSSED",
        "IMPORTANT_CHANGE",
    ]
    assert codes(forecast(MOOD, 3), held) == ["NO_RECOMMENDATION"]


def test_a_severe_band_reads_as_such() -> None:
    held = record(series([21], of=PHQ9))
    (urgent,) = from_forecast(forecast(PHQ9, 21), held, LAST)
    assert urgent.text == (
        f"PHQ-9 total score is in a severe band on {LAST} (21 points)."
    )
    (finding,) = urgent_findings(held, LAST)
    first = Finding("severe-band", "phq9", LAST, 21.0, "Observation/0", first=True)
    assert finding == first
    held = record(series([8, 21], of=PHQ9))
    (urgent, *_) = from_forecast(forecast(PHQ9, 21), held, LAST)
    assert "PHQ-9 total score entered a severe band on" in urgent.text


def test_an_answer_with_words_is_said_in_them() -> None:
    item = replace(PHQ9.safety_item, answers=("now and then",))  # type: ignore[type-var]
    of = replace(PHQ9, safety_item=item)
    held = PatientRecord((), (SafetyAnswer(of, LAST, 1, "Observation/1"),))
    (urgent,) = from_forecast(forecast(of, 12), held, LAST)
    assert urgent.text.endswith(f"on {LAST} (now and then, 1 point).")


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
