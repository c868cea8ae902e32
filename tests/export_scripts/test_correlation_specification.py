"""The net as first specified: its size, its recipe, its training and its graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.inference.catalogue import read_catalogue
from backend.twin.correlation.model_inputs import ANSWER, BIOMETRICS, MODEL
from export_scripts import correlation_specification as module
from export_scripts import correlation_specification_card, unserved_version
from export_scripts.correlation_specification import (
    CPU_STEPS,
    EPOCH,
    RECIPE,
    RawCorrelation,
    Shape,
    built,
    main,
    people_trained_on,
    step_decay,
    train,
)
from export_scripts.correlation_streams import drawn

TIME = 60
TINY = Shape(encoded=2, hidden=4, layers=2, time=TIME)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "CHECKED", (3, 2))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_size_is_the_specified_one() -> None:
    with torch.device("meta"):  # shapes without memory
        net = RawCorrelation(Shape())
    memory = net.memory
    assert (memory.num_layers, memory.hidden_size, memory.bidirectional) == (
        3,
        256,
        True,
    )
    assert (memory.dropout, net.drop.p) == (0.2, 0.2)
    assert net.encoders[0].groups == BIOMETRICS
    assert 3_000_000 < sum(p.numel() for p in net.parameters()) < 5_000_000


def test_the_recipe_is_the_specified_one() -> None:
    assert (RECIPE.batch, RECIPE.peak_rate, RECIPE.decay) == (32, 5e-4, 0.0)
    assert RECIPE.steps == 50 * EPOCH
    assert EPOCH * RECIPE.batch >= 250_000
    assert RECIPE.patience * 100 < RECIPE.steps
    assert CPU_STEPS == 50


@pytest.mark.parametrize(
    ("epochs", "rate"), [(0, 5e-4), (9.9, 5e-4), (10, 2.5e-4), (49.9, 5e-4 / 16)]
)
def test_the_rate_goes_down_in_steps_however_short_the_run(
    epochs: float, rate: float
) -> None:
    step = int(epochs * EPOCH)
    assert step_decay(step, 50, 5e-4) == step_decay(step, 10**6, 5e-4) == rate


def test_absent_biometrics_are_not_answered() -> None:
    inputs, _ = drawn(np.random.default_rng(2), 3, TIME)
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    tensors["streams"][:, 2:] = 0
    with torch.no_grad():
        found = RawCorrelation(TINY).eval()(**tensors)
    assert found.shape == (3, BIOMETRICS, len(ANSWER))
    assert not found[:, 1:].any()
    torch.testing.assert_close(found[:, 0, 3:].sum(1), torch.ones(3))


def test_what_was_not_measured_is_not_looked_at() -> None:
    """What comes out is told by measured places: nothing else has an encoding."""
    torch.manual_seed(3)
    net = RawCorrelation(TINY).eval()
    inputs, _ = drawn(np.random.default_rng(2), 1, TIME)
    streams, reports = (torch.from_numpy(inputs[n]) for n in ("streams", "reports"))
    streams[:, 2:] = 0  # one biometric, seen in the last twenty places alone
    streams[:, :2, :40] = 0
    streams[:, 1, 40:] = 1
    weights: list[torch.Tensor] = []
    real = torch.softmax

    def kept(values: torch.Tensor, dim: int) -> torch.Tensor:
        weights.append(real(values, dim=dim))
        return weights[-1]

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch, "softmax", kept)
        net(streams, reports)
    fused, seen, _ = weights
    assert fused[0, 0, 40:].min() > 0.999  # among biometrics, where it was measured
    assert seen[0, 0, :40].max() == 0  # and along time
    torch.testing.assert_close(seen[0, 0, 40:].sum(), torch.tensor(1.0))


def test_it_trains_resumes_and_exports(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    one = train(TINY, seed=1, steps=2, batch=3, checkpoint=path)
    assert one.done == 2
    again = train(TINY, seed=1, steps=2, batch=3, checkpoint=path)
    assert again.done == 2
    made = built(again, time=TIME)
    assert made.parity <= 1e-4
    assert not made.expected[0].any()  # nobody


def test_people_are_counted_as_they_were_drawn() -> None:
    """A record is a symptom; a patient has up to six of them here."""
    found = people_trained_on(seed=1, steps=20, batch=32)
    assert 20 * 32 / 6 <= found <= 20 * 32
    assert people_trained_on(seed=1, steps=21, batch=32) > found


def test_the_whole_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "Shape", lambda: TINY)
    monkeypatch.setattr(module, "STEPS_OF_TIME", TIME)
    for name, small in (("STEPS_OF_TIME", TIME), ("PEOPLE", 2), ("SAMPLED", 1)):
        monkeypatch.setattr(correlation_specification_card, name, small)
    monkeypatch.setattr(
        unserved_version, "read_card", lambda _: None
    )  # it asks for the histograms of 5,000 people
    places = {"--work": tmp_path, "--repository": tmp_path / "made"}
    counts = {"--steps": 1, "--batch": 2, "--shards": 1, "--key": tmp_path / "k.pem"}
    main([str(x) for pair in (places | counts).items() for x in pair])
    told = capsys.readouterr().out
    assert "parity" in told
    assert "which no promotion takes" in told
    found = read_catalogue(tmp_path / "made", trusted=[])
    assert [(one.model, one.version) for one in found] == [(MODEL, 1)]
