"""Cards: honest figures, and a verdict that needs more than luck."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference.agreement import check_features
from backend.inference.card import read_card
from backend.twin.features import INPUTS, schema_hash
from backend.twin.trajectory import HORIZON, MEDIAN
from export_scripts import cards
from export_scripts.cards import (
    HELD_OUT_SEED,
    card,
    crps,
    held_out,
    inside_scale,
    versions_of,
)
from export_scripts.datasets import simulated_windows

NAMES = INPUTS["symptom_xgboost"]


def climatology(inputs: dict[str, np.ndarray]) -> np.ndarray:
    return np.repeat(inputs["anchor"][:, None], HORIZON + 1, axis=1)


def made(metrics: dict[str, Any]) -> dict[str, Any]:
    return card(
        model="m",
        names=NAMES,
        parts={
            "metrics": metrics,
            "parity": {"tolerance": 1e-4, "max_abs": 0.0, "rows": 1, "batches": [1]},
            "training": {
                "origin": "simulated",
                "real_people": 0,
                "seed": 1,
                "windows": 9,
                "source": "here",
                "licence": "Apache-2.0",
            },
            "serving": {
                "size_bytes": 1,
                "latency_ms": {"1": {"median": 1.0, "p95": 1.0}},
                "machine": "none",
            },
        },
        libraries=versions_of(("numpy",)),
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
    plain = held_out(climatology, NAMES, count=50)
    lucky = plain | {"crps_gain_percent": {"mean": 1.0, "low": -0.1, "high": 2.1}}
    sure = plain | {"crps_gain_percent": {"mean": 1.0, "low": 0.1, "high": 1.9}}
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


def test_every_figure_has_an_interval_over_people_around_it() -> None:
    few, many = (held_out(climatology, NAMES, count=n) for n in (200, 1000))
    for found in (few, many):
        for name, ends in found["intervals_95"].items():
            assert ends["mean"] == found["model"][name]
            assert ends["low"] < ends["mean"] < ends["high"]
    wide, narrow = (
        each["intervals_95"]["coverage_80"]["high"]
        - each["intervals_95"]["coverage_80"]["low"]
        for each in (few, many)
    )
    assert wide > 1.5 * narrow


def test_the_errors_interval_is_the_textbooks() -> None:
    metrics = held_out(climatology, NAMES, count=200)
    windows = simulated_windows(np.random.default_rng(metrics["seed"]), 200)
    answer = inside_scale(climatology({"anchor": windows.arrays.anchor}), windows)
    error = windows.target[:, :HORIZON] - answer[:, :HORIZON, MEDIAN]
    each, squares = np.abs(error).mean(1), (error**2).mean(1)
    half = 1.96 * each.std() / np.sqrt(200)
    found = metrics["intervals_95"]
    assert found["mae_z"]["high"] == pytest.approx(each.mean() + half, abs=1e-4)
    low = squares.mean() - 1.96 * squares.std() / np.sqrt(200)
    assert found["rmse_z"]["low"] == pytest.approx(np.sqrt(low), abs=1e-4)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return made(held_out(climatology, NAMES, count=50))


def test_a_card_is_what_publishing_asks_for(content: dict[str, Any]) -> None:
    """And plain JSON, with the inputs in the twin's order."""
    text = json.dumps(content)
    assert json.loads(text) == content
    found = read_card(text.encode())
    check_features(found)
    assert content["feature_schema_hash"] == schema_hash()
    assert list(found.inputs) == list(NAMES)
    assert found.inputs["features"].features[-1].name == "weekday_mean_z"
    assert found.libraries["numpy"] == np.__version__
    assert (found.model, found.version) == ("m", 0)


def test_a_card_says_what_it_is_not_for_and_what_nobody_knows(
    content: dict[str, Any],
) -> None:
    assert "Diagnosis" in content["out_of_scope"]
    assert "seven" in content["out_of_scope"]
    assert len(content["source_attributes"]) == 31
    assert "not_available" in content["source_attributes"]["fairness_external"]
    assert "not_available" in content["approver"]
    words = json.dumps(content).lower()
    assert "certified" not in words
    assert "compliant" not in words


@pytest.mark.parametrize("kind", ["none", "float16"])
def test_the_precision_is_that_of_the_stored_weights(
    content: dict[str, Any], kind: str
) -> None:
    assert content["precision"] == "float32"
    expected = "float32" if kind == "none" else kind
    assert cards._precision({"quantize": kind}) == expected


def test_the_commit_is_said_or_said_to_be_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "ROOT", tmp_path)  # no checkout
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert cards.commit() == {"not_available": "not made in a git checkout"}
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    assert len(cards.commit()["value"]) == 40
    (tmp_path / "export_scripts").mkdir()
    (tmp_path / "export_scripts" / "new.py").touch()
    assert cards.commit()["value"].endswith(", with changes")
