"""Calibrated intervals, for everyone and for one person."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.calibration import (
    EVERYONE,
    ORIGINS,
    UNFITTED,
    Backtest,
    Constants,
    backtest,
    calibrated,
    constants,
    earlier_windows,
    own_factor,
    widening,
)
from backend.twin.features import HISTORY_FEATURES, MIN_ENTRIES, forecast_window
from backend.twin.record import Entry, Series
from backend.twin.scales import scale
from backend.twin.trajectory import HORIZON, LEVELS, MEDIAN
from tests.twin import made

PLAIN = Constants(
    middle=0.5,
    ends=2.0,
    fortnight_middle=0.25,
    fortnight_ends=1.0,
    gain=1.0,
    outcomes=60.0,
)
ROW = np.linspace(4.0, 6.0, len(LEVELS))


def day(row: np.ndarray = ROW, *, widen: float = 1.0) -> np.ndarray:
    rows = np.tile(row, (HORIZON, 1))
    found = calibrated(rows, low=0.0, high=10.0, fitted=PLAIN, widening=widen)
    assert np.ptp(found, axis=0).max() == 0.0
    return found[0]


def test_spreads_are_multiplied_around_the_median() -> None:
    found = day()
    assert found[MEDIAN] == ROW[MEDIAN]
    assert found[1:-1] == pytest.approx(5 + 0.5 * (ROW[1:-1] - 5))
    assert found[[0, -1]] == pytest.approx([3.0, 7.0])


def test_one_person_is_wider_on_every_level() -> None:
    assert day(widen=1.5) - 5 == pytest.approx(1.5 * (day() - 5))


def test_the_fortnight_has_factors_of_its_own_and_no_widening() -> None:
    rows = np.tile(ROW, (HORIZON + 1, 1))
    found = calibrated(rows, low=0.0, high=10.0, fitted=PLAIN, widening=1.5)[HORIZON]
    assert found[1:-1] == pytest.approx(5 + 0.25 * (ROW[1:-1] - 5))
    assert found[[0, -1]] == pytest.approx([4.0, 6.0])


@pytest.mark.parametrize(("at", "end"), [(-1.0, 0.0), (0.0, 0.0)])
def test_what_lies_on_the_lower_end_stays_there(at: float, end: float) -> None:
    row = np.concatenate([np.full(3, at), np.linspace(1.0, 5.0, 8)])
    assert day(row)[:3].tolist() == [end] * 3


def test_what_lies_on_the_upper_end_stays_there() -> None:
    row = np.concatenate([np.linspace(5.0, 8.0, 8), np.full(3, 10.0)])
    assert day(row)[-3:].tolist() == [10.0] * 3


def test_outer_levels_give_way_to_inner_ones() -> None:
    narrow = replace(PLAIN, middle=1.0, ends=0.5)
    found = calibrated(np.tile(ROW, (HORIZON, 1)), low=0, high=10, fitted=narrow)[0]
    assert found[1:-1] == pytest.approx(ROW[1:-1])
    assert found[[0, -1]] == pytest.approx(ROW[[1, -2]])


def test_inner_levels_of_days_are_put_on_the_persons_answers() -> None:
    """Calibrated first; neither the intervals' ends nor the fortnight take steps."""
    rows = np.tile(np.linspace(2.0, 8.0, len(LEVELS)), (HORIZON + 1, 1))
    plain = calibrated(rows, low=0.0, high=10.0, fitted=PLAIN)
    found = calibrated(rows, low=0.0, high=10.0, fitted=PLAIN, step=2.0)
    assert found[0, 2:9] == pytest.approx(2 * np.round(plain[0, 2:9] / 2))
    assert set(found[0, 2:9]) <= {2.0, 4.0, 6.0}
    assert found[0, [0, -1]] == pytest.approx(plain[0, [0, -1]])
    assert found[HORIZON] == pytest.approx(plain[HORIZON])


def test_inner_levels_go_to_an_answer_no_further_than_the_interval_reaches() -> None:
    row = np.linspace(4.6, 5.8, len(LEVELS))
    rows = np.tile(row, (HORIZON, 1))
    found = calibrated(rows, low=0.0, high=10.0, fitted=UNFITTED, step=1.0)[0]
    assert found[[0, 1, 9, 10]] == pytest.approx(row[[0, 1, 9, 10]])
    assert found[2:9] == pytest.approx([5.0] * 6 + [row[9]])


@given(
    row=st.lists(
        st.floats(-50, 50, allow_nan=False),
        min_size=len(LEVELS),
        max_size=len(LEVELS),
    ),
    middle=st.floats(0.5, 1.5),
    ends=st.floats(0.5, 1.5),
    widen=st.floats(0.3, 3),
    step=st.sampled_from([0.0, 0.1, 2.5, 10.0]),
)
def test_never_crossing_and_never_off_the_scale(
    row: list[float], *, middle: float, ends: float, widen: float, step: float
) -> None:
    fitted = replace(PLAIN, middle=middle, ends=ends)
    rows = np.tile(row, (HORIZON, 1))
    found = calibrated(
        rows, low=-3.0, high=7.0, fitted=fitted, widening=widen, step=step
    )
    assert (np.diff(found) >= 0).all()
    assert found.min() >= -3
    assert found.max() <= 7


def test_many_windows_at_once_are_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    many = rng.normal(5, 3, (3, HORIZON, len(LEVELS)))
    low, high = np.array([0.0, 1.0, -4.0]), np.array([8.0, 9.0, 10.0])
    wide = np.array([1.0, 1.2, 0.8])
    together = calibrated(
        many,
        low=low[:, None, None],
        high=high[:, None, None],
        fitted=PLAIN,
        widening=wide[:, None, None],
    )
    for at in range(3):
        alone = calibrated(
            many[at], low=low[at], high=high[at], fitted=PLAIN, widening=wide[at]
        )
        assert together[at] == pytest.approx(alone)


TABLE = files("backend.twin.tables").joinpath("calibration.toml")
FITTED_FOR: dict[str, int] = tomllib.loads(TABLE.read_text("utf-8"))["versions"]


@pytest.mark.parametrize("fold", ["0", "1", "2", "3", EVERYONE])
def test_the_table_holds_every_fold(fold: str) -> None:
    found = constants(FITTED_FOR, fold)
    factors = (found.middle, found.ends, found.fortnight_middle, found.fortnight_ends)
    assert all(0.5 <= factor <= 1.5 for factor in factors)
    assert found.gain >= 0
    assert found.outcomes > 0


def test_everyones_constants_serve_and_only_all_the_models_they_were_fitted_for() -> (
    None
):
    assert constants(FITTED_FOR) == constants(FITTED_FOR, EVERYONE)
    for model, version in FITTED_FOR.items():
        assert constants({model: version}) is UNFITTED


def test_an_unknown_fold_is_an_error() -> None:
    with pytest.raises(KeyError):
        constants(FITTED_FOR, "9")


@pytest.mark.parametrize(
    "versions",
    [
        {},
        {"oracle": 1},
        {**FITTED_FOR, "oracle": 1},
        {**FITTED_FOR, next(iter(FITTED_FOR)): 1_000},
    ],
    ids=["none", "another", "one more", "another version"],
)
def test_versions_that_nobody_calibrated_are_unfitted(versions: dict[str, int]) -> None:
    assert constants(versions) is UNFITTED


def test_unfitted_constants_move_nothing() -> None:
    rows = np.tile(ROW, (HORIZON + 1, 1))
    assert calibrated(rows, low=0.0, high=10.0, fitted=UNFITTED) == pytest.approx(rows)
    assert own_factor(0, 60, UNFITTED) == 1.0


@pytest.mark.parametrize(
    ("inside", "seen", "factor"),
    [
        (0, 0, 1.0),
        (48, 60, 1.0),  # four fifths, as promised
        (0, 60, np.exp(0.4)),
        (60, 60, np.exp(-0.1)),
        (8, 10, 1.0),
        (0, 10, np.exp(8 / 70)),  # few outcomes move it little
    ],
)
def test_misses_widen_and_surplus_narrows(
    inside: int, seen: int, factor: float
) -> None:
    assert own_factor(inside, seen, PLAIN) == pytest.approx(factor)


def test_widening_counts_reported_days_ends_included() -> None:
    quantiles = np.tile(ROW, (1, HORIZON, 1))
    reported = np.full((1, HORIZON), np.nan)
    reported[0, :4] = [ROW[1], ROW[-2], 0.0, 10.0]
    expected = np.exp((0.8 * 4 - 2) / 64)
    assert widening(Backtest(quantiles, reported), PLAIN) == pytest.approx(expected)


def test_earlier_windows_are_weeks_apart_and_have_enough_entries() -> None:
    now = made.window([1, 2, 3, 4, 5, 6, 7] * 4)
    found = earlier_windows(now)
    assert [(now.last_day - one.last_day).days for one in found] == [7, 14, 21]
    for one in found:
        assert np.isfinite(one.values).sum() >= MIN_ENTRIES


@pytest.mark.parametrize(("entries", "origins"), [(13, 0), (14, 1), (120, ORIGINS)])
def test_there_are_as_many_as_the_history_allows(entries: int, origins: int) -> None:
    window = made.window(([3.0, 5.0] * 60)[:entries])
    assert len(earlier_windows(window)) == origins


def test_earlier_windows_know_the_treatment_until_then() -> None:
    begun = made.begun(made.LAST - timedelta(days=10))
    series = made.series([3.0, 5.0] * 20, of=scale("mood-0-10"))
    now = forecast_window(series, made.LAST, medications=[begun])
    plain = forecast_window(series, made.LAST)
    at = HISTORY_FEATURES.index("treatment")
    assert now.history[:, at].any()
    later, earlier, *_ = earlier_windows(now)
    assert later.history[:, at].any()
    assert not earlier.history[:, at].any()
    assert not earlier_windows(plain)[0].history[:, at].any()


def test_nothing_before_the_window_counts() -> None:
    long = made.series([float(i % 10) for i in range(200)], of=scale("mood-0-10"))
    window = forecast_window(long, made.LAST)
    other = tuple(
        Entry(e.day, 10.0 - e.value, e.source) if i < 74 else e
        for i, e in enumerate(long.entries)
    )
    again = forecast_window(Series(long.scale, other), made.LAST)
    for one, two in zip(earlier_windows(window), earlier_windows(again), strict=True):
        assert one.values == pytest.approx(two.values, nan_ok=True)
        assert one.mean == two.mean


def test_a_backtest_lays_what_came_beside_what_was_forecast() -> None:
    values = [float(i % 10) for i in range(30)]
    window = made.window(values)
    earlier = earlier_windows(window)
    found = backtest(window, earlier, np.zeros((len(earlier), HORIZON, len(LEVELS))))
    assert found.reported[0, :7].tolist() == values[-7:]
    assert np.isnan(found.reported[0, 7:]).all()
    assert found.reported[2].tolist() == values[-21:-7]


def test_a_backtest_starts_after_the_earlier_windows_last_entry() -> None:
    values = [float(i % 10) for i in range(30)]
    series = made.series(values, of=scale("mood-0-10"))
    gap = tuple(e for i, e in enumerate(series.entries) if not 20 <= i <= 22)
    window = forecast_window(Series(series.scale, gap), made.LAST)
    earlier = earlier_windows(window)  # a week ago is entry 22, the last seen is 19
    found = backtest(window, earlier, np.zeros((len(earlier), HORIZON, len(LEVELS))))
    assert np.isnan(found.reported[0, :3]).all()
    assert found.reported[0, 3:10].tolist() == values[-7:]
