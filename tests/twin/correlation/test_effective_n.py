"""Effective counts: memory costs, and repetition pays nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.effective_n import (
    effective_reports,
    pair_counts,
    scale_error,
)


def fading(apart: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-apart / 20.0))


def none(apart: np.ndarray) -> np.ndarray:
    return (apart == 0) * 1.0


def brute(at: np.ndarray) -> float:
    apart = np.abs(np.subtract.outer(at, at))
    return float(len(at) ** 2 / (fading(apart) ** 2).sum())


@pytest.mark.parametrize("step", [1, 4, 24])
def test_it_is_the_double_sum(step: int) -> None:
    at = 17 + np.cumsum(np.random.default_rng(step).integers(1, 2 * step + 1, 60))
    found = effective_reports(pair_counts(at), fading, fading)
    assert found == pytest.approx(brute(at))
    assert found <= 60


def test_independent_reports_count_in_full() -> None:
    counts = pair_counts(np.arange(0, 300, 5))
    assert effective_reports(counts, none, fading) == pytest.approx(60)
    assert scale_error(counts, none) == pytest.approx(1 / np.sqrt(120))


def test_reports_said_twice_count_once() -> None:
    at = np.arange(0, 300, 5)
    once = effective_reports(pair_counts(at), fading, fading)
    twice = effective_reports(pair_counts(np.repeat(at, 2)), fading, fading)
    assert twice == pytest.approx(once)
