"""The transformer: starts as climatology, learns, resumes, exports what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.inference.embedded import EmbeddedServer
from backend.twin.features import INPUTS
from backend.twin.trajectory import HORIZON
from export_scripts import symptom_transformer
from export_scripts.datasets import quantile_loss, simulated_windows
from export_scripts.onnx_export import parity, proof_cases
from export_scripts.symptom_transformer import (
    MODEL,
    PEAK_RATE,
    WARM_UP,
    SymptomTransformer,
    learning_rate,
    main,
    pinball,
    predict,
    tensors,
    to_onnx,
    train,
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small batches run faster on one thread, and tests may run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(net: SymptomTransformer) -> np.ndarray:
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


def test_an_untrained_net_forecasts_climatology() -> None:
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=20)
    cases = {name: array[4:] for name, array in cases.items()}
    answer = predict(SymptomTransformer(), cases)
    np.testing.assert_array_equal(
        answer, np.repeat(cases["anchor"][:, None], HORIZON, axis=1)
    )


def test_the_net_is_small() -> None:
    count = sum(p.numel() for p in SymptomTransformer().parameters())
    assert 200_000 < count < 300_000


def test_the_training_loss_is_the_loss_of_the_figures() -> None:
    rng = np.random.default_rng(1)
    quantiles, target = rng.normal(size=(3, HORIZON, 11)), rng.normal(size=(3, HORIZON))
    found = pinball(torch.from_numpy(quantiles), torch.from_numpy(target))
    assert found.item() == pytest.approx(quantile_loss(quantiles, target).mean())


def test_the_rate_warms_up_and_ends_at_nothing() -> None:
    assert learning_rate(0, 500) == pytest.approx(PEAK_RATE / WARM_UP)
    assert learning_rate(WARM_UP, 500) == pytest.approx(PEAK_RATE)
    assert learning_rate(500, 500) == pytest.approx(0)


def test_a_short_training_already_helps_on_other_people(tmp_path: Path) -> None:
    net = train(seed=1, steps=30, batch=64, checkpoint=tmp_path / "net.pt")
    windows = simulated_windows(np.random.default_rng(99), 1000)
    history, context, anchor, target = tensors(windows)
    with torch.no_grad():
        trained = pinball(net(history, context, anchor), target)
        plain = pinball(SymptomTransformer()(history, context, anchor), target)
    assert trained < plain


def test_a_killed_run_ends_as_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(symptom_transformer, "SAVE_EVERY", 2)
    unbroken = train(seed=3, steps=6, batch=8, checkpoint=tmp_path / "one.pt")
    save, saves = torch.save, []

    def save_twice_then_die(state: object, path: Path) -> None:
        saves.append(path)
        if len(saves) == 3:
            raise KeyboardInterrupt
        save(state, path)

    monkeypatch.setattr(torch, "save", save_twice_then_die)
    with pytest.raises(KeyboardInterrupt):
        train(seed=3, steps=6, batch=8, checkpoint=tmp_path / "two.pt")
    monkeypatch.setattr(torch, "save", save)
    resumed = train(seed=3, steps=6, batch=8, checkpoint=tmp_path / "two.pt")
    np.testing.assert_array_equal(weights(resumed), weights(unbroken))


def test_a_checkpoint_of_another_run_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "net.pt"
    train(seed=1, steps=1, batch=8, checkpoint=checkpoint)
    again = train(seed=2, steps=1, batch=8, checkpoint=checkpoint)
    fresh = train(seed=2, steps=1, batch=8, checkpoint=tmp_path / "fresh.pt")
    assert "starting anew" in capsys.readouterr().out
    np.testing.assert_array_equal(weights(again), weights(fresh))


def test_the_graph_answers_as_the_net_does() -> None:
    pytest.importorskip("onnxscript", reason="torch exports through onnxscript")
    net = SymptomTransformer()
    torch.nn.init.normal_(net.correction.weight, std=0.1)
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=70)
    assert parity(to_onnx(net), cases, predict(net, cases)) < 1e-4


def test_the_script_publishes_a_version_that_passes_its_canary(
    tmp_path: Path,
) -> None:
    pytest.importorskip("onnxscript", reason="torch exports through onnxscript")
    options = ["--steps", "2", "--batch", "8", "--held-out", "50", "--threads", "1"]
    places = {"work": "work", "repository": "repo", "key": "key.pem", "trusted": "pub"}
    for name, place in places.items():
        options += [f"--{name}", str(tmp_path / place)]
    main(options)
    server = EmbeddedServer(tmp_path / "repo", trusted=[tmp_path / "pub"])
    server.canary(MODEL, 1)
    assert server.catalogue[0].card["training"]["windows"] == 16
