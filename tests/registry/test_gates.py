"""Each gate by itself, on cards that differ from a good one in one place."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from backend.registry.gates import refusals, uncalibrated
from backend.twin import calibration
from backend.twin.correlation import model_inputs
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
