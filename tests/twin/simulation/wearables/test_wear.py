"""What is missing: bursts, charging, nights, single channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.clock import Clock, draw_clock
from backend.twin.simulation.wearables.family import PLAIN, WIDE, Family
from backend.twin.simulation.wearables.wear import measured, sensor_noise, worn

PEOPLE = 800
ALWAYS = replace(PLAIN, bursts=0)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return draw_clock(np.random.default_rng(1), PLAIN, people=PEOPLE, days=30)


def off(family: Family, clock: Clock) -> np.ndarray:
    return ~worn(np.random.default_rng(2), family, clock)


def test_a_wearable_that_is_always_worn_misses_nothing(clock: Clock) -> None:
    assert not off(ALWAYS, clock).any()


def test_bursts_take_their_share_and_up_to_half(clock: Clock) -> None:
    share = off(replace(ALWAYS, bursts=0.5), clock).mean(1)
    assert share.mean() == pytest.approx(0.5 / 3, abs=0.015)
    assert 0.4 < share.max() < 0.7
    assert np.quantile(share, 0.2) < 0.03
    # as often in the first and last hours as anywhere
    edge = off(replace(ALWAYS, bursts=0.5), clock)[:, [0, 1, -2, -1]].mean()
    assert edge == pytest.approx(0.5 / 3, abs=0.03)


def test_bursts_last_for_hours(clock: Clock) -> None:
    gone = off(replace(ALWAYS, bursts=0.5), clock)
    begins = (gone[:, 1:] & ~gone[:, :-1]).sum()
    assert 3 < gone.sum() / begins < 10


def test_charging_comes_at_one_time_of_day(clock: Clock) -> None:
    gone = off(replace(ALWAYS, charging=1), clock)
    by_hour = gone.reshape(PEOPLE, -1, 24).any(1).sum(1)
    assert set(by_hour) <= {1, 2}
    assert gone.mean() == pytest.approx(1.5 * 0.6 / 24, abs=0.003)
    assert not off(replace(ALWAYS, charging=0), clock).any()


def test_some_take_it_off_for_most_nights(clock: Clock) -> None:
    gone = off(replace(ALWAYS, nights_off=1), clock)
    hour = np.arange(clock.hours) % 24
    night = (hour >= 23) | (hour < 7)
    assert not gone[:, ~night].any()
    assert gone[:, night].mean() == pytest.approx(0.75, abs=0.02)
    whole = gone[:, 23:31]  # one night
    assert (whole.all(1) | ~whole.any(1)).all()


def test_channels_lose_hours_of_their_own_more_when_high(clock: Clock) -> None:
    shown = np.random.default_rng(3).standard_normal((PEOPLE, 3, clock.hours))
    on = np.ones((PEOPLE, clock.hours), bool)
    on[:, :50] = False
    rng = np.random.default_rng(4)
    there = measured(rng, replace(WIDE, channel_gaps=1, night_only=0), shown, on)
    assert not there[..., :50].any()
    lost = ~there[..., 50:]
    assert lost.mean() == pytest.approx(0.21, abs=0.02)
    high = shown[..., 50:] > 1
    assert lost[high].mean() > 1.1 * lost[~high].mean()
    everything = measured(rng, ALWAYS, shown, on)
    assert everything[..., 50:].all()


def test_some_channels_measure_at_night_only(clock: Clock) -> None:
    shown = np.zeros((PEOPLE, 3, clock.hours))
    on = np.ones((PEOPLE, clock.hours), bool)
    family = replace(ALWAYS, night_only=0.5)
    there = measured(np.random.default_rng(4), family, shown, on)
    by_day = there[..., 12::24].any(-1)
    assert by_day.mean() == pytest.approx(0.5, abs=0.04)
    assert there[..., 3::24].all()


def test_sensors_are_noisy_and_some_have_spikes() -> None:
    rng, shape = np.random.default_rng(5), (300, 2, 1000)
    even = sensor_noise(rng, replace(WIDE, spikes=0), shape)
    assert even.std(-1).min() == pytest.approx(0.1, abs=0.02)
    assert even.std(-1).max() == pytest.approx(0.6, abs=0.05)
    assert np.abs(even).max() < 0.6 * 6
    spiky = sensor_noise(rng, replace(WIDE, spikes=1, sensor_noise=(0.2, 0.2)), shape)
    assert (np.abs(spiky) > 1).mean() == pytest.approx(0.015 * 0.62, abs=0.002)
