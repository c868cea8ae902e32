"""The steps between the answers that a diary shows, and quantiles put on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.answer_grid import MOST_STEPS, answer_steps, on_steps, sure_step
from backend.twin.trajectory import LEVELS

ROW = np.linspace(2.2, 7.8, len(LEVELS))


def step(values: list[float], *, low: float = 0.0, high: float = 10.0) -> float:
    """The step of one diary on a scale from `low` to `high`."""
    width = np.array([high - low])
    found = answer_steps(np.array([values]), low=np.array([low]), width=width)
    return float(found[0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 4, 7], 1.0),
        ([3, np.nan, 4], 1.0),
        ([2, 4, 8], 2.0),
        ([2.5, 7.5], 2.5),
        ([5.0, 5.0], 5.0),
        ([0.0, 10.0], 10.0),
        ([0.1, 0.2], 0.1),
        ([3, 4, 5.5], 0.0),  # one answer lies between
        ([3.0, 4.13], 0.0),
        ([4.0, 4.0], 0.0),  # 4 of 10 is no step that fits the scale
        ([0.05, 0.1], 0.0),  # two hundred steps: nobody would see them
    ],
)
def test_the_smallest_gap_counts_if_all_answers_lie_on_its_steps(
    values: list[float], expected: float
) -> None:
    assert step(values) == pytest.approx(expected)


def test_the_finest_grid_still_counts() -> None:
    assert step([50.0, 51.0], high=MOST_STEPS) == pytest.approx(1.0)
    assert step([50.0, 51.0], high=MOST_STEPS + 1) == 0.0


def test_steps_begin_at_the_lowest_answer_of_the_scale() -> None:
    assert step([1.0, 3.0, 5.0], low=1.0, high=7.0) == pytest.approx(2.0)
    assert step([2.0, 4.0], low=1.0, high=7.0) == pytest.approx(1.0)


def test_scores_stored_as_decimals_are_near_enough() -> None:
    assert step([0.3333, 0.6667], high=1.0) == pytest.approx(1 / 3)
    assert step([0.33, 0.67], high=1.0) == 0.0


def test_rows_do_not_touch_each_other() -> None:
    values = np.array([[3.0, 4.0], [4.13, np.nan]])
    found = answer_steps(values, low=np.zeros(2), width=np.full(2, 10.0))
    assert found.tolist() == [pytest.approx(1.0), 0.0]


def test_inner_levels_take_steps_and_the_intervals_ends_do_not() -> None:
    found = on_steps(ROW, low=0.0, step=2.0)
    assert found[2:9].tolist() == [4.0, 4.0, 4.0, 4.0, 6.0, 6.0, 6.0]
    for at in (0, 1, 9, 10):
        assert found[at] == ROW[at]


def test_where_no_step_is_known_nothing_moves() -> None:
    rows = np.stack([ROW, ROW])
    found = on_steps(rows, low=0.0, step=np.array([[0.0], [1.0]]))
    assert found[0].tolist() == ROW.tolist()
    assert found[1, 2:9].tolist() == np.round(ROW[2:9]).tolist()
    assert rows[1].tolist() == ROW.tolist()  # what was given is left alone


@given(
    st.integers(1, MOST_STEPS),
    st.floats(-50, 50),
    st.floats(0.5, 200),
    st.lists(st.floats(0, 1), min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted),
)
def test_inner_levels_become_answers_or_stay_at_an_intervals_end(
    steps: int, low: float, width: float, shares: list[float]
) -> None:
    quantiles = low + width * np.array(shares)
    found = on_steps(quantiles, low=low, step=width / steps)
    place = (found[2:9] - low) / width * steps
    off = np.abs(place - np.round(place)) > 1e-6
    assert np.isin(found[2:9][off], quantiles[[1, 9]]).all()  # no answer in reach
    assert np.abs(found - quantiles).max() <= width / steps / 2 + 1e-9
    assert (np.diff(found[2:9]) >= 0).all()


@pytest.mark.parametrize(
    ("answers", "stated", "expected"),
    [
        ([0, 50] * 10, None, 0.0),  # two answers show no step
        ([0, 50, 100] * 3, None, 0.0),  # nor do nine days
        ([0, 50, 100] * 4, None, 50.0),
        ([0, 50] * 2, 1.0, 1.0),  # the scale states one
        ([0, 50.5, 100] * 4, 1.0, 50.0),  # means of two entries lie between
        ([], None, 0.0),
    ],
)
def test_a_step_is_sure_when_stated_or_shown_often(
    answers: list[float], stated: float | None, expected: float
) -> None:
    values = np.array([*answers, np.nan])
    assert sure_step(values, low=0.0, guessed=50.0, stated=stated) == expected
