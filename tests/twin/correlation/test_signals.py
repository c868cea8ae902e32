"""Biometrics on the grid: hours, days, nights, and those that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.decycling import AHEAD_HOURS
from backend.twin.correlation.signals import signals
from backend.twin.correlation.streams import BiometricStream, CorrelationWindow
from tests.twin.correlation.made import (
    HISTORY,
    HOUR,
    START,
    World,
    clock,
    window,
    with_biometrics,
)

MADE = window(World(days=30))
DAYS = 33


def daily(
    name: str, *, nightly: bool, values: np.ndarray | None = None
) -> BiometricStream:
    own = np.random.default_rng(0).standard_normal(DAYS)
    shown = own if values is None else values
    return BiometricStream(name, clock(24 * DAYS)[::24], shown, nightly=nightly)


def of(*streams: BiometricStream) -> CorrelationWindow:
    return with_biometrics(MADE, *streams)


def test_streams_keep_their_order_whatever_their_cadence() -> None:
    found = signals(of(daily("a", nightly=True), *MADE.biometrics))
    assert [one.step_hours for one in found.each] == [24, 1]
    assert found.lags[0] == -AHEAD_HOURS
    assert found.lags[-1] == MADE.max_lag_hours
    assert found.each[1].coverage == pytest.approx(0.9, abs=0.03)
    assert found.each[0].coverage == pytest.approx(1.0)


def test_no_biometric_is_no_signal() -> None:
    assert signals(of()).each == ()


def test_a_nights_value_stands_from_waking_to_waking() -> None:
    found = signals(of(daily("sleep", nightly=True), daily("steps", nightly=False)))
    night, day = (one.row for one in found.each)
    assert np.ptp(night[24 + 7 : 48 + 7]) == 0
    assert night[24 + 6] != night[24 + 7]
    assert np.ptp(day[24:48]) == 0
    assert day[23] != day[24]


def test_lags_are_hours_for_hours_and_days_for_days() -> None:
    found = signals(of(*MADE.biometrics, daily("sleep", nightly=True)))
    at = np.array([HISTORY + 20, HISTORY + 44])
    made = found.under(at, (0, 1))
    zero = AHEAD_HOURS
    assert made.shape == (2, 2, len(found.lags))
    np.testing.assert_array_equal(
        made[0, 0, zero:], found.each[0].row[at[0] - np.arange(73)]
    )
    assert made[0, 0, zero - 5] == found.each[0].row[at[0] + 5]
    assert np.ptp(made[0, 1, zero - 12 : zero + 12]) == 0
    assert made[0, 1, zero + 12] == found.each[1].row[at[0] - 24]
    raw = found.under(at, (0,), raw=True)
    assert np.isnan(raw).any()


def test_signals_are_in_their_own_standard_deviations_whatever_the_unit() -> None:
    (stream,) = MADE.biometrics
    other = BiometricStream("x", stream.times, 32 + 1.8 * stream.values)
    one, two = signals(of(stream, other)).each
    np.testing.assert_allclose(one.row, two.row, atol=1e-4)
    assert np.std(one.row) == pytest.approx(1.0, abs=0.2)
    assert one.correlation(np.array([0.0]))[0] == pytest.approx(1.0)


def test_daily_values_are_not_smoothed() -> None:
    stream = daily("sleep", nightly=True)
    (one,) = signals(of(stream)).each
    known = np.isfinite(one.raw)
    np.testing.assert_allclose(one.row[known], one.raw[known], atol=0.15)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (BiometricStream("x", clock(50), np.arange(50.0)), "50 hours, at least 72"),
        (BiometricStream("x", clock(0), np.array([])), "0 hours"),
        (BiometricStream("x", clock(500), np.full(500, 60.0)), "does not change"),
        (daily("x", nightly=True, values=np.full(DAYS, 7.0)), "does not change"),
        (
            BiometricStream("x", START + 24 * HOUR * np.arange(5), np.arange(5.0)),
            "5 days, at least 10",
        ),
        (BiometricStream("x", clock(0), np.array([]), nightly=True), "0 nights"),
    ],
)
def test_what_says_nothing_says_why(stream: BiometricStream, reason: str) -> None:
    (one,) = signals(of(stream)).each
    assert reason in one.reason
    assert not one.row.any()
