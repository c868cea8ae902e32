"""Names, units and shapes of simulated measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.measures import measures
from backend.twin.simulation.wearables.family import WIDE
from backend.twin.simulation.wearables.kinds import (
    DAILY,
    HOURLY,
    KINDS,
    Kind,
    draw_kinds,
    in_units,
)

REAL = [kind for kind in KINDS if kind.real]


def written(number: int, named: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    shown = 1.5 * rng.standard_normal((200, 1, 300), dtype=np.float32)
    family = replace(WIDE, named_units=named)
    return in_units(rng, family, shown, np.full((200, 1), number))


def test_kinds_are_the_measures_and_some_invented() -> None:
    assert {kind.name for kind in REAL} == set(measures())
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len(HOURLY) >= 12
    assert len(DAILY) >= 12


@pytest.mark.parametrize("kind", REAL, ids=lambda kind: kind.name)
def test_windows_are_the_measures_own(kind: Kind) -> None:
    window = measures()[kind.name].window
    assert kind.unit == measures()[kind.name].unit
    assert kind.night == (window == "night")
    assert (kind in DAILY) == (window in {"day", "night"})


@pytest.mark.parametrize("kind", REAL, ids=lambda kind: kind.name)
def test_values_are_plausible_and_on_their_steps(kind: Kind) -> None:
    values = written(KINDS.index(kind), 1.0)
    low, high = kind.limits
    assert (values.min() >= low) and (values.max() <= high)
    off = values / kind.step - np.rint(values / kind.step)
    assert np.abs(off).max() < 0.01
    assert (np.median(values) > low) and (np.median(values) < high)
    at_end = (values == low) | (values == high)
    assert at_end.mean() < 0.35


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_more_of_the_signal_is_never_less_in_units(number: int) -> None:
    shown = np.linspace(-3, 3, 50, dtype=np.float32)[None, None]
    made = in_units(np.random.default_rng(1), WIDE, shown.copy(), np.array([[number]]))
    assert (np.diff(made[0, 0]) >= 0).all()
    assert made[0, 0, -1] > made[0, 0, 0]


@pytest.mark.parametrize(
    ("number", "named"), [(0, 0.0), (KINDS.index(HOURLY[-1]), 1.0)]
)
def test_other_units_are_any_affine_scale(number: int, named: float) -> None:
    values = written(number, named)[:, 0]
    spread = np.log10(values.std(1) / 1.5)
    assert spread.min() < -1.5
    assert spread.max() > 2.5
    assert 0.3 < (values.mean(1) > 0).mean() < 0.7
    assert HOURLY[-1].unit == "1"
    assert HOURLY[-1].limits == (-np.inf, np.inf)


def test_a_patient_has_each_kind_once() -> None:
    daily = np.random.default_rng(1).random((300, 12)) < 0.5
    drawn = draw_kinds(np.random.default_rng(2), daily)
    assert all(len(set(row)) == 12 for row in drawn)
    np.testing.assert_array_equal(drawn >= len(HOURLY), daily)
    assert set(drawn.ravel()) == set(range(len(KINDS)))
