"""Scores at irregular days: elapsed time, few entries, the scale's ends, the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.errors import InsufficientData
from backend.twin.irregular import (
    LEVEL_SD,
    Constants,
    IrregularForecast,
    irregular_quantiles,
    mixture,
    shares_of,
    table,
    transformed,
)
from backend.twin.scales import local_scale, scale
from backend.twin.trajectory import HORIZON, LEVELS, MEDIAN

PHQ9 = scale("phq9")
EVEN = Constants(state_sd=0.12, state_days=60.0, noise_sd=0.11, uneven=0.0)


def answer(
    values: list[float], ages: list[float], **options: object
) -> IrregularForecast:
    return irregular_quantiles(np.array(values), np.array(ages), PHQ9, **options)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0, 27), st.integers(0, 400)), min_size=1, max_size=12),
    st.sampled_from(["questionnaire", "daily"]),
)
def test_any_entries_give_ordered_finite_quantiles_inside_the_scale(
    entries: list[tuple[float, int]], cadence: str
) -> None:
    values, ages = (list(column) for column in zip(*entries, strict=True))
    found = answer(values, ages, constants=table()[cadence])
    assert found.days.shape == (HORIZON, len(LEVELS))
    assert found.fortnight.shape == (len(LEVELS),)
    for quantiles in (*found.days, found.fortnight):
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles) >= -1e-9).all()
        assert quantiles.min() >= 0 and quantiles.max() <= 27


def test_one_entry_moves_the_middle_of_the_scale_towards_itself() -> None:
    low, high = (answer([value], [0]).days[0, MEDIAN] for value in (4.0, 23.0))
    assert 4.0 < low < 9.0
    assert 18.0 < high < 23.0


def test_both_directions_are_treated_alike() -> None:
    down, up = answer([3.0, 8.0], [30, 0]), answer([24.0, 19.0], [30, 0])
    np.testing.assert_allclose(27 - up.days[:, ::-1], down.days, atol=1e-4)
    np.testing.assert_allclose(27 - up.fortnight[::-1], down.fortnight, atol=1e-4)


def test_a_later_score_counts_more_and_the_more_the_sooner_it_was() -> None:
    risen, fallen = answer([5.0, 15.0], [60, 0]), answer([15.0, 5.0], [60, 0])
    assert risen.days[0, MEDIAN] > fallen.days[0, MEDIAN] + 1
    soon, later = (
        answer([10.0, 10.0, 20.0], [90, 60, 0], at=np.array([days])).days[0]
        for days in (1.0, 200.0)
    )
    assert soon[MEDIAN] > later[MEDIAN] + 1  # drifts back to the own level
    assert later[10] - later[0] > soon[10] - soon[0]


def test_more_scores_make_the_interval_narrower_and_uneven_ones_wider() -> None:
    def width(values: list[float]) -> float:
        ages = [14.0 * at for at in reversed(range(len(values)))]
        row = answer(values, ages).days[6]
        return float(row[9] - row[1])

    assert width([12.0] * 8) < width([12.0] * 2) < width([12.0])
    assert width([12.0] * 6) < width([6.0, 18.0] * 3)


def test_the_spread_is_smaller_at_the_scales_ends() -> None:
    def width(value: float) -> float:
        row = answer([value] * 4, [42, 28, 14, 0]).days[0]
        return float(row[9] - row[1])

    assert width(1.0) < width(13.0) > width(26.0)


def test_absent_scores_are_left_out_and_the_rest_keeps_its_age() -> None:
    found = answer([9.0, np.nan, 12.0, np.nan], [40, 20, 10, 0])
    np.testing.assert_array_equal(found.days, answer([9.0, 12.0], [40, 10]).days)
    for nothing in ([], [np.nan]):
        with pytest.raises(InsufficientData):
            answer(nothing, [0.0] * len(nothing))


def test_several_scores_of_one_day_are_all_used() -> None:
    twice, once = answer([10.0, 14.0], [0, 0]), answer([12.0], [0])
    assert 10 < twice.days[0, MEDIAN] < 14
    assert twice.days[0, 9] - twice.days[0, 1] != once.days[0, 9] - once.days[0, 1]


def test_one_node_is_the_textbook_gaussian_process() -> None:
    """Rasmussen & Williams 2006, equations 2.25 and 2.26, written out."""
    shares, ages = np.array([[0.3, 0.5, 0.4]]), np.array([[50.0, 21.0, 0.0]])
    found = mixture(shares, ages, np.array([[9.0]]), constants=EVEN)
    times = np.array([-50.0, -21.0, 0.0])
    between = np.exp(-np.abs(times[:, None] - times) / 60)
    known = LEVEL_SD**2 + 0.12**2 * between + 0.11**2 * np.eye(3)
    across = LEVEL_SD**2 + 0.12**2 * np.exp(-(9 - times) / 60)
    gains = np.linalg.inv(known) @ across
    mean = np.pi / 4 + gains @ (transformed(shares[0]) - np.pi / 4)
    variance = LEVEL_SD**2 + 0.12**2 + 0.11**2 - gains @ across
    np.testing.assert_allclose(found.mean, mean)
    np.testing.assert_allclose(found.covariance, variance)
    np.testing.assert_allclose(found.weight.sum(), 1.0)


def test_the_uneven_person_is_recognised() -> None:
    constants = replace(EVEN, uneven=1.0)
    rows = np.array([[0.5] * 6, [0.2, 0.8] * 3])
    ages = np.tile(np.arange(70.0, -1, -14), (2, 1))
    weight = mixture(rows, ages, np.ones((2, 1)), constants=constants).weight
    nodes = np.arange(5)
    assert weight[0] @ nodes < 2 < weight[1] @ nodes


@pytest.mark.parametrize("values", [[1.0], [2.0, 3.0, 1.0], [20.0, 8.0, 14.0, 15.0]])
def test_the_fortnights_mean_is_what_simulation_says(values: list[float]) -> None:
    ages = np.array([30.0 * at for at in reversed(range(len(values)))])
    constants = table()["questionnaire"]
    shares = np.array(values)[None] / 27
    ahead = np.arange(1.0, HORIZON + 1)[None]
    found = mixture(shares, ages[None], ahead, constants=constants)
    rng = np.random.default_rng(5)
    counts = np.round(20_000 * found.weight[0]).astype(int)
    drawn = [
        shares_of(rng.multivariate_normal(mean, cov, size=n)).mean(1)
        for mean, cov, n in zip(found.mean[0], found.covariance[0], counts, strict=True)
    ]
    expected = 27 * np.quantile(np.concatenate(drawn), LEVELS)
    fortnight = irregular_quantiles(np.array(values), ages, PHQ9).fortnight
    np.testing.assert_allclose(fortnight, expected, atol=0.02 * 27)
    assert np.abs(fortnight - expected).mean() < 0.006 * 27


def test_the_mean_is_surer_than_a_day() -> None:
    found = answer([8.0, 12.0, 10.0], [60, 30, 0])
    assert np.ptp(found.fortnight) < np.ptp(found.days[6])


def test_the_transformation_and_back() -> None:
    shares = np.linspace(0, 1, 41)
    np.testing.assert_allclose(shares_of(transformed(shares)), shares, atol=1e-12)
    np.testing.assert_array_equal(shares_of(np.array([-9.0, 9.0])), [0.0, 1.0])


def test_the_tables_constants_are_spreads_and_days() -> None:
    assert set(table()) == {"questionnaire", "daily"}
    for constants in table().values():
        assert 0 < constants.noise_sd < LEVEL_SD
        assert 0 < constants.state_sd < np.pi / 2
        assert constants.state_days > 7
        assert 0 < constants.uneven < 2


def test_score_units_are_the_scales_own() -> None:
    small = local_scale("x", system="urn:x", low=0.0, high=1.0)
    large = local_scale("x", system="urn:x", low=-100.0, high=100.0)
    shares, ages = np.array([0.2, 0.3]), np.array([3.0, 0.0])
    one = irregular_quantiles(shares, ages, small)
    two = irregular_quantiles(200 * shares - 100, ages, large)
    np.testing.assert_allclose(two.days, 200 * one.days - 100, atol=1e-6)
