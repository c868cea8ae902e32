"""A simulated window as a record: `from_record` makes the same window of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from backend.twin.correlation.from_record import from_record
from backend.twin.correlation.streams import CorrelationWindow
from backend.twin.record import PatientRecord
from backend.twin.scales import scale
from backend.twin.simulation.wearable_demo import two_people
from backend.twin.simulation.wearables.as_record import as_record
from backend.twin.simulation.wearables.windows import window_of
from backend.twin.streams import NO_OFFSET

DAYS = 20
START = np.datetime64("2026-02-02")
LAST = date(2026, 2, 21)
SCALES = {"anxiety": scale("anxiety-0-10")}


def window(seed: int = 3) -> CorrelationWindow:
    """What one of the demo's people has in 20 days from START."""
    return window_of(two_people(np.random.default_rng(seed), START, days=DAYS), 0)


def recorded(of: CorrelationWindow, east: int) -> PatientRecord:
    return as_record(of, SCALES, east_minutes=east)


@pytest.mark.parametrize("east", [-480, 0, 60, 345])
def test_the_window_comes_back_on_any_clock(east: int) -> None:
    made = window()
    found = from_record(recorded(made, east), LAST, days=DAYS - 3)
    assert found.left_out == () and found.by_day == frozenset()
    bounds = ("history_from", "reports_from", "until", "max_lag_hours")
    for bound in bounds:
        assert getattr(found.window, bound) == getattr(made, bound), bound
    (was,), (now,) = made.symptoms, found.window.symptoms
    assert (now.name, now.worse_when) == ("anxiety-0-10", "high")
    np.testing.assert_array_equal(now.times, was.times)
    np.testing.assert_array_equal(now.values, was.values)
    pairs = zip(made.biometrics, found.window.biometrics, strict=True)
    for before, after in pairs:
        assert (after.name, after.nightly) == (before.name, before.nightly)
        step = "datetime64[D]" if before.nightly else "datetime64[s]"
        np.testing.assert_array_equal(after.times, before.times.astype(step))
        np.testing.assert_allclose(after.values, before.values, rtol=0, atol=5e-4)


def test_times_state_their_offset_and_nights_their_day_alone() -> None:
    record = recorded(window(), 60)
    (series,), nights = record.series, record.streams[-1]
    for entry in series.entries:
        at = datetime.fromisoformat(entry.at)
        assert at.isoformat().endswith("+01:00") and at.date() == entry.day
    assert set(nights.offset.tolist()) == {NO_OFFSET}
    assert (nights.start == nights.day.astype(int) * 86_400).all()
    pulse, steps = record.streams[0], record.streams[2]
    local = window().biometrics[0].times.astype(int)
    assert (pulse.start == local - 3600).all(), "one hour east of UTC"
    assert set(pulse.offset.tolist()) == {60}
    assert set(pulse.seconds.tolist()) == {0.0}
    assert set(steps.seconds.tolist()) == {3600.0}


def test_the_hour_before_midnight_is_of_the_day_that_ends() -> None:
    steps = recorded(window(), 60).streams[2]
    local = steps.start + 3600
    assert (steps.day == local // 86_400).all()
    assert (local % 86_400 == 23 * 3600).any()


def test_a_signal_that_is_no_measure_and_a_symptom_without_a_scale_are_refused() -> (
    None
):
    made = window()
    invented = replace(made.biometrics[0], name="signal-a")
    with pytest.raises(KeyError, match="signal-a"):
        recorded(replace(made, biometrics=(invented,)), 0)
    with pytest.raises(KeyError, match="anxiety"):
        as_record(made, {}, east_minutes=0)
