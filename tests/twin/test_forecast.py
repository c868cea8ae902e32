from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.twin import features, forecast
from backend.twin.climatology import ew_quantiles, prior_quantiles
from backend.twin.errors import ModelUnavailable
from backend.twin.features import CONTEXT, ForecastWindow
from backend.twin.forecast import blend
from backend.twin.scales import scale, scales
from backend.twin.trajectory import HORIZON, LEVELS, Grade
from tests.twin.asking import BOTH, DIARY, SHAPE, WEIGHTS, ask
from tests.twin.made import LAST, series, window


def test_two_models_are_blended_by_their_weights() -> None:
    made = window(DIARY)
    (found,), models = ask(made)
    expected = made.mean + made.sd * (0.3 + np.linspace(-1, 1, len(LEVELS)))
    assert np.allclose(found.quantiles, np.clip(expected, 0, 10))
    assert found.method == "ensemble"
    assert [(use.model, use.weight) for use in found.models] == [
        ("symptom_transformer", 0.7),
        ("symptom_xgboost", 0.3),
    ]
    assert found.grade is Grade.HIGH
    assert len(models.asked) == 1  # both models in one call, so they may run together


def test_days_follow_the_last_entry_and_sources_are_those_used() -> None:
    (found,), _ = ask(window([*DIARY, 4]))
    assert found.days[0] == LAST + timedelta(days=1)
    assert found.days[-1] == LAST + timedelta(days=HORIZON)
    assert (found.entries, found.last_entry) == (41, LAST)
    assert len(found.sources) == 41


def test_sources_older_than_the_window_are_not_named() -> None:
    (found,), _ = ask(window([5, 4] * CONTEXT))
    assert found.entries == len(found.sources) == CONTEXT
    assert f"Observation/{2 * CONTEXT - 1}" in found.sources
    assert "Observation/0" not in found.sources


@pytest.mark.parametrize(
    "bad",
    [
        ModelUnavailable("dead"),
        np.zeros((1, HORIZON, 5)),
        np.zeros((2, *SHAPE)),
        np.full((1, *SHAPE), np.nan),
        np.full((1, *SHAPE), np.inf),
    ],
    ids=["error", "levels", "rows", "nan", "infinite"],
)
def test_a_bad_member_is_left_out_and_named(bad: object) -> None:
    made = window(DIARY)
    (found,), _ = ask(made, answers={"symptom_transformer": bad, "symptom_xgboost": 1})
    (alone,), _ = ask(made, members=frozenset({"symptom_xgboost"}))
    assert found.quantiles == alone.quantiles
    assert [(use.model, use.weight) for use in found.models] == [("symptom_xgboost", 1)]
    assert "symptom_transformer gave no usable answer" in found.reasons


def test_a_bad_row_spoils_no_other_series() -> None:
    answer = np.zeros((2, *SHAPE))
    answer[0, 3, 3] = np.nan
    answers = {"symptom_transformer": answer, "symptom_xgboost": ModelUnavailable("x")}
    (first, second), _ = ask(window(DIARY), window(DIARY), answers=answers)
    assert (first.method, second.method) == ("climatology", "ensemble")


def test_climatology_answers_where_no_model_does() -> None:
    dead = {name: ModelUnavailable("dead") for name in WEIGHTS}
    made = window(DIARY)
    (found,), _ = ask(made, answers=dead)
    expected = ew_quantiles(made.values, np.arange(CONTEXT, 0, -1))
    assert np.array_equal(found.quantiles, np.tile(expected, (HORIZON, 1)))
    assert (found.method, found.models) == ("climatology", ())
    assert sum("no usable answer" in reason for reason in found.reasons) == 2
    assert found.grade is Grade.MEDIUM


@pytest.mark.parametrize(
    ("made", "members", "weights", "method"),
    [
        (window(DIARY), frozenset(), WEIGHTS, "climatology"),
        (window(DIARY), BOTH, {}, "climatology"),
        (window(DIARY), BOTH, dict.fromkeys(WEIGHTS, 0.0), "climatology"),
        (window([9, 12] * 5, of="phq9", every=7), BOTH, WEIGHTS, "shrinkage"),
        (window([4] * 6), BOTH, WEIGHTS, "prior"),
        (window([12, 9], of="phq9", every=14), BOTH, WEIGHTS, "prior"),
        (window([4] * 7), BOTH, WEIGHTS, "ensemble"),
    ],
    ids=["none", "unweighted", "weight 0", "questionnaire", "six", "sparse", "seven"],
)
def test_which_method_answers(
    made: ForecastWindow,
    members: frozenset[str],
    weights: Mapping[str, float],
    method: str,
) -> None:
    (found,), models = ask(made, members=members, weights=weights)
    assert found.method == method
    assert bool(models.asked) == (method == "ensemble")


def test_a_questionnaires_interval_is_wider_than_its_few_scores() -> None:
    scores = [9, 12] * 5
    (found,), _ = ask(window(scores, of="phq9", every=7))
    assert found.quantiles[0][1] < min(scores)
    assert found.quantiles[0][9] > max(scores)


def test_few_entries_are_moved_towards_a_population_and_are_low() -> None:
    made = window([4, 5])
    (found,), _ = ask(made)
    expected = prior_quantiles(made.values, scale("mood-0-10"))
    assert np.array_equal(found.quantiles[0], expected)
    assert found.grade is Grade.LOW


def test_each_series_keeps_its_place_among_others() -> None:
    made = [window([9, 12] * 5, of="phq9", every=7), window(DIARY), window([4])]
    found, models = ask(*made)
    assert [one.scale.key for one in found] == ["phq9", "mood-0-10", "mood-0-10"]
    assert [one.method for one in found] == ["shrinkage", "ensemble", "prior"]
    assert len(models.asked[0]["symptom_xgboost"]["anchor"]) == 1


def test_many_series_are_asked_in_batches_that_every_model_takes() -> None:
    made = [window([i % 10, 5, 4, 3, 6, 7, 2, 8]) for i in range(forecast.BATCH + 1)]
    found, models = ask(*made)
    sizes = [len(inputs["symptom_transformer"]["anchor"]) for inputs in models.asked]
    assert sizes == [forecast.BATCH, 1]
    assert {one.method for one in found} == {"ensemble"}


def test_nothing_asked_nothing_answered() -> None:
    assert ask()[0] == ()


@pytest.mark.parametrize(
    ("of", "days", "historical"),
    [
        ("mood-0-10", 28, False),
        ("mood-0-10", 29, True),
        ("phq9", 120, False),
        ("phq9", 121, True),
    ],
)
def test_an_old_last_entry_makes_history(of: str, days: int, historical: bool) -> None:
    (found,), _ = ask(window([4] * 20, of=of), later_days=days)
    assert found.historical is historical
    assert found.days[0] == LAST + timedelta(days=1)  # still after the last entry


def test_a_constant_diary_stays_inside_its_scale() -> None:
    answers = {"symptom_transformer": 40.0, "symptom_xgboost": -40.0}
    (found,), _ = ask(window([10] * 30), answers=answers)
    assert np.max(found.quantiles) <= 10
    assert np.min(found.quantiles) >= 0


@pytest.mark.parametrize("entries", [1, 6, 7, 40])
@pytest.mark.parametrize("key", sorted(scales()))
def test_every_scale_of_the_table_is_forecast(key: str, entries: int) -> None:
    made = scale(key)
    values = np.linspace(made.low, made.high, entries)
    (found,), _ = ask(window(list(values), of=key))
    assert (np.diff(found.quantiles, axis=1) >= 0).all()
    assert made.low <= np.min(found.quantiles) <= np.max(found.quantiles) <= made.high
    modelled = made.cadence == "daily" and entries >= 14
    assert (found.grade is Grade.LOW) == (not modelled)


z_units = st.floats(-30, 30, width=32)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=40),
    arrays(np.float32, (1, *SHAPE), elements=z_units),
    arrays(np.float32, (1, *SHAPE), elements=z_units),
)
def test_quantiles_are_finite_ordered_and_inside_the_scale(
    values: list[float], first: np.ndarray, second: np.ndarray
) -> None:
    answers = {"symptom_transformer": first, "symptom_xgboost": second}
    (found,), _ = ask(window(values), answers=answers)
    quantiles = np.array(found.quantiles)
    assert quantiles.shape == SHAPE
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert quantiles.min() >= 0
    assert quantiles.max() <= 10
    fortnight = np.array(found.fortnight)
    assert fortnight.shape == (len(LEVELS),)
    assert (np.diff(fortnight) >= 0).all()
    assert 0 <= fortnight[0] <= fortnight[-1] <= 10


@settings(deadline=None)
@given(
    arrays(np.float64, SHAPE, elements=st.floats(-5, 5)),
    arrays(np.float64, SHAPE, elements=st.floats(-5, 5)),
    st.floats(0.01, 1),
)
def test_the_blend_lies_between_its_members_and_never_crosses(
    first: np.ndarray, second: np.ndarray, weight: float
) -> None:
    found = blend({"a": first, "b": second}, {"a": weight, "b": 0.5, "c": 9.0})
    members = np.sort([first, second], axis=-1)
    assert (found >= members.min(0) - 1e-9).all()
    assert (found <= members.max(0) + 1e-9).all()
    assert (np.diff(found, axis=-1) >= -1e-9).all()


@settings(deadline=None)
@given(arrays(np.float64, SHAPE, elements=st.floats(-5, 5)), st.floats(0.01, 1))
def test_a_blend_of_one_is_that_one(only: np.ndarray, weight: float) -> None:
    assert np.allclose(blend({"a": only}, {"a": weight}), np.sort(only, axis=-1))


def test_entries_after_the_window_are_no_source() -> None:
    later = series([5] * 10, of=scale("mood-0-10"), last=LAST + timedelta(days=3))
    (found,), _ = ask(features.forecast_window(later, LAST))
    assert found.entries == len(found.sources) == 7
    assert found.last_entry == LAST
