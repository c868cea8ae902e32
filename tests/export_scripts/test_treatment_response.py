"""The response net: learns, resumes, is its graph, publishes what gates can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.registry.gates import refusals
from backend.twin.errors import ModelRefused
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    COLUMNS,
    MODEL,
    NEAR,
    OPTIONS,
    OUTPUT,
    Person,
    inputs_of,
    schema_hash,
)
from export_scripts import response_training, treatment_response
from export_scripts.response_data import Rows, drawn, drawn_without, rates
from export_scripts.response_net import GRID, Compact, OneHot, Responses, loss
from export_scripts.response_scores import (
    gain,
    near_truth,
    outcomes_of,
    scores,
    share_of_oracle,
)
from export_scripts.response_training import (
    predict,
    proof_cases,
    proven,
    run_of,
    to_onnx,
    train,
    with_reference,
)
from export_scripts.torch_training import Recipe
from export_scripts.treatment_response import main
from tests.versions import SHIPPED_MODELS, shipped_version

SMALL = Recipe(64, 8, 3e-3, 1e-4, patience=9, save_every=2)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny() -> Compact:
    torch.manual_seed(1)
    return Compact(OneHot, width=8, drug_width=4)


def trained(path: Path, *, steps: int = 8) -> torch.nn.Module:
    run = run_of("test", seed=1, steps=steps, recipe=SMALL)
    return train(tiny(), recipe=SMALL, run=run, checkpoint=path, checked=64).net


def weights(net: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.numpy().ravel() for p in net.state_dict().values()])


def test_a_killed_training_goes_on_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, drawings = trained(tmp_path / "whole.pt"), []

    def dying(told: Any, outcome: Any, chance: Any) -> Any:
        drawings.append(1)
        if len(drawings) == 6:
            raise KeyboardInterrupt
        return loss(told, outcome, chance)

    monkeypatch.setattr(response_training, "loss", dying)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed.pt")
    again = trained(tmp_path / "killed.pt")
    np.testing.assert_allclose(weights(again), weights(whole), atol=1e-7)
    assert len(drawings) == 6 + 4 + 1  # after step 4, the last saved; one look apart


def test_the_loss_asks_for_outcomes_and_for_being_near() -> None:
    told = torch.zeros(2, 11)
    outcome = torch.tensor([[1.0] * 10, [0.0] * 10])
    near, far = (torch.full((2, 10), c) for c in (0.5 + NEAR / 2, 0.9))
    sure = told.clone()
    sure[:, -1] = 4.0
    assert loss(sure, outcome, near) < loss(told, outcome, near)
    assert loss(sure, outcome, far) > loss(told, outcome, far)
    right = told.clone()
    right[0, :10], right[1, :10] = 4.0, -4.0
    assert loss(right, outcome, far) < loss(told, outcome, far)


@pytest.fixture(scope="module")
def net() -> Responses:
    return with_reference(tiny(), 500)


def test_the_percentile_is_a_share_of_the_reference(net: Responses) -> None:
    rows = drawn(np.random.default_rng(9), 2000, complete=True)
    answer = predict(net, rows.inputs)
    percentile = answer[:, ANSWER.index("percentile")]
    assert np.quantile(percentile, [0.1, 0.5, 0.9]) == pytest.approx(
        [0.1, 0.5, 0.9], abs=0.06
    )
    one = rows.option == 3
    order = np.argsort(answer[one, 0])
    assert (np.diff(percentile[one][order]) >= 0).all()
    assert net.grid.shape == (len(OPTIONS), GRID)


def test_answers_are_shares(net: Responses) -> None:
    answer = predict(net, proof_cases())
    assert answer.shape == (200, len(ANSWER))
    assert ((answer >= 0) & (answer <= 1)).all()


def test_the_graph_is_the_net(net: Responses) -> None:
    graph, cases = to_onnx(net), proof_cases()
    assert not cases["patient"][: len(OPTIONS)].any()  # of whom nothing is known
    assert proven(graph, cases, predict(net, cases)) <= 1e-4
    other = predict(Responses(tiny()), cases)
    with pytest.raises(ModelRefused, match="treatment_response: ONNX differs"):
        proven(graph, cases, other)


def test_who_is_left_out_is_not_drawn() -> None:
    left_out = np.array([0, 5])
    rows = drawn_without(np.random.default_rng(1), 500, left_out=left_out)
    assert not np.isin(rows.option, left_out).any()
    assert set(rows.inputs) == set(COLUMNS)
    assert rates(1, 4000).shape == (len(OPTIONS), 10)


def made(count: int = 30_000) -> Rows:
    return drawn(np.random.default_rng(4), count, complete=True)


def test_the_true_chances_have_the_best_scores() -> None:
    rows = made()
    true, flat = scores(rows.chance, rows), scores(rows.chance * 0 + 0.5, rows)
    assert true["ece"] < 0.02 < flat["ece"]
    assert true["log_score"] < flat["log_score"]
    assert flat["auc"] == 0.5 < true["auc"]
    found = gain(rows.chance[:, 0], rows.chance[:, 0] * 0, rows.outcome[:, 0] > 0)
    assert 0 < found["low"] < found["mean"] < found["high"]
    assert share_of_oracle(0.6, 0.5, 0.625) == 0.8


def test_confidence_is_held_against_the_truth() -> None:
    rows = made(100)
    answer = np.zeros((100, len(ANSWER)))
    answer[:, 0], answer[:, 2] = rows.chance[:, 0] + NEAR / 2, 0.9
    found = near_truth(answer, rows)
    assert found == {"mean": 0.9, "near": 1.0, "ece": 0.1, "reported": 1.0}
    assert outcomes_of(answer).shape == rows.outcome.shape


def test_the_whole_script_publishes_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(treatment_response, "RECIPE", SMALL)
    monkeypatch.setattr(response_training, "PLAIN", SMALL)
    monkeypatch.setattr(response_training, "CHECKED", 64)
    places = {
        "--work": tmp_path,
        "--repository": tmp_path / "repository",
        "--key": tmp_path / "keys" / "export.pem",
        "--trusted": tmp_path / "keys" / "trusted",
    }
    main([str(x) for pair in (places | {"--people": 300}).items() for x in pair])
    trusted = [tmp_path / "keys" / "trusted"]
    (found,) = read_catalogue(tmp_path / "repository", trusted=trusted)
    assert (found.model, found.version, found.verified) == (MODEL, 1, True)
    assert found.card["feature_schema_hash"] == schema_hash()
    shut = [one.gate for one in refusals(found.card, champion=None)]
    assert "oracle" in shut
    assert not {"features", "label", "finished", "parity", "sources"} & set(shut)
    assert "published treatment_response version 1" in capsys.readouterr().out
    EmbeddedServer(tmp_path / "repository", trusted=trusted).canary(MODEL, 1)


@pytest.fixture(scope="module")
def shipped() -> tuple[EmbeddedServer, int]:
    return EmbeddedServer(SHIPPED_MODELS), shipped_version(MODEL)


def test_the_shipped_version_opens_every_gate() -> None:
    path = SHIPPED_MODELS / MODEL / str(shipped_version(MODEL))
    card = json.loads((path / "card.json").read_text(encoding="utf-8"))
    assert refusals(card, champion=None) == ()
    assert 0.62 <= card["metrics"]["oracle"]["auc"] <= 0.70
    assert (path / "model.onnx").stat().st_size < 5_000_000


def asked(shipped: tuple[EmbeddedServer, int], inputs: dict[str, Any]) -> np.ndarray:
    server, version = shipped
    parts = [
        server.infer(
            MODEL, version, {n: a[i : i + 64] for n, a in inputs.items()}, timeout_s=30
        )[OUTPUT]
        for i in range(0, len(inputs["drug"]), 64)
    ]
    return np.concatenate(parts)


def test_the_shipped_version_keeps_its_promises_on_fresh_records(
    shipped: tuple[EmbeddedServer, int],
) -> None:
    """20,000 records that no seed of training or card has drawn."""
    rows = drawn(np.random.default_rng(20261123), 20_000, complete=True)
    found = scores(outcomes_of(asked(shipped, rows.inputs)), rows)
    oracle = scores(rows.chance, rows)["auc"]
    plain = scores(rates(77, 200_000)[rows.option], rows)["auc"]
    assert share_of_oracle(found["auc"], plain, oracle) >= 0.8
    assert found["ece"] <= 0.02
    assert all(one["ece"] <= 0.02 for one in found["side_effects"].values())


def test_the_less_is_known_the_less_it_is_sure(
    shipped: tuple[EmbeddedServer, int],
) -> None:
    sure = ANSWER.index("confidence")
    nobody = asked(shipped, inputs_of(Person(), OPTIONS))
    rows = drawn(np.random.default_rng(3), len(OPTIONS), complete=True)
    whole = asked(shipped, {**rows.inputs, "drug": np.eye(25, dtype=np.float32)})
    assert nobody[:, sure].max() < 0.7 < whole[:, sure].min()
