"""The net as first specified: aligned streams, its size, training and its graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.twin.correlation.model_inputs import ANSWER, BIOMETRICS, OUTPUT
from backend.twin.simulation.wearables.batch import simulate_wearables
from backend.twin.simulation.wearables.family import PLAIN
from export_scripts import correlation_specification as module
from export_scripts.correlation_specification import (
    BIN,
    RECIPE,
    RawCorrelation,
    Shape,
    aligned,
    drawn,
    main,
    train,
    write,
)

TIME = 60
TINY = Shape(encoded=2, hidden=4, layers=2, time=TIME)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "CHECKED", 3)
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
    assert (RECIPE.batch, RECIPE.peak_rate) == (32, 5e-4)
    assert 3_000_000 < sum(p.numel() for p in net.parameters()) < 5_000_000


def test_streams_are_aligned_at_their_end() -> None:
    rng = np.random.default_rng(1)
    batch = simulate_wearables(rng, PLAIN, people=2, shape=(30, 4, 3))
    bins = (30 * 24 + 72) // BIN
    found = aligned(batch, bins + 5)
    assert found["streams"].shape == (6, 2 * BIOMETRICS, bins + 5)
    assert found["reports"].shape == (6, 2, bins + 5)
    streams = found["streams"].reshape(2, 3, BIOMETRICS, 2, -1)
    np.testing.assert_array_equal(streams[:, 0], streams[:, 2])
    assert not streams[..., :5].any()
    assert not streams[:, :, 4:].any()
    worn = np.isfinite(batch.values).reshape(2, 4, bins, BIN).any(3)
    np.testing.assert_array_equal(streams[:, 0, :4, 1, 5:], worn)
    np.testing.assert_allclose(streams[:, 0, :4, 0].sum(2), 0, atol=0.01)
    hours = np.rint(batch.times[1][np.isfinite(batch.times[1])]).astype(int)
    told = np.flatnonzero(found["reports"][3, 1, 5:])
    np.testing.assert_array_equal(told, np.unique(hours // BIN))


def test_a_long_record_keeps_its_last_days() -> None:
    rng = np.random.default_rng(1)
    batch = simulate_wearables(rng, PLAIN, people=1, shape=(30, 1, 1))
    whole, cut = aligned(batch, 264), aligned(batch, 100)
    np.testing.assert_array_equal(cut["streams"][:, 1], whole["streams"][:, 1, -100:])


def test_rows_come_with_their_truth() -> None:
    inputs, truth = drawn(np.random.default_rng(2), 7, TIME)
    assert {len(array) for array in (*inputs.values(), *truth.values())} == {7}
    there = inputs["streams"].reshape(7, BIOMETRICS, 2, TIME)[:, :, 1].any(2)
    assert not (truth["linked"].astype(bool) & ~there).any()


def test_absent_biometrics_are_not_answered() -> None:
    inputs, _ = drawn(np.random.default_rng(2), 3, TIME)
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    tensors["streams"][:, 2:] = 0
    with torch.no_grad():
        found = RawCorrelation(TINY).eval()(**tensors)
    assert found.shape == (3, BIOMETRICS, len(ANSWER))
    assert not found[:, 1:].any()
    torch.testing.assert_close(found[:, 0, 3:].sum(1), torch.ones(3))


def test_it_trains_resumes_and_exports(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    one = train(TINY, seed=1, steps=2, batch=3, checkpoint=path)
    assert one.done == 2
    again = train(TINY, seed=1, steps=2, batch=3, checkpoint=path)
    assert again.done == 2
    assert write(again.net, tmp_path / "made" / "net.onnx", time=TIME) <= 1e-4


def test_the_whole_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "Shape", lambda: TINY)
    monkeypatch.setattr(module, "STEPS_OF_TIME", TIME)
    graph = tmp_path / f"{OUTPUT}.onnx"
    options = ["--steps", "1", "--batch", "2", "--work", str(tmp_path)]
    main([*options, "--graph", str(graph)])
    assert graph.exists()
    assert "parity" in capsys.readouterr().out
