"""The loop that trains any torch net: its rate, its checks, its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.twin.errors import ModelRefused
from export_scripts import torch_training
from export_scripts.torch_training import (
    WARM_UP,
    Recipe,
    Run,
    Training,
    fit,
    learning_rate,
)

RECIPE = Recipe(4, 9, 0.05, 0.0, patience=99, save_every=2)
RUN = Run("small", 1, 9, 4, "people")


def net() -> nn.Linear:
    torch.manual_seed(5)
    return nn.Linear(2, 1)


def loss(of: nn.Linear, rng: np.random.Generator) -> Tensor:
    """Squared error against the sum of two numbers."""
    x = torch.from_numpy(rng.normal(size=(4, 2)).astype(np.float32))
    return ((of(x)[:, 0] - x.sum(1)) ** 2).mean()


def trained(
    checkpoint: Path,
    *,
    recipe: Recipe = RECIPE,
    run: Run = RUN,
    losses: Iterator[float] | None = None,
) -> Training[nn.Linear]:
    told = losses or iter(range(1000, 0, -1))
    return fit(
        *(net(), recipe, run),
        checkpoint=checkpoint,
        loss=loss,
        apart=lambda _: float(next(told)),
    )


def test_the_rate_warms_up_and_ends_at_nothing() -> None:
    peak = 2e-3
    assert learning_rate(0, 5000, peak) == pytest.approx(peak / WARM_UP)
    assert learning_rate(WARM_UP, 5000, peak) == pytest.approx(peak)
    assert learning_rate(5000, 5000, peak) == pytest.approx(0)
    assert learning_rate(5, 50, peak) == pytest.approx(peak * 6 / 6)  # a short run


def test_it_learns(tmp_path: Path) -> None:
    run = replace(RUN, steps=200)
    found = trained(tmp_path / "x.pt", run=run, recipe=replace(RECIPE, peak_rate=0.1))
    assert found.done == 200
    np.testing.assert_allclose(found.net.weight.detach().numpy(), [[1, 1]], atol=0.05)


def test_the_loss_apart_is_asked_for_at_each_check_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_training, "CHECK_EVERY", 4)
    losses = iter([3.0, 1.0, 2.0])  # after steps 4, 8 and 9
    found = trained(tmp_path / "x.pt", losses=losses)
    assert next(losses, None) is None
    assert (found.done, found.best, found.waited) == (9, 1.0, 1)


def test_training_ends_when_patience_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a run that has ended so start again."""
    monkeypatch.setattr(torch_training, "CHECK_EVERY", 1)
    told = iter([5.0, 4.0, 4.0, 6.0, *[0.0] * 9])
    recipe = replace(RECIPE, patience=2)
    found = trained(tmp_path / "x.pt", recipe=recipe, losses=told)
    assert (found.done, found.best, found.waited) == (4, 4.0, 2)
    assert trained(tmp_path / "x.pt", recipe=recipe).done == 4


def test_a_killed_run_goes_on_from_its_last_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unbroken = trained(tmp_path / "one.pt")
    step = torch.optim.AdamW.step
    left = iter(range(5))

    def dies(self: torch.optim.AdamW) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", dies)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "two.pt")
    found = trained(tmp_path / "two.pt")
    assert "continuing after step 4" in capsys.readouterr().out
    assert torch.equal(found.net.weight, unbroken.net.weight)
    assert [path.name for path in tmp_path.glob("*.new")] == []


@pytest.mark.parametrize(
    "other", [{"preset": "large"}, {"seed": 2}, {"steps": 8}, {"batch": 5}]
)
def test_a_checkpoint_of_another_run_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: dict[str, object]
) -> None:
    trained(tmp_path / "x.pt", run=replace(RUN, **other))
    again, fresh = (trained(tmp_path / name) for name in ("x.pt", "fresh.pt"))
    assert "starting anew" in capsys.readouterr().out
    assert torch.equal(again.net.weight, fresh.net.weight)


def test_a_damaged_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    checkpoint = tmp_path / "net.pt"
    checkpoint.write_bytes(b"junk that is no checkpoint")
    with pytest.raises(ModelRefused, match=r"net\.pt cannot be read: delete it"):
        trained(checkpoint)
