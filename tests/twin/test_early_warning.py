"""Probabilities read off a forecast: of the mean, of a band, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from backend.twin import control_chart as of_chart
from backend.twin import early_warning as of_warning
from backend.twin import features
from backend.twin.early_warning import (
    Chance,
    EarlyWarning,
    early_warning,
    probability_above,
    probability_below,
)
from backend.twin.scales import Scale, local_scale, scale
from backend.twin.trajectory import HORIZON, LEVELS

LAST = date(2026, 3, 1)
EVEN = [10 * level for level in LEVELS]  # a uniform distribution on 0 to 10
PLAIN = local_scale("worry", system="urn:x", low=0.0, high=10.0)
DIARY = [4.0, 6.0] * 10  # mean 5, sd 1

scores = st.lists(st.floats(-5, 5), min_size=len(LEVELS), max_size=len(LEVELS)).map(
    sorted
)


def warned(
    values: Sequence[float] = DIARY,
    *,
    of: Scale = PLAIN,
    fortnight: Sequence[float] = EVEN,
    historical: bool = False,
) -> EarlyWarning:
    return early_warning(
        np.array(values),
        fortnight=fortnight,
        levels=LEVELS,
        scale=of,
        last_day=LAST,
        historical=historical,
    )


def chances(warning: EarlyWarning) -> dict[str, Chance]:
    return {one.event: one for one in warning.chances}


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.25, 0.975), (1.0, 0.9), (5.0, 0.5), (5.5, 0.45), (9.75, 0.025), (9.4, 0.06)],
)
def test_between_quantiles_it_runs_straight(threshold: float, expected: float) -> None:
    assert probability_above(EVEN, LEVELS, threshold) == pytest.approx(expected)
    assert probability_below(EVEN, LEVELS, threshold) == pytest.approx(1 - expected)


def test_outside_it_falls_off_as_steeply_as_the_line_beside_it() -> None:
    """Beside 9.75 the density is .1 a point, so .025 falls by e within .25 points."""
    assert probability_above(EVEN, LEVELS, 10.0) == pytest.approx(0.025 / np.e)
    assert probability_above(EVEN, LEVELS, 0.0) == pytest.approx(1 - 0.025 / np.e)
    further = [probability_above(EVEN, LEVELS, 10.0 + step) for step in range(4)]
    assert further == sorted(further, reverse=True)
    assert further[-1] > 0


def test_it_is_near_a_known_distribution() -> None:
    quantiles = norm.ppf(LEVELS)
    for threshold in np.linspace(-2.5, 2.5, 21):
        found = probability_above(quantiles, LEVELS, threshold)
        assert found == pytest.approx(norm.sf(threshold), abs=0.012)


@pytest.mark.parametrize(
    ("quantiles", "threshold", "above", "below"),
    [
        ([0.0] * 4 + [1.0] * 7, 0.0, 0.7, 0.0),
        ([0.0] * 4 + [1.0] * 7, 0.5, 0.65, 0.35),
        ([0.0] * 4 + [1.0] * 7, 1.0, 0.0, 0.4),
        ([0.0] * 4 + [1.0] * 7, -1.0, 1.0, 0.0),
        ([0.0] * 4 + [1.0] * 7, 2.0, 0.0, 1.0),
        ([3.0] * 11, 3.0, 0.0, 0.0),
        ([3.0] * 11, 2.9, 1.0, 0.0),
        ([3.0] * 11, 3.1, 0.0, 1.0),
    ],
)
def test_equal_quantiles_hold_their_probability_in_one_score(
    quantiles: list[float], threshold: float, above: float, below: float
) -> None:
    assert probability_above(quantiles, LEVELS, threshold) == pytest.approx(above)
    assert probability_below(quantiles, LEVELS, threshold) == pytest.approx(below)


@pytest.mark.parametrize("tiny", [5e-324, 1e-310])
def test_quantiles_that_differ_by_no_normal_number_are_equal(tiny: float) -> None:
    for quantiles in ([0.0, *[tiny] * 9, 1.0], [-1.0, *[0.0] * 9, tiny]):
        for threshold in (0.0, tiny):
            above = probability_above(quantiles, LEVELS, threshold)
            below = probability_below(quantiles, LEVELS, threshold)
            assert 0.0 <= above <= 1.0 - below <= 1.0
    one = [0.0, 5e-324, *[1.0] * 9]
    assert probability_above(one, LEVELS, 0.0) == pytest.approx(0.9)


def test_crossing_quantiles_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        probability_above(EVEN[::-1], LEVELS, 5.0)


@given(scores, st.floats(-9, 9), st.floats(-9, 9))
def test_it_is_a_probability_that_falls_with_the_threshold(
    quantiles: list[float], one: float, other: float
) -> None:
    low, high = sorted([one, other])
    left, right = (probability_above(quantiles, LEVELS, at) for at in (low, high))
    assert 0.0 <= right <= left + 1e-12 <= 1.0 + 1e-12
    below = probability_below(quantiles, LEVELS, low)
    assert -1e-12 <= below <= 1 - left + 1e-9  # what is left is at the threshold


def test_a_known_direction_asks_for_worse_and_an_unknown_one_for_both() -> None:
    """The window's mean is 5 and its sd 1, so half an sd is half a point."""
    unknown, up = chances(warned()), replace(PLAIN, higher_is_worse=True)
    assert list(unknown) == ["up", "down", "worse-band"]
    assert unknown["up"] == Chance("up", pytest.approx(0.45), "above", 5.5)
    assert unknown["down"] == Chance("down", pytest.approx(0.45), "below", 4.5)
    worse = chances(warned(of=up))
    assert list(worse) == ["worse", "worse-band"]
    assert worse["worse"] == Chance("worse", pytest.approx(0.45), "above", 5.5)
    better = replace(PLAIN, higher_is_worse=False)
    assert chances(warned(of=better))["worse"].side == "below"


def test_mean_and_sd_are_of_the_observed_days() -> None:
    made = warned([np.nan, *DIARY[:7], np.nan, *DIARY[7:]])
    assert (made.mean, made.sd, made.days) == (5.0, 1.0, 20)


@pytest.mark.parametrize(
    ("values", "historical", "why"),
    [
        (DIARY, True, "historical"),
        ([4.0, 6.0, 5.0], False, "3 observed days; 7 or more"),
        ([*[5.0] * 99, 5.5], False, "hardly differ"),
        ([5.0] * 20, False, "hardly differ"),
        ([0.0, *[10.0] * 19], False, "the scale ends"),
        ([10.0, *[0.0] * 19], False, "the scale ends"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(
    values: list[float], historical: bool, why: str
) -> None:
    made = chances(warned(values, historical=historical))
    event = "down" if values[0] == 10.0 else "up"
    assert made[event].probability is made[event].threshold is None
    assert why in made[event].reason


def test_of_a_questionnaire_days_with_scores_are_counted() -> None:
    few = warned([4.0, 6.0, 5.0], of=scale("phq9"))
    assert few.no_chart.startswith("3 days with scores; 7 or more")
    some, equal = (warned(v, of=scale("phq9")) for v in (DIARY, [5.0] * 28))
    assert some.no_chart == "20 days with scores; a chart takes 28 or more"
    assert equal.no_chart.startswith("the first 14 days with scores hardly differ")


def test_a_person_at_one_end_can_still_move_away_from_it() -> None:
    made = chances(warned([0.0, *[10.0] * 19]))
    assert made["down"].probability is not None


@pytest.mark.parametrize(
    ("key", "recent", "side", "threshold", "band"),
    [
        ("phq9", 7.0, "above", 10.0, "moderate"),
        ("phq9", 4.6, "above", 5.0, "mild"),  # between two bands: still the lower one
        ("who5", 60.0, "below", 51.0, "at or below the screening cut-off"),
    ],
)
def test_a_worse_band_begins_where_the_scale_says(
    *, key: str, recent: float, side: str, threshold: float, band: str
) -> None:
    of = scale(key)
    values = [*[of.low, of.high] * 5, *[np.nan] * 13, recent]
    quantiles = np.linspace(threshold - 1, threshold + 1, 11).tolist()
    found = chances(warned(values, of=of, fortnight=quantiles))["worse-band"]
    assert (found.side, found.threshold, found.band) == (side, threshold, band)
    assert found.probability == pytest.approx(0.5)


@pytest.mark.parametrize(("key", "inside"), [("phq9", 1.0), ("who5", 0.0)])
def test_a_bands_own_end_counts_as_inside_it(key: str, inside: float) -> None:
    """All of the forecast on the mildest score of a band: entered if it is the worse.

    On the PHQ-9 that is 10, the first moderate score; on the WHO-5 it is 51, the lowest
    score that is still above the cut-off.
    """
    of, start = scale(key), {"phq9": 10.0, "who5": 51.0}[key]
    values = [start - 1 if key == "phq9" else start + 1] * 10
    found = chances(warned(values, of=of, fortnight=[start] * 11))["worse-band"]
    assert found.probability == inside


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [("phq9", 25.0, "in the worst band"), ("mood-0-10", 5.0, "no severity bands")],
)
def test_no_worse_band_is_said(key: str, value: float, why: str) -> None:
    found = chances(warned([value] * 10, of=scale(key)))["worse-band"]
    assert found.probability is None
    assert why in found.reason


def test_the_chart_stands_beside_it_or_says_why_not() -> None:
    short, long = warned(), warned([*DIARY, *DIARY])
    assert (short.chart, short.no_chart[:2]) == (None, "20")
    assert long.chart is not None
    assert (long.chart.state, long.no_chart) == ("inside", "")
    past = warned([*DIARY, *DIARY], historical=True)
    assert past.chart is None
    assert past.no_chart.startswith("historical")


def test_the_constants_are_those_of_the_models_and_the_forecast() -> None:
    assert of_warning.LEAST_DAYS == features.MIN_ENTRIES
    assert of_chart.LEAST_SD == features.SD_FLOOR
    assert of_warning.FORTNIGHT_DAYS == HORIZON
