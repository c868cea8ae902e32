"""Draws from ranges, and which of the two families is the wider."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from backend.twin.simulation.wearables.family import (
    PLAIN,
    WIDE,
    between,
    between_logs,
    chance,
    signs,
)

RANGES = [
    field.name for field in fields(WIDE) if isinstance(getattr(WIDE, field.name), tuple)
]
SHARES = [field.name for field in fields(WIDE) if field.name not in RANGES]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", RANGES)
def test_every_range_of_the_plain_family_lies_in_the_wide_one(name: str) -> None:
    wide, plain = getattr(WIDE, name), getattr(PLAIN, name)
    assert wide[0] <= plain[0] <= plain[1] <= wide[1]


@pytest.mark.parametrize("name", SHARES)
def test_shares_and_sizes_are_no_less_than_zero_nor_more_than_one(name: str) -> None:
    for family in (WIDE, PLAIN):
        assert 0 <= getattr(family, name) <= 1


def test_the_wide_family_covers_what_is_asked_of_it() -> None:
    assert WIDE.link_prior == (0.05, 0.5)
    assert WIDE.weight == (0.1, 0.7)
    assert WIDE.biometrics == (1, 12)
    assert WIDE.symptoms == WIDE.reports_a_day == (1, 6)
    assert WIDE.missed == (0, 0.5)
    assert WIDE.bursts == 0.5


def test_uniform_numbers_fill_their_range(rng: np.random.Generator) -> None:
    drawn = between(rng, (2, 4), (20_000,))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(
        np.quantile(drawn, [0, 0.25, 0.5, 1]), [2, 2.5, 3, 4], atol=0.03
    )


def test_times_are_uniform_in_their_logarithms(rng: np.random.Generator) -> None:
    drawn = between_logs(rng, (1, 100), (20_000,))
    np.testing.assert_allclose(
        np.log10(np.quantile(drawn, [0, 0.25, 0.5, 1])), [0, 0.5, 1, 2], atol=0.03
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_chances_come_true_in_their_share(
    rng: np.random.Generator, share: float
) -> None:
    assert chance(rng, share, (20_000,)).mean() == pytest.approx(share, abs=0.01)


def test_signs_are_alike_often(rng: np.random.Generator) -> None:
    drawn = signs(rng, (20_000,))
    assert set(drawn) == {-1, 1}
    assert abs(drawn.mean()) < 0.02
