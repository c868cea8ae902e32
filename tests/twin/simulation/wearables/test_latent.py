"""What may be linked: variances, days that stand, and who follows whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.clock import Clock, draw_clock
from backend.twin.simulation.wearables.family import PLAIN, WIDE, Family
from backend.twin.simulation.wearables.latent import (
    Reverse,
    biometric_cores,
    draw_reverse,
    follow,
    symptom_latents,
)
from backend.twin.simulation.wearables.links import draw_links, smooth

PEOPLE = 200


@pytest.fixture(scope="module")
def clock() -> Clock:
    return draw_clock(np.random.default_rng(1), PLAIN, people=PEOPLE, days=60)


def cores(
    clock: Clock, family: Family, *, daily: bool = False, begins: int = 7
) -> np.ndarray:
    shape = (PEOPLE, 3)
    return biometric_cores(
        np.random.default_rng(2),
        family,
        clock,
        daily=np.full(shape, daily),
        begins=np.full(shape, begins),
    )


def test_cores_have_variance_one_and_a_fast_and_a_slow_memory(clock: Clock) -> None:
    made = cores(clock, replace(PLAIN, fast_tau=(4, 4), slow_tau=(40, 40), coupled=0))
    np.testing.assert_allclose(made.std(-1), 1, atol=1e-4)
    for lag in (1, 8, 24):
        expected = 0.55 * np.exp(-lag / 4) + 0.45 * np.exp(-lag / 40)
        found = (made[..., lag:] * made[..., :-lag]).mean()
        assert found == pytest.approx(expected, abs=0.03)


def test_cores_of_the_coupled_correlate_most_at_one_pace(clock: Clock) -> None:
    def alike(coupled: float, same_pace: float) -> float:
        family = replace(WIDE, coupled=coupled, same_pace=same_pace)
        made = cores(clock, family)
        together = np.einsum("pit,pjt->pij", made, made) / made.shape[2]
        return float(np.abs(together[:, [0, 0, 1], [1, 2, 2]]).mean())

    assert alike(0, 0) < 0.12
    assert 0.2 < alike(1, 0) < alike(1, 1) - 0.02
    assert alike(1, 1) < 0.35


def test_a_daily_value_stands_from_waking_to_waking(clock: Clock) -> None:
    made = cores(clock, replace(WIDE, daily_pure=1.0), daily=True)
    steps = np.diff(made, axis=-1) != 0
    assert steps.any(-1).all()
    hours = np.broadcast_to(clock.local[:, None, 1:] % 24, steps.shape)
    assert set(hours[steps]) == {7}
    np.testing.assert_allclose(made.std(-1), 1, atol=1e-4)


def test_some_daily_values_have_something_of_the_hours(clock: Clock) -> None:
    made = cores(clock, replace(PLAIN, daily_pure=0.0), daily=True)
    within = made[..., 3 : 3 + 24 * 40].reshape(PEOPLE, 3, 40, 24)
    assert 0.05 < within.var(-1).mean() < 0.25


def latents(clock: Clock, symptoms_coupled: float) -> np.ndarray:
    family = replace(WIDE, coupled=0, regime_links=0, symptoms_coupled=symptoms_coupled)
    made, rng = cores(clock, family), np.random.default_rng(3)
    free = np.ones((PEOPLE, 3), bool)
    links, _ = draw_links(rng, family, free, ~free, symptoms=2)
    return symptom_latents(rng, family, links, made, symptoms=2).symptoms


@pytest.mark.parametrize("coupled", [0, 1])
def test_symptoms_have_variance_one_whatever_their_links(
    clock: Clock, coupled: float
) -> None:
    made = latents(clock, coupled)
    assert (made**2).mean() == pytest.approx(1, abs=0.06)


def test_symptoms_of_some_patients_go_together(clock: Clock) -> None:
    apart, together = (
        np.abs((made[:, 0] * made[:, 1]).mean(-1)).mean()
        for made in (latents(clock, 0), latents(clock, 1))
    )
    assert apart < 0.11
    assert together > apart + 0.04


def test_symptom_noise_lasts(clock: Clock) -> None:
    rng, free = np.random.default_rng(3), np.zeros((PEOPLE, 3), bool)
    family = replace(PLAIN, symptom_tau=(48, 48))
    links, _ = draw_links(rng, family, free, free, symptoms=2)
    assert len(links.weight) == 0
    made = symptom_latents(rng, family, links, cores(clock, family), symptoms=2)
    for lag in (1, 24):
        found = (made.symptoms[..., lag:] * made.symptoms[..., :-lag]).mean()
        assert found == pytest.approx(0.7 * np.exp(-lag / 48), abs=0.04)


def test_reverse_pairs_are_drawn_in_their_share() -> None:
    drawn = draw_reverse(np.random.default_rng(1), WIDE, (4000, 3, 2))
    assert len(drawn.patient) / 4000 == pytest.approx(0.15, abs=0.02)
    assert set(drawn.biometric) == {0, 1, 2}
    assert set(drawn.symptom) == {0, 1}
    assert (drawn.lag.min(), drawn.lag.max()) == (1, 48)
    assert 0.2 <= np.abs(drawn.weight).min() < np.abs(drawn.weight).max() <= 0.6


@pytest.mark.parametrize("standing", [0, 5])
def test_a_biometric_follows_a_symptom(clock: Clock, standing: int) -> None:
    made = cores(clock, replace(PLAIN, coupled=0))
    before = made.copy()
    tau = np.random.default_rng(4).standard_normal((PEOPLE, 2, made.shape[2]))
    everyone = np.arange(PEOPLE)
    ones = np.ones(PEOPLE, int)
    reverse = Reverse(everyone, ones, 0 * ones, 0.5 * ones, 20 * ones)
    follow(reverse, made, tau, np.full((PEOPLE, made.shape[2]), standing))
    np.testing.assert_array_equal(made[:, [0, 2]], before[:, [0, 2]])
    past = np.roll(smooth(tau)[:, 0], 20 + standing, axis=1)
    assert (past * made[:, 1]).mean() == pytest.approx(0.5, abs=0.02)
    assert (made[:, 1] ** 2).mean() == pytest.approx(1, abs=0.02)
