"""Cards: honest figures, and a verdict that needs more than luck."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.twin.features import INPUTS, schema_hash
from backend.twin.trajectory import HORIZON
from export_scripts import cards
from export_scripts.cards import (
    HELD_OUT_SEED,
    card,
    crps,
    held_out,
    inside_scale,
)
from export_scripts.datasets import simulated_windows

NAMES = INPUTS["symptom_xgboost"]


def climatology(inputs: dict[str, np.ndarray]) -> np.ndarray:
    return np.repeat(inputs["anchor"][:, None], HORIZON + 1, axis=1)


def made(metrics: dict[str, Any]) -> dict[str, Any]:
    return card(
        model="m",
        version=3,
        names=NAMES,
        parts={"metrics": metrics, "parity": {"tolerance": 1e-4}},
        libraries=("numpy",),
    )


def test_climatology_gains_nothing_over_itself() -> None:
    metrics = held_out(climatology, NAMES, count=300)
    assert metrics["model"] == metrics["climatology"]
    assert metrics["crps_gain_percent"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert made(metrics)["beats_climatology"] == {
        "daily": False,
        "questionnaire": False,
    }


def test_a_biased_model_is_shown_as_worse() -> None:
    metrics = held_out(lambda x: climatology(x) + 1.0, NAMES, count=300)
    assert metrics["crps_gain_percent"]["high"] < 0
    assert metrics["model"]["mae_z"] > metrics["climatology"]["mae_z"]


def test_each_person_weighs_the_same_and_chance_is_told() -> None:
    """The interval is that of the mean of paired differences, by the textbook."""
    metrics = held_out(lambda x: 0.5 * climatology(x), NAMES, count=200)
    windows = simulated_windows(np.random.default_rng(metrics["seed"]), 200)
    anchor = climatology({"anchor": windows.arrays.anchor})
    plain, half = (
        crps(inside_scale(share * anchor, windows), windows) for share in (1.0, 0.5)
    )
    gain = 100 * (plain - half) / plain.mean()
    found = metrics["crps_gain_percent"]
    assert found["mean"] == pytest.approx(gain.mean(), abs=0.01)
    margin = 1.96 * gain.std() / np.sqrt(200)
    assert found["high"] - found["low"] == pytest.approx(2 * margin, abs=0.02)


def test_the_fortnights_mean_has_a_figure_of_its_own() -> None:
    def right_on_average(inputs: dict[str, np.ndarray]) -> np.ndarray:
        answer = climatology(inputs)
        windows = simulated_windows(np.random.default_rng(HELD_OUT_SEED), 100)
        answer[:, HORIZON] = windows.target[:, HORIZON, None]
        return answer

    figures = held_out(right_on_average, NAMES, count=100)
    assert figures["fortnight_mae_z"] == pytest.approx(0.0, abs=1e-3)
    assert figures["model"] == figures["climatology"]  # of the days alone


def test_nobody_with_a_change_of_treatment_has_no_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = held_out(climatology, NAMES, count=1000)["after_treatment_change"]
    assert 0 < figures["people"] < 200
    assert figures["crps_gain_percent"]["mean"] == 0
    monkeypatch.setattr(cards, "CHANGE_DAYS", -10_000)  # no day is recent enough
    none = held_out(climatology, NAMES, count=50)["after_treatment_change"]
    assert (none["people"], none["crps_gain_percent"]) == (0, None)


def test_beating_climatology_needs_the_whole_interval_above_zero() -> None:
    lucky = {"crps_gain_percent": {"mean": 1.0, "low": -0.1, "high": 2.1}}
    sure = {"crps_gain_percent": {"mean": 1.0, "low": 0.1, "high": 1.9}}
    assert not made(lucky)["beats_climatology"]["daily"]
    assert made(sure)["beats_climatology"]["daily"]


def test_figures_are_of_coverage_near_nominal_for_climatology() -> None:
    figures = held_out(climatology, NAMES, count=1000)["climatology"]
    assert 0.75 < figures["coverage_80"] < 0.9
    assert 0.88 < figures["coverage_95"] < 0.97
    assert figures["width_80_z"] < figures["width_95_z"]
    assert figures["mae_z"] < figures["rmse_z"]


def test_answers_are_sorted_and_kept_on_the_scale_before_scoring() -> None:
    windows = simulated_windows(np.random.default_rng(1), 5)
    wild = np.random.default_rng(2).normal(0, 50, (5, HORIZON + 1, 11))
    tame = inside_scale(wild, windows)
    assert (np.diff(tame, axis=-1) >= 0).all()
    share = windows.arrays.mean[:, None, None] + (
        tame * windows.arrays.sd[:, None, None]
    )
    assert share.min() >= -1e-9
    assert share.max() <= 1 + 1e-9


def test_a_card_names_its_inputs_in_order_and_is_plain_json() -> None:
    content = made(held_out(climatology, NAMES, count=50))
    assert json.loads(json.dumps(content)) == content
    assert content["feature_schema_hash"] == schema_hash()
    assert list(content["inputs"]) == list(NAMES)
    assert content["inputs"]["features"]["features"][-1] == "weekday_mean_z"
    assert content["libraries"]["numpy"] == np.__version__
    assert (content["model"], content["version"]) == ("m", 3)


@pytest.mark.parametrize("word", ["Diagnosis", "seven"])
def test_a_card_says_what_it_is_not_for(word: str) -> None:
    assert word in made({"crps_gain_percent": {"low": 0}})["out_of_scope"]
