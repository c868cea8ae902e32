"""Symptoms made from given signals: the links are where they are said to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from export_scripts.evaluate_correlation_bench import Bench, bench
from export_scripts.planted_links import (
    DAY,
    HISTORY,
    HOUR,
    LEAST,
    SYMPTOMS,
    Window,
    core,
    is_hourly,
    plant,
    simulated_like,
    weights,
    windows,
)

BEGIN = np.datetime64("2026-01-05T00:00:00", "s")  # a Monday
DAYS = 90
HOURS = HISTORY + 24 * DAYS


class Patient(NamedTuple):
    biometrics: dict[str, Any]
    symptoms: dict[str, Any]
    polarity: dict[str, str]
    history_from: np.datetime64
    reports_from: np.datetime64
    until: np.datetime64


def window(seed: int = 1) -> Window:
    """An hourly signal with a daily course and gaps, and a value a night."""
    rng = np.random.default_rng(seed)
    at = np.flatnonzero(rng.random(HOURS) < 0.85)
    steps = rng.standard_normal(HOURS) + 3 * np.cos(2 * np.pi * np.arange(HOURS) / 24)
    nights = np.arange(HOURS // 24)
    signals = {
        "steps_hourly": (BEGIN + at * HOUR, steps[at]),
        "sleep_minutes": (BEGIN + nights * DAY, rng.standard_normal(len(nights))),
    }
    return Window("one", signals, BEGIN, HOURS)


MADE = window()


@dataclass(frozen=True)
class Placebo:
    """The benchmark's loader over one made-up person."""

    series: dict[str, Any]

    class _Plan(NamedTuple):
        biometrics: list[str] = []
        required: list[str] = []

    PLANS = {"lifesnaps": _Plan()}

    def load_biometrics(self, path: Path, plan: Any) -> dict[str, Any]:
        fits = path.stem == "lifesnaps"
        return {"p": {k: self.series[k] for k in plan.required}} if fits else {}


def of(series: dict[str, Any]) -> Bench:
    return Bench(None, None, Placebo(series), None, Path("data"))


def lifesnaps(days: int, *, nights: float = 1.0) -> dict[str, Any]:
    """A person's four signals over so many days, and every so-manieth night's sleep."""
    hours, daily = np.arange(24 * days) * HOUR, np.arange(days) * DAY
    kept = daily[np.arange(days) % 10 < 10 * nights]
    times = {
        "steps_hourly": hours,
        "hrv_rmssd_ms": daily,
        "resting_heart_rate_bpm": daily,
        "sleep_minutes": kept,
    }
    return {kind: (BEGIN + at, np.ones(len(at))) for kind, at in times.items()}


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (lifesnaps(33), 1),
        (lifesnaps(32), 0),
        (lifesnaps(63), 2),
        (lifesnaps(63, nights=LEAST + 0.1), 2),
        (lifesnaps(63, nights=LEAST - 0.1), 0),
    ],
)
def test_windows_do_not_overlap_and_are_full_enough(
    made: dict[str, Any], count: int
) -> None:
    found = list(windows(of(made), 30))
    assert len(found) == count
    begins = [int((one.begin - BEGIN) / DAY) for one in found]
    assert begins == [30 * i for i in range(count)]
    assert all(one.hours == HISTORY + 720 for one in found)
    assert {one.person for one in found} <= {"lifesnaps p"}


def test_a_core_has_no_daily_course_and_unit_variance() -> None:
    row = core(np.random.default_rng(0), "steps_hourly", MADE)
    assert row.shape == (HOURS,)
    assert row.mean() == pytest.approx(0, abs=1e-6)
    assert row.std() == pytest.approx(1, abs=1e-6)
    assert np.abs(row.reshape(-1, 24).mean(0)).max() < 0.1


def test_a_night_stands_from_waking_for_a_day() -> None:
    row = core(np.random.default_rng(0), "sleep_minutes", MADE)
    middle = row[8:][: 24 * 20].reshape(-1, 24)[:, :22]  # three hours' mean blurs ends
    assert np.ptp(middle, axis=1).max() < 1e-6
    values = MADE.biometrics["sleep_minutes"][1][:20]
    assert np.corrcoef(middle[:, 0], values)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("per_day", [1, 4])
def test_a_report_follows_its_signal_at_the_planted_lag(per_day: int) -> None:
    made = plant(np.random.default_rng(3), MADE, per_day, Patient, strength=(0.75, 0.8))
    row = core(np.random.default_rng(9), "steps_hourly", MADE)
    checked = 0
    for s, symptom in enumerate(SYMPTOMS):
        times, values = made.patient.symptoms[symptom]
        at = ((times - BEGIN) // HOUR).astype(int)
        weight, lag = made.weight[0, s], made.lag[0, s]
        if weight == 0:
            assert lag == -1
            continue
        r = np.corrcoef(row[at - lag], values)[0, 1]
        assert np.sign(r) == np.sign(weight)
        assert abs(r) > 0.4
        checked += 1
    assert checked


def test_lags_of_daily_values_may_be_whole_days() -> None:
    made = [
        plant(np.random.default_rng(7), MADE, 4, Patient, whole_days=whole)
        for whole in (False, True)
    ]
    (hours, night_hours), (same, days) = (one.lag for one in made)
    assert (hours == same).all()
    linked = days >= 0
    assert (days[linked] % 24 == 0).all()
    assert np.abs(days - night_hours)[linked].max() <= 12
    assert (made[0].weight == made[1].weight).all()


def test_reports_are_in_the_benchmarks_manner() -> None:
    made = plant(np.random.default_rng(4), MADE, 4, Patient).patient
    for times, values in made.symptoms.values():
        assert times.min() >= made.reports_from - HOUR
        assert times.max() < made.until
        assert len(times) == pytest.approx(0.8 * 4 * DAYS, rel=0.1)
        assert set(values) <= set(range(11))
        assert (np.diff(times) > 0 * HOUR).all()
    assert made.history_from == BEGIN
    assert made.reports_from == BEGIN + HISTORY * HOUR
    assert set(made.polarity.values()) == {"high_is_worse"}


def test_weights_leave_a_fifth_of_the_variance() -> None:
    rng = np.random.default_rng(5)
    drawn = np.array([weights(rng, 4, (0.25, 0.6)) for _ in range(400)])
    assert (drawn**2).sum(1).max() < 0.8
    strength = np.abs(drawn[drawn != 0])
    assert (strength.min() > 0.25) and (strength.max() < 0.6)
    assert (drawn != 0).mean() == pytest.approx(0.5, abs=0.06)


def test_a_stand_in_has_the_same_moments_and_other_values(shared: Path) -> None:
    found = bench(shared / "bench" / "correlation")
    like = simulated_like(np.random.default_rng(6), MADE, found.simulator)
    assert list(like.biometrics) == list(MADE.biometrics)
    for kind, (times, values) in like.biometrics.items():
        own_times, own = MADE.biometrics[kind]
        assert (times == own_times).all()
        assert np.isfinite(values).all()
        assert abs(np.corrcoef(values, own)[0, 1]) < 0.5
    assert is_hourly("steps_hourly")
    assert not is_hourly("sleep_minutes")
