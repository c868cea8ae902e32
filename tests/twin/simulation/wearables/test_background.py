"""What moves series without a link: of which size, shared by which series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.background import background
from backend.twin.simulation.wearables.clock import LEAD, Clock, draw_clock
from backend.twin.simulation.wearables.family import MAX_LAG, PLAIN, Family

NOTHING = (0.0, 0.0)
STILL = replace(
    PLAIN, biometric_cycle=NOTHING, symptom_cycle=NOTHING, weekend=0, drift=0
)
PEOPLE, COUNTS = 300, (3, 2)


def moved(family: Family, days: int = 30) -> tuple[np.ndarray, Clock]:
    rng = np.random.default_rng(1)
    clock = draw_clock(rng, family, people=PEOPLE, days=days)
    return background(rng, family, clock, COUNTS), clock


def alike(series: np.ndarray, one: int, two: int) -> float:
    """Mean size of the correlation of two series of a patient."""
    pairs = [np.corrcoef(row[one], row[two])[0, 1] for row in series]
    return float(np.abs(pairs).mean())


def test_without_anything_nothing_moves() -> None:
    series, clock = moved(STILL)
    assert series.shape == (PEOPLE, 5, clock.local.shape[1])
    assert (series == 0).all()


def test_cycles_repeat_daily_in_the_size_of_biometrics_and_symptoms() -> None:
    family = replace(STILL, biometric_cycle=(1, 2), symptom_cycle=(0.2, 0.4))
    series, _ = moved(family)
    np.testing.assert_allclose(series[..., 24:], series[..., :-24], atol=1e-5)
    spread = series[..., :24].std(-1)
    assert spread[:, :3].min() >= 0.99 / np.sqrt(2)
    assert spread[:, :3].max() <= 2 * 1.12 / np.sqrt(2) + 0.01
    assert spread[:, 3:].max() <= 0.4 * 1.12 / np.sqrt(2) + 0.01
    crest = series[:, 0, :24].argmax(1)
    assert np.bincount(crest, minlength=24).min() > 2  # at any hour


def test_restless_cycles_differ_from_day_to_day() -> None:
    family = replace(STILL, biometric_cycle=(1, 1), cycle_unrest=(0.3, 0.3))
    series, _ = moved(family)
    size = series[:, 0, : 24 * 30].reshape(PEOPLE, 30, 24).std(-1)
    assert np.log(size).std(1).mean() == pytest.approx(0.3, abs=0.03)


def test_the_body_follows_a_changed_clock_within_days() -> None:
    family = replace(STILL, biometric_cycle=(1, 1), clock_change=1.0)
    series, clock = moved(family, days=60)
    late = [
        (series[row, 0], int(clock.change[row]) + LEAD)
        for row in np.flatnonzero(clock.step == 1)
        if 200 < clock.change[row] < 800
    ]

    def apart(begins: int, shift: int) -> float:
        """From the day before the change, by physical hours and `shift`."""
        pairs = [
            (row[at + begins :][:20], row[at - 24 + shift :][:20]) for row, at in late
        ]
        return float(np.mean([np.abs(one - two).max() for one, two in pairs]))

    assert len(late) > 20
    assert apart(0, 0) < 0.1  # the day after: as if nothing had changed
    assert apart(600, 0) > 0.2
    assert apart(600, 1) < 0.01  # by then an hour earlier


def test_weekends_move_a_level_and_delay_the_cycle() -> None:
    series, clock = moved(replace(STILL, weekend=0.3))
    weekend = clock.weekend > 0
    assert (series.transpose(0, 2, 1)[~weekend] == 0).all()
    sizes = series.transpose(0, 2, 1)[weekend]
    assert sizes.std() == pytest.approx(0.3, abs=0.03)
    later = replace(STILL, biometric_cycle=(1, 1), weekend_delay=(2, 2))
    series, clock = moved(later)
    saturday = int(np.flatnonzero(np.diff(clock.weekend[0]) > 0)[0]) + 1
    day = series[0, 0, saturday + 2 : saturday + 24]
    np.testing.assert_allclose(
        day, series[0, 0, saturday - 24 : saturday - 2], atol=1e-5
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"drift": 1, "drift_size": (0.3, 0.3)},
        {"trend": 0.6},
        {"event": 1},
        {"hidden": 1, "hidden_size": (0.5, 0.5)},
        {"other_drift": 1, "drift_size": (0.3, 0.3)},
    ],
)
def test_what_is_shared_makes_biometrics_and_symptoms_alike(
    changed: dict[str, float],
) -> None:
    family = replace(STILL, **changed)
    series, _ = moved(family)
    noise = np.random.default_rng(2).standard_normal(series.shape)
    assert alike(series + 0.3 * noise, 0, 4) > 2 * alike(noise, 0, 4)


def test_a_drift_is_slow_and_of_its_size() -> None:
    series, _ = moved(replace(STILL, drift=1, drift_size=(0.35, 0.35)), days=90)
    assert (series**2).mean() == pytest.approx(0.35**2, rel=0.1)
    np.testing.assert_allclose(np.abs(series[:, 0]), np.abs(series[:, 4]), atol=1e-5)
    assert (np.diff(series, axis=2) ** 2).mean() < 0.01 * 0.35**2


def test_a_hidden_cause_reaches_some_series_hours_later() -> None:
    family = replace(STILL, hidden=1, hidden_size=(1, 1), hidden_tau=(10, 10))
    series, _ = moved(family)
    loud = series[(series[..., :24] != 0).any(2).sum(1) >= 2]
    assert (series[..., :24] == 0).all(2).mean() == pytest.approx(0.3, abs=0.05)
    both = [row[row.any(1)][:2] for row in loud]
    lags = [
        max(range(-24, 25), key=lambda k: abs((np.roll(a, k) * b)[48:-48].mean()))
        for a, b in both
    ]
    assert np.mean(np.array(lags) == 0) > 0.4
    assert max(np.abs(lags)) > 12


def test_an_event_is_a_step_in_the_middle_of_the_reports() -> None:
    series, _ = moved(replace(STILL, event=1), days=40)
    quarter = LEAD + MAX_LAG + 24 * 10
    assert (series[..., : quarter - 1] == 0).all()
    assert series[..., -1].std() == pytest.approx(0.6, abs=0.05)
