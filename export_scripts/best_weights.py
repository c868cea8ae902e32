"""The best weights of a training run: kept in a file, given to the net at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export_scripts.torch_training import Net, Recipe, Run, Training, device_of, fit


@dataclass(slots=True)
class Best:
    """The weights with the least loss on patients held apart, in a file."""

    path: Path
    least: float = np.inf

    @classmethod
    def of(cls, run: Run, checkpoint: Path) -> Best:
        """Of this run alone: another one's, of other data, may score better.

        Forgets those of an earlier run of the same settings where no checkpoint is.
        """
        name = "-".join(map(str, astuple(run)))
        best = cls(checkpoint.with_suffix(f".{name}.best.pt"))
        if not checkpoint.exists():
            best.path.unlink(missing_ok=True)
        return best

    def note(self, net: nn.Module, found: float) -> float:
        """Keep the weights if they are the best so far; the loss."""
        if self.path.exists() and not np.isfinite(self.least):
            self.least = float(torch.load(self.path, weights_only=True)["loss"])
        if found < self.least:
            self.least = found
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            torch.save({"loss": found, "net": net.state_dict()}, fresh)
            fresh.replace(self.path)
        return found

    def restore(self, net: nn.Module) -> None:
        """Give the net the best weights."""
        place = device_of(net)
        state = torch.load(self.path, weights_only=True, map_location=place)
        net.load_state_dict(state["net"])


def fit_best(
    net: Net,
    recipe: Recipe,
    run: Run,
    *,
    checkpoint: Path,
    loss: Callable[[Net, np.random.Generator], Tensor],
    apart: Callable[[Net], float],
) -> Training[Net]:
    """As `fit`, but the net has its best weights instead of its last."""
    best = Best.of(run, checkpoint)
    training = fit(
        *(net, recipe, run),
        checkpoint=checkpoint,
        loss=loss,
        apart=lambda net: best.note(net, apart(net)),
    )
    best.restore(net)
    return training
