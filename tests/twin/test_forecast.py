"""One forecast per window: who answers, and what leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.twin import features, forecast
from backend.twin.calibration import EVERYONE, UNFITTED, Constants
from backend.twin.climatology import ew_quantiles
from backend.twin.errors import ModelUnavailable
from backend.twin.features import CONTEXT, ForecastWindow
from backend.twin.forecast import forecast_all
from backend.twin.irregular import irregular_quantiles
from backend.twin.scales import scale, scales
from backend.twin.trajectory import HORIZON, LEVELS, Grade
from tests.twin.asking import (
    ADAPTING,
    BOTH,
    DAYS,
    DIARY,
    SHAPE,
    SMOOTH,
    SPREAD,
    WEIGHTS,
    Models,
    ask,
)
from tests.twin.made import LAST, USES, series, window


def test_the_ensembles_days_and_fortnight_are_the_blends() -> None:
    made = window(SMOOTH)
    days = np.tile(SPREAD, (HORIZON, 1))
    answer = np.concatenate([days, [0.5 * SPREAD]])[None]
    dead = {"symptom_transformer": ModelUnavailable("x"), "symptom_xgboost": answer}
    (found,), _ = ask(made, answers=dead)
    assert np.allclose(found.quantiles, made.mean + made.sd * days)
    assert np.allclose(found.fortnight, made.mean + made.sd * 0.5 * SPREAD)
    assert found.method == "ensemble"
    assert [(use.model, use.weight) for use in found.models] == [("symptom_xgboost", 1)]
    assert found.grade is Grade.HIGH
    assert "symptom_transformer gave no usable answer" in found.reasons


@pytest.mark.parametrize(("fitted", "said"), [(UNFITTED, True), (ADAPTING, False)])
def test_intervals_that_nobody_calibrated_are_called_so(
    fitted: Constants, *, said: bool
) -> None:
    (modelled, plain), _ = ask(window(DIARY), window([4]), fitted=fitted)
    note = "intervals not calibrated for these models alone or together"
    assert (note in modelled.reasons) is said
    assert note not in plain.reasons  # no model, nothing to calibrate


@pytest.mark.parametrize(
    ("weights", "versions"),
    [
        (WEIGHTS, {"symptom_transformer": 1, "symptom_xgboost": 2}),
        ({"symptom_transformer": 0.0, "symptom_xgboost": 1.0}, {"symptom_xgboost": 2}),
    ],
)
def test_calibration_is_that_of_the_versions_asked_and_of_the_fold(
    monkeypatch: pytest.MonkeyPatch,
    weights: Mapping[str, float],
    versions: Mapping[str, int],
) -> None:
    wanted = []
    monkeypatch.setattr(
        forecast, "constants", lambda *given: wanted.append(given) or ADAPTING
    )
    models = Models(dict.fromkeys(WEIGHTS, 0.0))
    for more in ({}, {"fold": "2"}):
        forecast_all(
            [window(SMOOTH)],
            ask_all=models,
            weights=weights,
            uses=USES,
            as_of=LAST,
            **more,  # type: ignore[arg-type]
        )
    assert wanted == [(versions, EVERYONE), (versions, "2")]
    assert models.sizes == [5, 5]  # the earlier windows in the same request


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
        (window([9, 12] * 5, of="phq9", every=7), BOTH, WEIGHTS, "irregular"),
        (window([12, 9], of="phq9", every=14), BOTH, WEIGHTS, "irregular"),
        (window([12], of="phq9"), BOTH, WEIGHTS, "prior"),
        (window([4]), BOTH, WEIGHTS, "prior"),
        (window([4] * 2), BOTH, WEIGHTS, "irregular"),
        (window([4] * 6), BOTH, WEIGHTS, "irregular"),
        (window([4] * 7), BOTH, WEIGHTS, "ensemble"),
    ],
    ids=[
        "none",
        "unweighted",
        "weight 0",
        "ten scores",
        "two scores",
        "one score",
        "one day",
        "two days",
        "six days",
        "seven days",
    ],
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


@pytest.mark.parametrize(
    ("of", "scores", "every"),
    [("mood-0-10", [4, 5], 3), ("mood-0-10", [6], 1), ("phq9", [9, 12, 15], 14)],
)
def test_few_entries_are_forecast_from_their_own_days(
    of: str, scores: list[float], every: int
) -> None:
    (found,), _ = ask(window(scores, of=of, every=every))
    ages = every * np.arange(len(scores))[::-1]
    expected = irregular_quantiles(np.array(scores, float), ages, scale(of))
    assert np.allclose(found.quantiles, expected.days)
    assert np.allclose(found.fortnight, expected.fortnight)
    assert found.grade is Grade.LOW


def test_each_series_keeps_its_place_among_others() -> None:
    made = [window([9, 12] * 5, of="phq9", every=7), window(DIARY), window([4])]
    found, models = ask(*made)
    assert [one.scale.key for one in found] == ["phq9", "mood-0-10", "mood-0-10"]
    assert [one.method for one in found] == ["irregular", "ensemble", "prior"]
    assert len(models.asked[0]["symptom_xgboost"]["anchor"]) == 1


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
    asked = made.cadence == "questionnaire" and entries >= 6
    assert (found.grade is Grade.LOW) == (not modelled and not asked)


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
    assert quantiles.shape == DAYS
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert quantiles.min() >= 0
    assert quantiles.max() <= 10
    fortnight = np.array(found.fortnight)
    assert fortnight.shape == (len(LEVELS),)
    assert (np.diff(fortnight) >= 0).all()
    assert 0 <= fortnight[0] <= fortnight[-1] <= 10


def test_entries_after_the_window_are_no_source() -> None:
    later = series([5] * 10, of=scale("mood-0-10"), last=LAST + timedelta(days=3))
    (found,), _ = ask(features.forecast_window(later, LAST))
    assert found.entries == len(found.sources) == 7
    assert found.last_entry == LAST
