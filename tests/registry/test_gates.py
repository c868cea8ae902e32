"""Each gate by itself, on cards that differ from a good one in one place."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from backend.registry.gates import refusals, uncalibrated
from backend.twin import calibration
from backend.twin.correlation import model_inputs
from backend.twin.pharmacogenomics import response_inputs
from tests.registry.made import NET, TREES, good_card

GONE = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good card with one place set, or removed where the value is GONE."""
    card = deepcopy(good_card())
    *way, last = path.split(".")
    place = card
    for name in way:
        place = place[name]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return card


def closed(card: dict[str, Any], champion: dict[str, Any] | None = None) -> list[str]:
    return [one.gate for one in refusals(card, champion=champion)]


@pytest.mark.parametrize("champion", [None, good_card()])
def test_a_good_card_opens_every_gate(champion: dict[str, Any] | None) -> None:
    assert closed(good_card(), champion) == []


@pytest.mark.parametrize(
    ("gate", "path", "value"),
    [
        ("features", "feature_schema_hash", "0" * 64),
        ("features", "feature_schema_hash", GONE),
        ("people", "metrics.people", 999),
        ("people", "metrics.people", "8000"),
        ("people", "metrics.people", True),
        ("climatology", "metrics.crps_gain_percent.low", 0.0),
        ("climatology", "metrics.crps_gain_percent.low", float("nan")),
        ("climatology", "metrics.crps_gain_percent.low", float("inf")),
        ("climatology", "metrics.crps_gain_percent", 1.6),
        ("climatology", "beats_climatology.daily", False),
        ("climatology", "beats_climatology", GONE),
        ("coverage", "metrics.model.coverage_80", 0.749),
        ("coverage", "metrics.model.coverage_80", 0.851),
        ("coverage", "metrics.model.coverage_95", 0.899),
        ("coverage", "metrics.model.coverage_95", GONE),
        ("parity", "parity.max_abs", 2e-4),
        ("parity", "parity.max_abs", GONE),
        ("parity", "parity.tolerance", 2e-3),
        ("sources", "source_attributes.funding.not_available", " "),
        ("sources", "source_attributes.funding", None),
        ("sources", "source_attributes", {}),
        ("sources", "source_attributes", GONE),
    ],
)
def test_one_place_closes_one_gate(gate: str, path: str, value: Any) -> None:
    assert closed(changed(path, value)) == [gate]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.people", 1_000),
        ("metrics.model.coverage_80", 0.76),
        ("metrics.crps_gain_percent.low", 0.01),
        ("parity.max_abs", 1e-4),
        ("source_attributes.funding", "a grant"),
    ],
)
def test_what_just_suffices_suffices(path: str, value: Any) -> None:
    assert closed(changed(path, value)) == []


@pytest.mark.parametrize("gain", [1.49, 1.6, 3.0])
def test_a_candidate_within_the_champions_noise_passes(gain: float) -> None:
    card = changed("metrics.crps_gain_percent.mean", gain)
    assert closed(card, good_card()) == []


@pytest.mark.parametrize("gain", [1.48, 0.5, -1.0, float("nan")])
def test_a_candidate_below_the_champions_interval_does_not(gain: float) -> None:
    card = changed("metrics.crps_gain_percent.mean", gain)
    (refused,) = refusals(card, champion=good_card())
    assert refused.reason == "its CRPS is worse than production's by more than chance"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.seed", 1),
        ("metrics.people", 2_000),
        ("metrics.data", "real people"),
        ("metrics.climatology.crps_z", 0.6),
    ],
)
def test_figures_of_other_people_are_not_compared(path: str, value: Any) -> None:
    (refused,) = refusals(changed(path, value), champion=good_card())
    assert refused.gate == "champion"
    assert "same people" in refused.reason


def test_an_empty_card_opens_nothing() -> None:
    gates = ["features", "people", "climatology", "coverage", "parity", "sources"]
    assert closed({}) == gates


def test_only_versions_that_were_fitted_together_are_calibrated() -> None:
    fitted = calibration._table()["versions"]
    assert uncalibrated(fitted) is None
    refused = uncalibrated({NET: 98, TREES: 99})
    assert refused is not None
    assert refused.reason == (
        "forecasts would not be calibrated: no constants were fitted for "
        f"{NET} 98, {TREES} 99"
    )


def link_card(**figures: float) -> dict[str, Any]:
    """The card of a network over pairs that every gate lets through."""
    model = {"auc": 0.9, "ece": 0.015, "log_score": 0.4, "ci90": 0.9, "lag90": 0.91}
    return {
        **good_card(),
        "model": model_inputs.MODEL,
        "feature_schema_hash": model_inputs.schema_hash(),
        "metrics": {
            "data": "simulated",
            "people": 1920,
            "pairs": 7000,
            "model": {**model, **figures},
            "engine": {**model, "ece": 0.03},
        },
    }


@pytest.mark.parametrize(
    ("figures", "shut"),
    [
        ({}, []),
        ({"ece": 0.021}, ["calibrated"]),
        ({"ece": 0.03}, ["engine", "calibrated"]),
        ({"auc": 0.89}, ["engine"]),
        ({"ci90": 0.84}, ["coverage"]),
        ({"lag90": 0.96}, ["coverage"]),
        ({"lag90": float("nan")}, ["coverage"]),
    ],
)
def test_a_network_over_pairs_has_gates_of_its_own(
    figures: dict[str, float], shut: list[str]
) -> None:
    assert closed(link_card(**figures)) == shut


def test_a_network_over_pairs_needs_its_own_features() -> None:
    stale = {**link_card(), "feature_schema_hash": good_card()["feature_schema_hash"]}
    assert closed(stale) == ["features"]


def test_a_network_over_pairs_is_weighed_against_production() -> None:
    other = link_card()
    other["metrics"] = {**other["metrics"], "pairs": 8000}
    worse, same = link_card(log_score=0.41), link_card()
    assert closed(same, same) == []
    assert closed(worse, same) == ["champion"]
    assert closed(same, other) == ["champion"]


def response_card(**metrics: Any) -> dict[str, Any]:
    """The card of a response model that every gate lets through."""
    each = {one: {"auc": 0.7, "ece": 0.01} for one in response_inputs.SIDE_EFFECTS}
    figures = {
        "label": "trained on simulated outcomes",
        "real_world": {"auc_low": 0.6, "auc_high": 0.67, "source": "studies"},
        "data": "simulated",
        "people": 20_000,
        "seed": 5,
        "model": {"auc": 0.65, "ece": 0.01, "log_score": 0.63, "side_effects": each},
        "oracle": {"auc": 0.66},
        "share_of_oracle": 0.9,
        "auc_gain": {"mean": 0.1, "low": 0.09, "high": 0.11},
    }
    return {
        **good_card(),
        "model": response_inputs.MODEL,
        "feature_schema_hash": response_inputs.schema_hash(),
        "training": {"finished": True},
        "metrics": {**figures, **metrics},
    }


def with_scores(**scores: Any) -> dict[str, Any]:
    """A response card whose model scores differ in one place."""
    card = response_card()
    card["metrics"]["model"] = {**card["metrics"]["model"], **scores}
    return card


RASH_OFF = {one: {"ece": 0.01} for one in response_inputs.SIDE_EFFECTS}
RASH_OFF["rash"] = {"ece": 0.021}


@pytest.mark.parametrize(
    ("card", "shut"),
    [
        (response_card(), []),
        (response_card(share_of_oracle=0.79), ["oracle"]),
        (response_card(share_of_oracle=None), ["oracle"]),
        (response_card(auc_gain={"mean": 0.1, "low": 0.0}), ["drug_only"]),
        (response_card(label="trained"), ["label"]),
        (response_card(real_world={}), ["label"]),
        (response_card(people=999), ["people"]),
        (with_scores(ece=0.021), ["calibrated"]),
        (with_scores(side_effects=RASH_OFF), ["calibrated"]),
        (with_scores(side_effects={}), ["calibrated"]),
        ({**response_card(), "training": {"finished": False}}, ["finished"]),
        ({**response_card(), "training": {}}, ["finished"]),
        ({**response_card(), "feature_schema_hash": "0" * 64}, ["features"]),
    ],
)
def test_a_response_model_has_gates_of_its_own(
    card: dict[str, Any], shut: list[str]
) -> None:
    assert closed(card) == shut


def test_what_is_off_is_named() -> None:
    (refused,) = refusals(with_scores(side_effects=RASH_OFF), champion=None)
    assert refused.reason == "off by more than 0.02 on average: rash"


def test_a_response_model_is_weighed_against_production() -> None:
    same, worse = response_card(), with_scores(log_score=0.64)
    assert closed(same, same) == []
    (refused,) = refusals(worse, champion=same)
    assert refused.reason.startswith("its probability of a response is worse")
    assert closed(same, response_card(oracle={"auc": 0.67})) == ["champion"]
