from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.scales import scale
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS, MEDIAN
from tests.twin.made import forecast


@pytest.mark.parametrize("level", sorted(INTERVALS))
def test_an_interval_spans_its_level(level: float) -> None:
    low, high = INTERVALS[level]
    assert LEVELS[high] - LEVELS[low] == pytest.approx(level)
    assert LEVELS[low] == pytest.approx(1 - LEVELS[high])


def test_the_median_stands_in_the_middle_of_ascending_levels() -> None:
    assert LEVELS[MEDIAN] == 0.5
    assert list(LEVELS) == sorted(set(LEVELS))


@given(st.floats(0, 10))
def test_the_80_lies_inside_the_95_and_holds_the_median(middle: float) -> None:
    made = forecast(scale("mood-0-10"), middle)
    rows = zip(made.interval(0.80), made.interval(0.95), made.median(), strict=True)
    for (low80, high80), (low95, high95), median in rows:
        assert low95 <= low80 <= median <= high80 <= high95
    assert len(made.median()) == HORIZON


def test_only_known_levels_are_intervals() -> None:
    with pytest.raises(KeyError):
        forecast(scale("mood-0-10"), 5).interval(0.9)
