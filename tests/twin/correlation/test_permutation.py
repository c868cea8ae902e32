"""Permutation of whitened reports, alone or in runs."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.permutation import permuted_chance


@pytest.mark.parametrize("run", [1, 5, 7])
def test_a_link_is_beyond_all_permutations(run: int) -> None:
    rng = np.random.default_rng(1)
    columns = rng.standard_normal((60, 30))
    target = columns[:, 11] + 0.3 * rng.standard_normal(60)
    found = permuted_chance(target, columns, draws=199, rng=rng, run=run)
    assert found == pytest.approx(1 / 200)


@pytest.mark.parametrize("run", [1, 6])
def test_without_a_link_the_answers_are_spread_evenly(run: int) -> None:
    rng = np.random.default_rng(2)
    answers = [
        permuted_chance(
            rng.standard_normal(40),
            rng.standard_normal((40, 20)),
            draws=99,
            rng=rng,
            run=run,
        )
        for _ in range(200)
    ]
    assert 0.42 < np.mean(answers) < 0.58
    assert np.mean(np.array(answers) <= 0.1) < 0.16


def test_a_column_of_nothing_correlates_with_nothing() -> None:
    rng = np.random.default_rng(3)
    target, nothing = rng.standard_normal(20), np.zeros((20, 4))
    assert permuted_chance(target, nothing, draws=19, rng=rng) == 1.0
