"""The control chart: its average, its exact limits, and since when it is outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.control_chart import (
    LEAST_BASELINE,
    LIMIT,
    MOST_BASELINE,
    WEIGHT,
    ControlChart,
    control_chart,
)
from backend.twin.scales import local_scale

PLAIN = local_scale("worry", system="urn:x", low=0.0, high=10.0)
LAST = date(2026, 3, 1)
CALM = [4.0, 6.0] * 14  # mean 5; sample sd 1.018


def chart(
    values: list[float] | np.ndarray, *, worse: bool | None = True
) -> ControlChart:
    of = replace(PLAIN, higher_is_worse=worse)
    found = control_chart(np.array(values), last_day=LAST, scale=of)
    assert isinstance(found, ControlChart)
    return found


def test_the_average_and_its_limits_by_hand() -> None:
    """Two days of 9 after a baseline of fourteen; Roberts' formula written out."""
    made = chart([4.0, 6.0] * 7 + [5.0] * 12 + [9.0, 9.0])
    sd = np.std([4.0, 6.0] * 7, ddof=1)
    assert (made.centre, made.sd) == (5.0, pytest.approx(sd))
    assert (made.baseline_days, made.days) == (14, 14)
    assert made.average == pytest.approx(5 + 4 * (1 - 0.8**2))
    reach = LIMIT * sd * np.sqrt(0.2 / 1.8 * (1 - 0.8**28))
    assert made.upper == pytest.approx(5 + reach)
    assert made.lower == pytest.approx(5 - reach)
    assert (made.state, made.since) == ("worse", LAST)


def test_the_exact_variance_is_that_of_simulated_averages() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(20_000, 4))
    average = sum(WEIGHT * (1 - WEIGHT) ** (3 - t) * noise[:, t] for t in range(4))
    expected = WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** 8)
    assert np.var(average) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("values", "worse", "state"),
    [
        ([*CALM, *CALM], True, "inside"),
        ([*CALM, *[7.0] * 28], True, "worse"),
        ([*CALM, *[7.0] * 28], False, "better"),
        ([*CALM, *[7.0] * 28], None, "above"),
        ([*CALM, *[3.0] * 28], True, "better"),
        ([*CALM, *[3.0] * 28], False, "worse"),
        ([*CALM, *[3.0] * 28], None, "below"),
        ([*CALM, *[7.0] * 20, *[5.0] * 8], True, "inside"),
    ],
)
def test_which_side(values: list[float], worse: bool | None, state: str) -> None:
    made = chart(values, worse=worse)
    assert made.state == state
    assert (made.since is None) == (state == "inside")


def test_since_is_the_first_day_of_the_present_stay() -> None:
    """Outside above, back inside, and outside above again."""
    made = chart([*CALM, *[11.0] * 4, *[5.0] * 21, *[11.0] * 3])
    assert made.state == "worse"
    assert made.since == LAST - timedelta(days=2)


def test_a_stay_on_the_other_side_is_another_stay() -> None:
    made = chart([*CALM, *[10.0] * 26, *[-30.0] * 2])
    assert (made.state, made.since) == ("better", LAST - timedelta(days=1))


def test_a_stay_may_have_begun_on_the_first_day_after_the_baseline() -> None:
    assert chart([*CALM, *[11.0] * 28]).since == LAST - timedelta(days=27)


def test_absent_days_are_skipped_and_dates_stay_right() -> None:
    days = [*CALM, *[5.0] * 24, *[11.0] * 4]
    gaps = np.full(2 * len(days) - 1, np.nan)
    gaps[::2] = days
    sparse, dense = chart(gaps), chart(days)
    assert sparse.since == LAST - timedelta(days=6)
    assert dense.since == LAST - timedelta(days=3)
    assert (sparse.average, sparse.upper) == (dense.average, dense.upper)


@pytest.mark.parametrize("days", [1, 27])
def test_few_days_make_no_chart(days: int) -> None:
    found = control_chart(np.arange(days) * 1.0, last_day=LAST, scale=PLAIN)
    assert found == f"{days} observed days; a chart takes 28 or more"


@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 14 + [4.0, 6.0] * 7,
        [1 / 3] * 39 + [1 / 3 + 0.01],  # the mean of equal thirds is off by a rounding
        [5.0, 5.1] * 7 + [6.0] * 14,
    ],
    ids=["equal", "rounding", "hardly any"],
)
def test_a_baseline_without_spread_makes_no_chart(values: list[float]) -> None:
    found = control_chart(np.array(values), last_day=LAST, scale=PLAIN)
    assert isinstance(found, str)
    assert found.endswith(
        "observed days hardly differ: sd below 2% of the scale's width"
    )


@pytest.mark.parametrize(
    ("days", "baseline"),
    [(28, LEAST_BASELINE), (40, 20), (56, MOST_BASELINE), (126, MOST_BASELINE)],
)
def test_the_baseline_is_the_earlier_half_within_bounds(
    days: int, baseline: int
) -> None:
    assert chart(np.arange(days) % 5).baseline_days == baseline


def test_an_upright_and_a_mirrored_diary_say_the_same() -> None:
    values = np.array([*CALM, *[6.6] * 20])
    one, other = chart(values, worse=True), chart(10 - values, worse=False)
    assert (one.state, one.since) == (other.state, other.since)
    assert one.upper == pytest.approx(10 - other.lower)


@given(st.lists(st.floats(0, 10) | st.just(np.nan), min_size=1, max_size=126))
def test_any_diary_gives_finite_limits_around_its_centre(values: list[float]) -> None:
    found = control_chart(np.array(values), last_day=LAST, scale=PLAIN)
    if isinstance(found, ControlChart):
        numbers = (found.lower, found.centre, found.upper, found.average)
        assert np.isfinite(numbers).all()
        assert found.lower <= found.centre <= found.upper
        inside = found.lower <= found.average <= found.upper
        assert inside == (found.state == "inside") == (found.since is None)
