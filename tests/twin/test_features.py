"""Windows: what a model sees of a series, and nothing after the day asked about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin import features
from backend.twin.climatology import ew_quantiles
from backend.twin.errors import InsufficientData, ModelRefused
from backend.twin.features import (
    CONTEXT,
    CONTEXT_FEATURES,
    DAY_FEATURES,
    HISTORY_FEATURES,
    HORIZON_FEATURES,
    Z_LIMIT,
    ForecastWindow,
    forecast_window,
    inputs,
    schema_hash,
    window_arrays,
)
from backend.twin.history import MedicationChange
from backend.twin.record import Entry, Series
from backend.twin.scales import local_scale
from backend.twin.trajectory import HORIZON, LEVELS
from tests.twin.made import begun

FIRST = date(2026, 1, 1)
SCALE = local_scale("x", system="urn:x", low=0.0, high=10.0)


def series_of(*scores: float | None) -> Series:
    """One entry a day from FIRST; None leaves the day out."""
    return Series(
        SCALE,
        tuple(
            Entry(FIRST + timedelta(days=day), score, "")
            for day, score in enumerate(scores)
            if score is not None
        ),
    )


def named(window: ForecastWindow, name: str) -> float:
    return float(window.context[CONTEXT_FEATURES.index(name)])


def row_features(window: ForecastWindow, name: str) -> np.ndarray:
    """One feature of each row ahead."""
    return window.features[:, DAY_FEATURES.index(name)]


def test_a_window_ends_with_the_last_entry_not_later_than_asked() -> None:
    window = forecast_window(series_of(1, 2, None, 4, 9), FIRST + timedelta(days=3))
    assert window.last_day == FIRST + timedelta(days=3)
    np.testing.assert_array_equal(window.values[-4:], [1, 2, np.nan, 4])
    assert np.isnan(window.values[:-4]).all()
    assert len(window.values) == CONTEXT


def test_days_before_the_context_are_not_seen() -> None:
    scores = [9.0] * 50 + [1.0, 2.0] * 63
    window = forecast_window(series_of(*scores), date.max)
    assert window.mean == pytest.approx(1.5)


def test_several_entries_of_a_day_are_averaged() -> None:
    entries = (Entry(FIRST, 2.0, "", "08:00"), Entry(FIRST, 5.0, "", "20:00"))
    window = forecast_window(Series(SCALE, entries), FIRST)
    assert window.values[-1] == 3.5


def test_nothing_before_the_day_asked_about_is_insufficient() -> None:
    with pytest.raises(InsufficientData, match="entries of diary:x"):
        forecast_window(series_of(3.0), FIRST - timedelta(days=1))


def test_z_units_are_of_the_observed_days_only() -> None:
    window = forecast_window(series_of(2, None, 4, None, 6), date.max)
    assert window.mean == pytest.approx(4.0)
    assert window.sd == pytest.approx(np.std([2, 4, 6]))
    z = 2 / window.sd
    np.testing.assert_allclose(window.history[-5:, 0], [-z, 0, 0, 0, z], rtol=1e-6)
    np.testing.assert_array_equal(window.history[-5:, 1], [1, 0, 1, 0, 1])


def test_a_constant_history_can_be_divided_by() -> None:
    window = forecast_window(series_of(*[3.0] * 20), date.max)
    assert window.sd == pytest.approx(features.SD_FLOOR * 10)
    np.testing.assert_array_equal(window.anchor, np.zeros(len(LEVELS)))
    assert np.isfinite(window.context).all()


def test_the_anchor_is_the_weighted_climatology_in_z_units() -> None:
    scores = [1, 5, None, 7, 2, 2, 9, None, None, 4]
    window = forecast_window(series_of(*scores), date.max)
    values = window.values[-10:]
    plain = ew_quantiles(values, np.arange(10, 0, -1))
    np.testing.assert_allclose(
        window.mean + window.sd * window.anchor, plain, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_share", 0.4),
        ("floor_share", 1 / 4),
        ("ceiling_share", 0.0),
        ("log_levels", np.log(3)),
        ("log_observed", np.log(4)),
        ("log_span", np.log(5)),
        ("adherence", 4 / 5),
        ("treatment_more", 0.0),
        ("treatment_less", 0.0),
    ],
)
def test_context_features_say_what_they_are_named(name: str, expected: float) -> None:
    window = forecast_window(series_of(0, 8, 4, None, 4), date.max)
    assert named(window, name) == pytest.approx(expected)


def test_slope_and_memory_have_the_sign_of_the_course() -> None:
    rising = forecast_window(series_of(*np.linspace(1, 9, 30)), date.max)
    falling = forecast_window(series_of(*np.linspace(9, 1, 30)), date.max)
    assert named(rising, "slope") > 1 > -1 > named(falling, "slope")
    assert named(rising, "acf1") > 0.5
    zigzag = forecast_window(series_of(*[2.0, 8.0] * 15), date.max)
    assert named(zigzag, "acf1") < -0.5 < 0.5 < named(zigzag, "acf2")


def test_the_weekday_feature_looks_whole_weeks_back() -> None:
    window = forecast_window(series_of(*range(14)), date.max)
    place = DAY_FEATURES.index("same_weekday_z")
    seen = window.mean + window.sd * window.features[:HORIZON, place]
    np.testing.assert_allclose(seen, [*range(7, 14)] * 2, atol=1e-5)


def test_the_weekdays_mean_is_shrunk_by_three_days_of_the_persons_own() -> None:
    window = forecast_window(series_of(*range(14)), date.max)
    found = row_features(window, "weekday_mean_z")[:HORIZON] * window.sd
    means = np.arange(3.5, 10.5) - window.mean  # of two days each
    np.testing.assert_allclose(found, np.tile(2 * means / 5, 2), atol=1e-5)


def test_the_last_row_is_the_fortnights_and_belongs_to_no_day() -> None:
    window = forecast_window(series_of(*range(14)), date.max)
    days = row_features(window, "day")
    np.testing.assert_allclose(days, [*(np.arange(1, 15) / HORIZON), 0.0], rtol=1e-6)
    for name in ("same_weekday_z", "weekday_mean_z"):
        assert np.isnan(row_features(window, name)).tolist() == [False] * 14 + [True]
    for name in ("lag1_z", "lag2_z", "mean_share", "anchor_q0.5"):
        assert np.ptp(row_features(window, name)) == 0.0


def test_a_day_that_is_absent_is_nan_where_a_feature_names_it() -> None:
    window = forecast_window(series_of(1, 2, 3, None, 7), date.max)
    assert np.isnan(row_features(window, "lag1_z")).all()
    expected = np.full(HORIZON + 1, (3 - window.mean) / window.sd)
    np.testing.assert_allclose(row_features(window, "lag2_z"), expected, rtol=1e-6)
    weekday = np.isnan(row_features(window, "same_weekday_z"))
    assert weekday.tolist() == ([True] * 2 + [False] * 3 + [True, False]) * 2 + [True]


def test_the_step_between_answers_is_shown_in_z() -> None:
    window = forecast_window(series_of(2, 4, 8, 4), date.max)
    assert window.step == 2.0
    assert named(window, "step_z") == pytest.approx(2 / window.sd)
    smooth = forecast_window(series_of(2, 4.13, 8, 4), date.max)
    assert (smooth.step, named(smooth, "step_z")) == (0.0, 0.0)


def test_a_start_and_a_stop_stand_on_their_days_and_fade() -> None:
    start = begun(FIRST + timedelta(days=5))
    stop = replace(start, change=MedicationChange.STOP, day=FIRST + timedelta(days=19))
    window = forecast_window(
        series_of(*[3.0, 5.0] * 10), date.max, medications=(start, stop)
    )
    shown = window.history[:, HISTORY_FEATURES.index("treatment")]
    np.testing.assert_array_equal(np.flatnonzero(shown), [CONTEXT - 15, CONTEXT - 1])
    assert shown[[-15, -1]].tolist() == [1.0, -1.0]
    assert named(window, "treatment_more") == pytest.approx(np.exp(-1))
    assert named(window, "treatment_less") == 1.0
    assert window.medications == (start, stop)
    plain = forecast_window(series_of(*[3.0, 5.0] * 10), date.max)
    assert not plain.history[:, HISTORY_FEATURES.index("treatment")].any()


def test_shares_and_z_do_not_depend_on_the_unit() -> None:
    """The same answers on 0..10 and on 50..150 look the same to a model."""
    values = np.full((2, CONTEXT), np.nan)
    values[0, -12:] = [0, 3, 5, 5, 2, 8, 10, 4, 4, 1, 0, 6]
    values[1] = 50 + 10 * values[0]
    arrays = window_arrays(
        values, low=np.array([0.0, 50.0]), high=np.array([10.0, 150.0])
    )
    for array in (arrays.history, arrays.context, arrays.anchor, arrays.features):
        np.testing.assert_allclose(array[0], array[1], atol=1e-5)


scores = st.lists(
    st.none() | st.floats(0, 10, allow_subnormal=False), min_size=1, max_size=200
).filter(lambda values: any(value is not None for value in values))


@given(scores)
def test_whatever_is_seen_the_arrays_are_finite_and_bounded(
    values: list[float | None],
) -> None:
    window = forecast_window(series_of(*values), date.max)
    for array in (window.history, window.context, window.features):
        assert array.dtype == np.float32
        assert (np.abs(array[np.isfinite(array)]) <= Z_LIMIT).all()
    assert np.isfinite(window.history).all()
    assert np.isfinite(window.context).all()
    named_days = len(DAY_FEATURES) - len(HORIZON_FEATURES) + 1
    assert np.isfinite(window.features[:, :named_days]).all()
    assert (np.diff(window.anchor) >= 0).all()


def test_one_window_is_the_same_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 11, (5, CONTEXT)).astype(float)
    values[rng.random(values.shape) < 0.3] = np.nan
    ends = {"low": np.zeros(5), "high": np.full(5, 10.0)}
    among = window_arrays(values, **ends)
    alone = window_arrays(values[2:3], low=np.zeros(1), high=np.full(1, 10.0))
    np.testing.assert_allclose(among.features[2], alone.features[0], atol=1e-6)


def test_inputs_stack_windows_for_each_model() -> None:
    windows = [forecast_window(series_of(*[1.0, 4.0] * n), date.max) for n in (4, 9)]
    one = inputs("symptom_transformer", windows)
    two = inputs("symptom_xgboost", windows)
    assert {name: array.shape for name, array in one.items()} == {
        "history": (2, CONTEXT, len(HISTORY_FEATURES)),
        "context": (2, len(CONTEXT_FEATURES)),
        "anchor": (2, len(LEVELS)),
    }
    assert {name: array.shape for name, array in two.items()} == {
        "features": (2, HORIZON + 1, len(DAY_FEATURES)),
        "anchor": (2, len(LEVELS)),
    }
    assert all(array.dtype == np.float32 for array in (*one.values(), *two.values()))


def test_inputs_of_an_unknown_model_are_refused() -> None:
    with pytest.raises(ModelRefused, match="oracle"):
        inputs("oracle", [])


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("TRANSFORMATION", features.TRANSFORMATION + 1),
        ("CONTEXT", 119),
        ("HISTORY_FEATURES", HISTORY_FEATURES[:-1]),
        ("CONTEXT_FEATURES", CONTEXT_FEATURES[::-1]),
        ("DAY_FEATURES", DAY_FEATURES[1:]),
        ("SD_FLOOR", 0.03),
        ("Z_LIMIT", 10.0),
        ("HALF_LIFE_DAYS", 7.0),
    ],
)
def test_the_schema_hash_moves_with_the_meaning(
    monkeypatch: pytest.MonkeyPatch, name: str, changed: object
) -> None:
    before = schema_hash()
    assert before == schema_hash()
    monkeypatch.setattr(features, name, changed)
    assert schema_hash() != before


def test_every_column_has_one_name() -> None:
    window = forecast_window(series_of(1, 2), date.max)
    assert window.history.shape == (CONTEXT, len(HISTORY_FEATURES))
    assert window.context.shape == (len(CONTEXT_FEATURES),)
    assert window.features.shape == (HORIZON + 1, len(DAY_FEATURES))
    assert len(set(DAY_FEATURES)) == len(DAY_FEATURES)
