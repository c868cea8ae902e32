"""The best weights of a run, and of no other, are what training ends with."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from export_scripts.best_weights import Best, fit_best
from export_scripts.torch_training import Recipe, Run

RUN = Run("preset", seed=1, steps=2, batch=4, origin="data-8")


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    path, net = tmp_path / "best.pt", torch.nn.Linear(1, 1)
    best = Best(path)
    for value, found in ((1.0, 0.5), (2.0, 0.3), (3.0, 0.4)):
        torch.nn.init.constant_(net.weight, value)
        assert best.note(net, found) == found
    again = Best(path)  # as a resumed run has it
    again.note(net, 0.35)
    again.restore(net)
    assert net.weight.item() == 2.0


OTHERS = [
    replace(RUN, preset="other"),
    replace(RUN, seed=2),
    replace(RUN, steps=3),
    replace(RUN, batch=5),
    replace(RUN, origin="data-9"),
]


@pytest.mark.parametrize(
    ("other", "beside"),
    [(RUN, {}), *((other, {"run.pt": asdict(other)}) for other in OTHERS)],
)
def test_another_runs_best_does_not_win(
    tmp_path: Path, other: Run, beside: dict[str, object]
) -> None:
    """An equal run that is begun anew; others whose checkpoint is still there."""
    checkpoint, theirs = tmp_path / "run.pt", torch.nn.Linear(1, 1)
    torch.nn.init.constant_(theirs.weight, 100.0)
    Best.of(other, checkpoint).note(theirs, -100.0)
    for name, state in beside.items():
        torch.save(state, tmp_path / name)
    net = fit_best(
        *(torch.nn.Linear(1, 1), Recipe(4, 2, 1e-3, 0.0, 5, 1), RUN),
        checkpoint=checkpoint,
        loss=lambda net, rng: net(torch.ones(1, 1)).square().sum(),
        apart=lambda net: float(net.weight.detach().abs()),
    ).net
    assert abs(net.weight.item()) < 2.0
