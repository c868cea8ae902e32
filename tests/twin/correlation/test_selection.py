"""Single effects: the carrier keeps the link, the bystander does not get it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation import selection
from backend.twin.correlation.selection import (
    BEHIND_WEIGHT,
    Problem,
    alone,
    lag_prior,
    single_effects,
)

LAGS = np.arange(-4, 21)
REPORTS = 120


def problem(
    target: np.ndarray, *blocks: np.ndarray, prior_link: float = 0.5
) -> Problem:
    norms = np.stack([(block**2).sum(0) for block in blocks])
    return Problem(target, blocks, norms, len(target), lag_prior(LAGS), prior_link)


def columns(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((REPORTS, len(LAGS)))


def test_the_prior_of_lags_sums_to_one_with_or_without_negative_ones() -> None:
    assert lag_prior(LAGS).sum() == pytest.approx(1.0)
    assert lag_prior(LAGS)[:4].sum() == pytest.approx(BEHIND_WEIGHT)
    assert lag_prior(np.arange(5)).tolist() == [0.2] * 5


def test_a_link_is_found_at_its_lag_with_its_size() -> None:
    rng = np.random.default_rng(0)
    x, other = columns(rng), columns(rng)
    target = 0.5 * x[:, 12] + 0.8 * rng.standard_normal(REPORTS)
    link, none = single_effects(problem(target, x, other))
    assert link.p_link > 0.99
    assert link.lag_weight.argmax() == 12
    assert link.lag_weight.sum() == pytest.approx(1.0)
    assert link.mean[12] == pytest.approx(0.5, abs=0.15)
    assert link.spread == pytest.approx(0.64, rel=0.35)
    assert none.p_link < 0.3


def test_a_bystander_that_moves_with_the_carrier_is_an_association() -> None:
    rng = np.random.default_rng(1)
    x = columns(rng)
    beside = 0.7 * x + 0.7 * columns(rng)
    target = 0.6 * x[:, 12] + 0.7 * rng.standard_normal(REPORTS)
    made = problem(target, beside, x)
    bystander, carrier = single_effects(made)
    assert carrier.p_link > 0.99
    assert bystander.p_link < 0.5
    assert alone(made, 0).p_link > 0.95


def test_the_prior_of_a_link_moves_the_posterior() -> None:
    rng = np.random.default_rng(2)
    x = columns(rng)
    target = 0.25 * x[:, 12] + rng.standard_normal(REPORTS)
    chances = [
        single_effects(problem(target, x, prior_link=prior))[0].p_link
        for prior in (0.05, 0.5, 0.9)
    ]
    assert chances == sorted(chances)
    assert chances[0] < chances[2]


def test_long_records_without_effect_speak_against_a_link() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2000, len(LAGS)))
    (none,) = single_effects(problem(rng.standard_normal(2000), x))
    assert none.p_link < 0.1


def test_empty_columns_leave_the_prior() -> None:
    rng = np.random.default_rng(4)
    made = problem(rng.standard_normal(30), np.zeros((30, len(LAGS))))
    (effect,) = single_effects(made)
    assert effect.p_link == pytest.approx(0.5)
    np.testing.assert_allclose(effect.lag_weight, made.prior)


def test_what_will_not_settle_is_left_after_the_last_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selection, "_SWEEPS", 1)
    rng = np.random.default_rng(5)
    x = columns(rng)
    target = 0.6 * x[:, 12] + rng.standard_normal(REPORTS)
    (effect,) = single_effects(problem(target, x))
    assert effect.p_link > 0.9
