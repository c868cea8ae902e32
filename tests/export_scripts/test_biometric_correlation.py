"""Training of the correlation net: learns, resumes, keeps the best, exports itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.onnx_session import session
from backend.registry.gates import refusals
from backend.twin.correlation.model_inputs import MODEL, OUTPUT, schema_hash
from backend.twin.errors import ModelRefused
from backend.twin.simulation.wearables.family import PLAIN
from export_scripts import (
    biometric_correlation,
    correlation_card,
    correlation_data,
)
from export_scripts.biometric_correlation import (
    TOLERANCE,
    Data,
    loss_on,
    main,
    predict,
    proof_cases,
    proven,
    to_onnx,
    train,
)
from export_scripts.correlation_data import by_width, drawn, joined, make_shards
from export_scripts.correlation_net import BiometricCorrelation, Size
from export_scripts.torch_training import Recipe

TINY = Size(lags=4, token=8, heads=2, layers=1, spacings=(1,))
RECIPE = Recipe(16, 8, 2e-3, 1e-4, patience=9, save_every=2)
FAMILY = replace(
    PLAIN, weight=(0.5, 0.6), days=(25, 25), biometrics=(2, 2), symptoms=(4, 4)
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data() -> Data:
    made = [drawn(np.random.default_rng(s), FAMILY, people=8) for s in (1, 2)]
    return Data(by_width(made[:1]), by_width(made[1:]))


def weights(net: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.numpy().ravel() for p in net.state_dict().values()])


def trained(data: Data, path: Path, *, steps: int = 8) -> BiometricCorrelation:
    found = train(data, seed=1, steps=steps, checkpoint=path, recipe=RECIPE, size=TINY)
    return found.net


def test_training_lowers_the_loss_and_resumes_exactly(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export_scripts.torch_training.CHECK_EVERY", 4)
    whole = trained(data, tmp_path / "whole.pt")
    plain = BiometricCorrelation(TINY)
    assert loss_on(whole, data.apart) < loss_on(plain, data.apart)
    killed = tmp_path / "killed.pt"
    real, times = Data.batch, []

    def dying(self: Data, rng: np.random.Generator, count: int) -> object:
        times.append(1)
        if len(times) == 6:
            raise KeyboardInterrupt
        return real(self, rng, count)

    monkeypatch.setattr(Data, "batch", dying)
    with pytest.raises(KeyboardInterrupt):
        trained(data, killed)
    again = trained(data, killed)
    assert len(times) == 6 + 4  # after step 4, the last that was saved
    np.testing.assert_allclose(weights(again), weights(whole), atol=1e-7)


def stirred() -> BiometricCorrelation:
    torch.manual_seed(1)
    net = BiometricCorrelation(TINY)
    for last in (net.lag, net.pair):
        torch.nn.init.normal_(last.weight, std=0.3)
    return net


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    return to_onnx(stirred())


def test_the_graph_is_the_net(data: Data, graph: onnx.ModelProto) -> None:
    net, cases = stirred(), proof_cases(joined(data.apart))
    assert proven(graph, cases, predict(net, cases), batch=7) <= TOLERANCE
    one = {name: array[:1] for name, array in cases.items()}
    found = session(graph.SerializeToString()).run([OUTPUT], one)[0]
    assert not np.asarray(found).any()  # row 0 is of nothing


def test_another_graph_is_refused(data: Data, graph: onnx.ModelProto) -> None:
    cases = proof_cases(joined(data.apart))
    other = predict(BiometricCorrelation(TINY), cases)
    with pytest.raises(ModelRefused, match="ONNX differs"):
        proven(graph, cases, other, batch=7)


@pytest.mark.parametrize(
    ("seed", "message"),
    [(2, "seed 2 is held apart"), (3, "seed 3 is held"), (4, "no shards of seeds 4")],
)
def test_data_that_cannot_be_learnt_from(
    tmp_path: Path, seed: int, message: str
) -> None:
    with pytest.raises(ModelRefused, match=message):
        Data.read(tmp_path, seed)


def test_the_whole_script_publishes_a_version_that_the_gates_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(correlation_data, "FAMILIES", (FAMILY,))
    monkeypatch.setattr(biometric_correlation, "RECIPE", RECIPE)
    monkeypatch.setattr(make_shards, "__kwdefaults__", {"people": 9})
    monkeypatch.setattr(biometric_correlation, "Size", lambda: TINY)
    monkeypatch.setattr(correlation_card, "PEOPLE", 5000)
    places = {
        "--data": tmp_path / "data",
        "--work": tmp_path,
        "--repository": tmp_path / "repository",
        "--key": tmp_path / "keys" / "export.pem",
        "--trusted": tmp_path / "keys" / "trusted",
    }
    counts = {"--shards": 1, "--apart": 2, "--steps": 2}
    main([str(x) for pair in (places | counts).items() for x in pair])
    trusted = [tmp_path / "keys" / "trusted"]
    (found,) = read_catalogue(tmp_path / "repository", trusted=trusted)
    assert (found.model, found.version, found.verified) == (MODEL, 1, True)
    assert found.card["feature_schema_hash"] == schema_hash()
    shut = [one.gate for one in refusals(found.card, champion=None)]
    assert "people" in shut  # 64
    assert not {"features", "parity", "sources"} & set(shut)
    assert "published biometric_correlation version 1" in capsys.readouterr().out
    server = EmbeddedServer(tmp_path / "repository", trusted=trusted)
    server.canary(MODEL, 1)
