"""The fallback: weighted climatology as recorded, and the mean of a fortnight."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin import climatology
from backend.twin.climatology import (
    ew_quantiles,
    fortnight_quantiles,
    weighted_quantiles,
)
from backend.twin.errors import InsufficientData
from backend.twin.simulation.diaries import simulate_diaries
from backend.twin.trajectory import LEVELS, MEDIAN
from export_scripts.fortnight_share import DAYS, fortnight_share

BENCH = Path(__file__).resolve().parents[2].parent / "shared" / "bench" / "forecast"


@pytest.fixture
def recorded() -> ModuleType:
    """The benchmark's own predictors."""
    path = BENCH / "predictors.py"
    if not path.exists():
        pytest.skip("the folder ../shared is absent")
    spec = importlib.util.spec_from_file_location("bench_predictors", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_ew_quantiles_are_the_recorded_baseline(recorded: ModuleType) -> None:
    rng = np.random.default_rng(3)
    for days in (14, 60, 128):
        values = rng.normal(size=days)
        values[rng.random(days) < 0.3] = np.nan
        series = SimpleNamespace(values=values, horizon=14)
        expected = recorded.ewclim14_fine([series])[0][0]
        found = ew_quantiles(values, np.arange(days, 0, -1))
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_recent_days_weigh_more() -> None:
    values = np.array([0.0] * 28 + [10.0] * 14)
    ages = np.arange(42, 0, -1)
    weighted = ew_quantiles(values, ages)[MEDIAN]
    plain = ew_quantiles(values, ages, half_life=1e9)[MEDIAN]
    assert plain == 0.0 < weighted


def test_a_half_life_halves() -> None:
    """Two values, one 14 days older: two thirds of the weight is on the newer."""
    found = ew_quantiles(np.array([0.0, 6.0]), np.array([15, 1]), levels=(0.5,))
    # The values stand at 1/6 and 2/3 of the weight; 1/2 is two thirds of the way.
    assert found == pytest.approx([4.0])


def test_only_differences_of_age_matter() -> None:
    values, ages = np.array([3.0, 1.0, 2.0]), np.array([9, 4, 1])
    np.testing.assert_allclose(
        ew_quantiles(values, ages), ew_quantiles(values, ages + 500)
    )


def test_one_value_is_every_quantile() -> None:
    np.testing.assert_array_equal(
        ew_quantiles(np.array([np.nan, 4.0]), np.array([2, 1])), [4.0] * len(LEVELS)
    )


def test_rows_do_not_touch_each_other() -> None:
    values = np.array([[1.0, np.nan, 3.0], [7.0, 8.0, 9.0]])
    found = weighted_quantiles(values, np.ones((2, 3)))
    alone = weighted_quantiles(values[1:], np.ones((1, 3)))
    np.testing.assert_array_equal(found[1], alone[0])


@pytest.mark.parametrize("nothing", [np.array([]), np.array([np.nan])])
def test_nothing_seen_is_insufficient(nothing: np.ndarray) -> None:
    with pytest.raises(InsufficientData):
        ew_quantiles(nothing, np.arange(len(nothing)))


def test_a_fortnights_mean_is_narrower_around_the_mean_of_the_days() -> None:
    """Even days of 0 to 10 and of 2 to 12: their means are 5 and 7."""
    days = np.array([[10 * level for level in LEVELS]])
    both = np.concatenate([days, days + 2])
    found = fortnight_quantiles(both, share=0.5)
    np.testing.assert_allclose(found, 6 + 0.5 * (days[0] - 5))
    np.testing.assert_allclose(fortnight_quantiles(days, share=1.0), days[0])


def test_a_fortnights_mean_of_skewed_days_lies_above_their_median() -> None:
    """Most days on the floor, some far above it: no fortnight is all floor."""
    days = np.array([[0.0] * 8 + [4.0, 8.0, 10.0]])
    found = fortnight_quantiles(days)
    # Each level stands for the probability nearest to it: .1, .0875 and .0625 at last.
    assert found[MEDIAN] > days[0][MEDIAN]
    centre = 0.1 * 4 + 0.0875 * 8 + 0.0625 * 10
    share = climatology.FORTNIGHT_SHARE
    assert found[0] == pytest.approx(centre * (1 - share))


@given(
    st.lists(st.floats(0, 10), min_size=11, max_size=11).map(sorted),
    st.floats(0, 1),
)
def test_a_fortnights_quantiles_stay_in_the_days_range(
    quantiles: list[float], share: float
) -> None:
    found = fortnight_quantiles(np.array([quantiles] * 14), share=share)
    assert (np.diff(found) >= -1e-12).all()
    assert found[0] >= quantiles[0] - 1e-9
    assert found[-1] <= quantiles[-1] + 1e-9


def test_the_share_is_the_simulators() -> None:
    rng = np.random.default_rng(2)
    found = fortnight_share(simulate_diaries(rng, people=5_000, days=DAYS))
    assert found == pytest.approx(climatology.FORTNIGHT_SHARE, abs=0.04)
