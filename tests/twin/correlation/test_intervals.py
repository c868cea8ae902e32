"""Intervals over what is not known."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.intervals import estimate, lag_ends, median_lag
from backend.twin.correlation.selection import Effect

LAGS = 40
PRIOR = np.full(LAGS, 1 / LAGS)
NORMS = np.full(LAGS, 100.0)


def effect(
    weight: np.ndarray, fit: np.ndarray, *, p_link: float = 1.0, freedom: float = 200.0
) -> Effect:
    weight = weight / weight.sum()
    return Effect(p_link, weight, 0.9 * fit, fit * NORMS, 100.0, 1.0, freedom)


def peak(*at: int) -> np.ndarray:
    weight = np.full(LAGS, 1e-9)
    weight[list(at)] = 1.0
    return weight


def test_with_a_sure_lag_the_interval_is_that_of_least_squares() -> None:
    told = estimate(effect(peak(7), np.full(LAGS, 0.5)), NORMS, PRIOR, 0.0)
    assert told.ci == pytest.approx((0.5 - 0.16449, 0.5 + 0.16449))
    assert told.coefficient == pytest.approx(0.45)
    assert (told.lag, told.lag_ends) == (7, (7, 7))


def test_the_scale_of_the_window_widens_in_proportion() -> None:
    told = estimate(effect(peak(7), np.full(LAGS, 0.5)), NORMS, PRIOR, 0.2)
    reach = 1.6449 * np.hypot(0.1, 0.1)
    assert told.ci == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-3)


def test_unsure_lags_join_their_intervals() -> None:
    fit = np.zeros(LAGS)
    fit[[5, 30]] = 0.5, -0.4
    told = estimate(effect(peak(5, 30), fit), NORMS, PRIOR, 0.0)
    assert told.ci[0] < -0.5
    assert told.ci[1] > 0.6
    assert told.ci[0] <= told.coefficient <= told.ci[1]
    assert told.lag_ends == (5, 30)


def test_a_peak_that_may_be_chance_says_less_of_the_lag() -> None:
    fit = np.full(LAGS, 0.5)
    ends = [
        estimate(effect(peak(20), fit, p_link=p), NORMS, PRIOR, 0.0).lag_ends
        for p in (1.0, 0.7)
    ]
    assert ends[0] == (20, 20)
    assert ends[1][0] < 15
    assert ends[1][1] > 25


def test_few_reports_make_peaks_less_sharp() -> None:
    weight = np.exp(-0.5 * ((np.arange(LAGS) - 20) / 2) ** 2)
    fit = np.full(LAGS, 0.5)
    widths = [
        np.ptp(estimate(effect(weight, fit, freedom=f), NORMS, PRIOR, 0.0).lag_ends)
        for f in (500.0, 15.0, 3.0)
    ]
    assert widths[0] < widths[1] <= widths[2]


def test_a_coefficient_never_leaves_its_interval() -> None:
    made = effect(peak(7), np.full(LAGS, 0.5))
    swollen = Effect(1.0, made.lag_weight, 9 * made.mean, made.dots, 100.0, 1.0, 50.0)
    told = estimate(swollen, NORMS, PRIOR, 0.0)
    assert told.coefficient == told.ci[1]


def test_a_lags_interval_is_the_likeliest_of_nearly_nine_tenths() -> None:
    weight = np.zeros((4, 97))
    weight[0, 10:20] = 0.1  # any nine
    weight[1, 40] = 1.0  # one hour that holds more
    weight[2, [5, 6, 7]] = 0.06, 0.88, 0.06  # one hour is nearer than two
    weight[3, [5, 6, 96]] = 0.4, 0.35, 0.25  # two peaks: .75 is further than all
    first, last = lag_ends(weight)
    assert (last - first).tolist() == [8, 0, 0, 91]
    assert first[1:].tolist() == [40, 6, 5]
    assert 10 <= first[0] <= 11
    assert median_lag(weight).tolist() == [14, 40, 6, 6]


def test_no_lag_leaves_the_profile() -> None:
    """Rounding may leave a sum a little below its half or its whole."""
    weight = np.full((1, 97), 1e-12)
    assert median_lag(weight).tolist() == [96]
    first, last = lag_ends(weight)
    assert 0 <= first[0] <= last[0] <= 96


def test_an_interval_holds_its_median() -> None:
    weight = np.random.default_rng(3).dirichlet(np.full(97, 0.05), size=500)
    (first, last), middle = lag_ends(weight), median_lag(weight)
    assert (first <= middle).all()
    assert (middle <= last).all()
    held = [row[a : b + 1].sum() for row, a, b in zip(weight, first, last, strict=True)]
    assert min(held) > 0.8
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)
