"""Series with memory: variance, correlation time, shared innovations."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.simulation.wearables.memory import loadings, remember, standardised


@pytest.mark.parametrize("tau", [1.5, 6.0, 40.0])
def test_a_series_forgets_at_its_own_pace(tau: float) -> None:
    made = remember(np.random.default_rng(1), np.full((300, 2), tau), 600)
    assert made.shape == (300, 2, 600)
    assert made.var() == pytest.approx(1, abs=0.05)
    assert made[..., 0].var() == pytest.approx(1, abs=0.15)  # stationary from the start
    for lag in (1, 5):
        shared = (made[..., lag:] * made[..., :-lag]).mean()
        assert shared == pytest.approx(np.exp(-lag / tau), abs=0.03)


def test_series_without_loadings_have_nothing_in_common() -> None:
    made = remember(np.random.default_rng(2), np.full((400, 2), 3.0), 400)
    assert abs((made[:, 0] * made[:, 1]).mean()) < 0.02


def test_shared_innovations_correlate_by_the_product_of_their_loadings() -> None:
    loading = np.tile([[0.8, 0.0], [-0.6, 0.3], [0.0, 0.9]], (400, 1, 1))
    made = remember(np.random.default_rng(2), np.full((400, 3), 3.0), 400, loading)
    seen = np.einsum("pit,pjt->ij", made, made) / 160_000
    np.testing.assert_allclose(
        seen, [[1, -0.48, 0], [-0.48, 1, 0.27], [0, 0.27, 1]], atol=0.03
    )


def test_loadings_leave_room_and_are_of_the_coupled_alone() -> None:
    coupled = np.arange(500) % 2 == 0
    drawn = loadings(np.random.default_rng(3), coupled, 4, 0.8)
    size = (drawn**2).sum(-1)
    assert drawn.shape == (500, 4, 2)
    assert (size[~coupled] == 0).all()
    assert 0.55 < size[coupled].max() < 0.64 + 1e-9


def test_standardised_series_have_mean_zero_and_spread_one() -> None:
    drawn = 5 + 3 * np.random.default_rng(4).standard_normal((3, 50))
    made = standardised(drawn)
    np.testing.assert_allclose(made.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(made.std(1), 1)
    assert (standardised(np.ones((1, 4))) == 0).all()  # nothing to divide by
