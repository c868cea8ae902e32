"""The earlier formula for few scores, as it was when it was served."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.trajectory import MEDIAN
from export_scripts.shrinkage import DAY_SD, MEAN, MEAN_SD, shrunk_quantiles


def width(shares: list[float]) -> float:
    """Of the 80 % interval."""
    found = shrunk_quantiles(np.array(shares))
    return float(found[9] - found[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_it_is_ordered_and_inside_the_scale(shares: list[float]) -> None:
    found = shrunk_quantiles(np.array(shares))
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_one_score_moves_the_population_by_precisions() -> None:
    weight = MEAN_SD**2 / (MEAN_SD**2 + DAY_SD**2)
    expected = MEAN + weight * (0.9 - MEAN)
    assert shrunk_quantiles(np.array([0.9]))[MEDIAN] == pytest.approx(expected)


def test_six_scores_move_it_nearly_all_the_way() -> None:
    assert 0.875 < shrunk_quantiles(np.full(6, 0.9))[MEDIAN] < 0.9


def test_it_narrows_when_scores_agree() -> None:
    assert width([0.5] * 6) < width([0.5]) < 1
    assert width([0.5] * 6) < width([0.2, 0.8] * 3)
