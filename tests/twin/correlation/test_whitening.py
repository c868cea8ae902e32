"""The linear-time whitener is the dense one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.correlation.whitening import Whitener, candidates, likeliest
from tests.twin.correlation.made import course

gaps = st.lists(st.integers(1, 200), min_size=2, max_size=40)


@given(gaps=gaps, steps=st.floats(1.0, 200.0), nugget=st.floats(0.02, 0.98))
def test_whitening_is_the_inverse_of_the_dense_cholesky_factor(
    gaps: list[int], steps: float, nugget: float
) -> None:
    at = np.cumsum(gaps)
    made = Whitener(at, steps, nugget)
    dense = made.correlation(np.abs(np.subtract.outer(at, at)))
    factor = np.linalg.cholesky(dense)
    columns = np.random.default_rng(0).standard_normal((len(at), 40))
    wanted = np.linalg.solve(factor, columns)
    np.testing.assert_allclose(made.apply(columns), wanted, atol=1e-7)
    np.testing.assert_allclose(made.apply(columns[:, :3]), wanted[:, :3], atol=1e-7)
    np.testing.assert_allclose(made.apply(columns[:, 0]), wanted[:, 0], atol=1e-7)
    assert made.log_determinant == pytest.approx(np.linalg.slogdet(dense)[1], abs=1e-7)


@pytest.mark.parametrize(
    ("tau", "nugget"), [(48.0, 0.1), (12.0, 0.25), (48.0, 0.7), (6.0, 0.45)]
)
def test_the_likeliest_whitener_is_near_the_truth(tau: float, nugget: float) -> None:
    rng = np.random.default_rng(2)
    at = np.arange(0, 24 * 200, 4)
    rows = np.stack(
        [
            np.sqrt(1 - nugget) * course(rng, 24 * 200, tau)[at]
            + np.sqrt(nugget) * rng.standard_normal(len(at))
            for _ in range(6)
        ]
    )
    found = likeliest(candidates(at), 3 * rows)
    assert np.median([one.nugget for one in found]) == nugget
    assert np.median([one.steps for one in found]) == tau
    for row, one in zip(rows, found, strict=True):
        white = one.apply(row)
        neighbours = white[1:] @ white[:-1] / (white @ white)
        assert abs(neighbours) < 0.1


def test_of_few_reports_the_prior_keeps_the_extremes_away() -> None:
    rng = np.random.default_rng(4)
    at = np.arange(20, 24 * 16, 24)
    found = likeliest(candidates(at), rng.standard_normal((40, len(at))))
    assert 12.0 <= np.median([one.steps for one in found]) <= 96.0


def test_doubling_the_scale_changes_nothing() -> None:
    at = np.arange(0, 400, 7)
    row = np.random.default_rng(1).standard_normal((1, len(at)))
    one, two = (likeliest(candidates(at), k * row)[0] for k in (1.0, 200.0))
    assert (one.steps, one.nugget) == (two.steps, two.nugget)
