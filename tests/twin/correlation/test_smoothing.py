"""Memory of a signal, and its expectation where it was not measured."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.smoothing import (
    LEAST_NOISE,
    Memory,
    autocovariance,
    centred_mean,
    expected,
    memory,
)
from tests.twin.correlation.made import course

TWO = Memory(0.2, ((0.5, 4.0), (0.3, 30.0)))


def test_autocovariance_is_that_of_known_pairs() -> None:
    rng = np.random.default_rng(0)
    row = rng.standard_normal(80)
    row[20:35] = np.nan
    found = autocovariance(row[None], 5)[0]
    for lag in range(6):
        pairs = row[: 80 - lag] * row[lag:]
        assert found[lag] == pytest.approx(np.nanmean(pairs))


def test_too_few_pairs_are_no_covariance() -> None:
    row = np.full(100, np.nan)
    row[:10] = 1.0
    assert autocovariance(row[None], 3)[0].tolist() == [0.0] * 4
    assert autocovariance(row[None], 3, least=9)[0].tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "truth", [TWO, Memory(0.1, ((0.9, 8.0),)), Memory(0.4, ((0.6, 24.0),))]
)
def test_memory_is_read_off_a_clean_covariance(truth: Memory) -> None:
    lags = np.arange(1, 25)
    covariance = np.concatenate([[1.0], (1 - truth.noise) * truth.correlation(lags)])
    found = memory(7.0 * covariance)
    assert found.noise == pytest.approx(truth.noise, abs=0.05)
    np.testing.assert_allclose(
        found.correlation(lags), truth.correlation(lags), atol=0.03
    )


def test_without_memory_the_signal_is_taken_nearly_as_it_is() -> None:
    found = memory(np.concatenate([[1.0], -0.1 * np.ones(24)]))
    assert found.noise == LEAST_NOISE
    assert len(found.parts) == 1


@pytest.mark.parametrize("made", [TWO, Memory(0.3, ((0.7, 9.0),))])
def test_expectation_is_that_of_the_gaussian_process(made: Memory) -> None:
    rng = np.random.default_rng(3)
    row = rng.standard_normal(60)
    row[[0, 10, 11, 12, 40, 59]] = np.nan
    apart = np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    prior = (1 - made.noise) * made.correlation(apart)
    known = np.isfinite(row)
    cover = prior[np.ix_(known, known)] + made.noise * np.eye(known.sum())
    wanted = prior[:, known] @ np.linalg.solve(cover, row[known])
    np.testing.assert_allclose(expected(row, made), wanted, atol=1e-8)


def test_variance_of_a_mean_is_the_double_sum() -> None:
    apart = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    process = (1 - TWO.noise) * TWO.correlation(apart)
    assert TWO.mean_variance(3) == pytest.approx(process.mean())


def test_means_keep_length_and_repeat_the_ends() -> None:
    assert centred_mean(np.array([3.0, 0.0, 3.0, 9.0]), 3).tolist() == [2, 2, 4, 7]


def test_regressing_on_the_expectation_finds_the_slope_that_noise_would_hide() -> None:
    rng = np.random.default_rng(5)
    truth = course(rng, 3000, 8.0)
    shown = truth + 0.8 * rng.standard_normal(3000)
    shown[rng.random(3000) < 0.2] = np.nan
    found = memory(autocovariance(shown[None], 24)[0])
    row = expected(shown / np.nanstd(shown), found) * np.nanstd(shown)
    known = np.isfinite(shown)
    naive = shown[known] @ truth[known] / (shown[known] @ shown[known])
    assert naive < 0.7
    assert row @ truth / (row @ row) == pytest.approx(1.0, abs=0.05)
