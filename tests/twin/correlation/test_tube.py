"""The tube's bound holds, and is not far from what permutation says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from backend.twin.correlation.permutation import permuted_chance
from backend.twin.correlation.tube import Curve, chance, curve, needed_z
from tests.twin.correlation.made import course


def smooth_columns(rng: np.random.Generator, reports: int, lags: int) -> np.ndarray:
    """Lagged copies of an autocorrelated series under well separated reports."""
    rows = np.stack([course(rng, lags, 6.0) for _ in range(reports)])
    return rows - rows.mean(0)


def test_one_column_is_a_plain_correlation_test() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30))
    r, p = pearsonr(x, y)
    assert chance(abs(r), Curve(0.0, 1), 29.0) == pytest.approx(p, rel=1e-6)


def test_a_curve_that_stands_still_has_no_length() -> None:
    column = np.random.default_rng(0).standard_normal((20, 1))
    columns = np.hstack([column, 2 * column, -column])
    found = curve(columns, (columns**2).sum(0))
    assert found.length == pytest.approx(0.0, abs=1e-6)
    assert found.lags == 3


def test_the_bound_is_never_above_bonferroni_nor_one() -> None:
    rough = Curve(400.0, 10)
    assert chance(0.5, rough, 30.0) == pytest.approx(
        10 * chance(0.5, Curve(0.0, 1), 30.0)
    )
    assert chance(0.0, rough, 30.0) == 1.0
    assert chance(1.0, rough, 30.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("reports", "lags"), [(22, 73), (90, 73), (60, 24)])
def test_the_null_passes_as_often_as_it_should_at_most(reports: int, lags: int) -> None:
    rng = np.random.default_rng(reports)
    columns = smooth_columns(rng, reports, lags)
    norms = (columns**2).sum(0)
    along, freedom = curve(columns, norms), reports - 1
    targets = rng.standard_normal((4000, reports))
    targets -= targets.mean(1, keepdims=True)
    r = np.abs(targets @ (columns / np.sqrt(norms))).max(1)
    r /= np.linalg.norm(targets, axis=1)
    for level in (0.01, 0.05):
        share = np.mean([chance(one, along, freedom) <= level for one in r])
        assert 0.6 * level < share < 1.2 * level


@pytest.mark.parametrize("pull", [0.0, 0.25, 0.35, 0.4])
def test_permutation_agrees_and_is_not_above_the_bound(pull: float) -> None:
    rng = np.random.default_rng(8)
    columns = smooth_columns(rng, 60, 73)
    norms = (columns**2).sum(0)
    target = rng.standard_normal(60) + pull * columns[:, 30]
    target -= target.mean()
    r = np.abs(target @ columns / np.sqrt(norms)).max() / np.linalg.norm(target)
    by_tube = chance(r, curve(columns, norms), 59.0)
    by_draw = permuted_chance(target, columns, draws=1500, rng=rng)
    assert by_draw - 0.02 < by_tube < 1.6 * by_draw + 0.01


def test_longer_curves_and_stricter_levels_need_more() -> None:
    easy = needed_z(Curve(5.0, 73), 0.05)
    assert needed_z(Curve(50.0, 73), 0.05) > easy
    assert needed_z(Curve(5.0, 73), 0.005) > easy
