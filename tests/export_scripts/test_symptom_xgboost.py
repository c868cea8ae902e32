"""The trees: start at climatology, resume, and convert to ONNX without a difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost

from backend.inference.embedded import EmbeddedServer
from backend.twin.features import DAY_FEATURES, INPUTS
from export_scripts import symptom_xgboost
from export_scripts.cards import crps, inside_scale
from export_scripts.datasets import simulated_windows
from export_scripts.latency import answers
from export_scripts.onnx_export import parity, proof_cases
from export_scripts.symptom_xgboost import (
    MODEL,
    ROUNDS,
    ROWS,
    TOLERANCE,
    main,
    parameters,
    predict,
    to_onnx,
    train,
    tree_attributes,
)


@pytest.fixture(scope="module")
def booster(tmp_path_factory: pytest.TempPathFactory) -> xgboost.Booster:
    checkpoint = tmp_path_factory.mktemp("work") / "trees.json"
    return train(seed=1, rounds=8, people=2000, threads=1, checkpoint=checkpoint)


@pytest.mark.parametrize("batch", [1, 64])
def test_the_graph_answers_as_the_booster_does(
    booster: xgboost.Booster, batch: int
) -> None:
    """1,000 windows with missing values."""
    cases = proof_cases(INPUTS[MODEL], seed=5)
    assert len(cases["anchor"]) == 1000
    assert np.isnan(cases["features"]).any()
    expected = predict(booster, cases)
    start = np.repeat(cases["anchor"][:, None], ROWS, axis=1)
    assert np.abs(expected - start).max() > 0.05  # the trees do say something
    found = answers(to_onnx(booster), cases, batch=batch)
    assert np.abs(found - expected).max() <= 1e-4


@pytest.fixture(scope="module")
def gappy_booster() -> xgboost.Booster:
    """Trees that have seen missing values, so that these go both ways."""
    cases = proof_cases(INPUTS[MODEL], seed=6, rows=400)
    rows = cases["features"][4:200].reshape(-1, len(DAY_FEATURES))
    label = np.nan_to_num(rows[:, 20], nan=-2.0) + np.nan_to_num(rows[:, 15], nan=2.0)
    margin = np.repeat(cases["anchor"][4:200], ROWS, axis=0)
    matrix = xgboost.DMatrix(rows, label=label, base_margin=margin)
    settings = {**parameters(1, 1), "min_child_weight": 1}
    return xgboost.train(settings, matrix, 4)


def test_missing_values_go_the_trees_own_way(gappy_booster: xgboost.Booster) -> None:
    ways = tree_attributes(gappy_booster)["nodes_missing_value_tracks_true"]
    assert 0 < sum(ways) < len(ways)
    cases = proof_cases(INPUTS[MODEL], seed=5)
    expected = predict(gappy_booster, cases)
    assert parity(to_onnx(gappy_booster), cases, expected) <= TOLERANCE


@pytest.mark.parametrize(
    "name", ["target_ids", "nodes_missing_value_tracks_true", "nodes_values"]
)
def test_a_wrong_conversion_would_be_seen(
    gappy_booster: xgboost.Booster, name: str
) -> None:
    graph = to_onnx(gappy_booster)
    trees = next(n for n in graph.graph.node if n.op_type == "TreeEnsembleRegressor")
    attribute = next(a for a in trees.attribute if a.name == name)
    if attribute.ints:
        attribute.ints[:] = [0] * len(attribute.ints)
    else:
        attribute.floats[:] = [0.0] * len(attribute.floats)
    cases = proof_cases(INPUTS[MODEL], seed=5, rows=200)
    assert parity(graph, cases, predict(gappy_booster, cases)) > TOLERANCE


def test_a_few_rounds_already_help_on_other_people(booster: xgboost.Booster) -> None:
    windows = simulated_windows(np.random.default_rng(99), 1500)
    inputs = {name: getattr(windows.arrays, name) for name in INPUTS[MODEL]}
    anchor = np.repeat(windows.arrays.anchor[:, None], ROWS, axis=1)
    trained = crps(inside_scale(predict(booster, inputs), windows), windows)
    plain = crps(inside_scale(anchor, windows), windows)
    assert trained.mean() < plain.mean()


def test_training_goes_on_where_it_was_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped after four of six rounds; the six are those of an unbroken run."""
    monkeypatch.setattr(symptom_xgboost, "SAVE_EVERY", 2)
    settings = {"seed": 2, "people": 300, "threads": 1}
    unbroken = train(**settings, rounds=6, checkpoint=tmp_path / "one.json")
    train(**settings, rounds=4, checkpoint=tmp_path / "two.json")
    resumed = train(**settings, rounds=6, checkpoint=tmp_path / "two.json")
    assert "continuing after round 4" in capsys.readouterr().out
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=50)
    np.testing.assert_allclose(
        predict(resumed, cases), predict(unbroken, cases), atol=1e-6
    )


def test_a_checkpoint_of_another_run_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "trees.json"
    train(seed=1, rounds=1, people=200, threads=1, checkpoint=checkpoint)
    again = train(seed=2, rounds=1, people=200, threads=1, checkpoint=checkpoint)
    assert "starting anew" in capsys.readouterr().out
    assert again.num_boosted_rounds() == 1


def test_no_rounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        train(seed=1, rounds=0, people=50, threads=1, checkpoint=tmp_path / "x.json")


def test_the_script_publishes_a_version_that_passes_its_canary(
    tmp_path: Path,
) -> None:
    options = ["--rounds", "2", "--people", "200", "--held-out", "50", "--threads", "1"]
    places = {"work": "work", "repository": "repo", "key": "key.pem", "trusted": "pub"}
    for name, place in places.items():
        options += [f"--{name}", str(tmp_path / place)]
    main(options)
    server = EmbeddedServer(tmp_path / "repo", trusted=[tmp_path / "pub"])
    server.canary(MODEL, 1)
    training = server.catalogue[0].card["training"]
    assert (training["rounds"], training["rounds_of_the_recipe"]) == (2, ROUNDS)
