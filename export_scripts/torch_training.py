"""Training a torch net, whatever it learns: a run that can be killed and resumed.

Every step draws its batch and its dropout from (seed, step), so a resumed run sees
exactly what an unbroken one would have seen. It ends early when the loss on people held
apart has not fallen for long enough.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from backend.twin.errors import ModelRefused

CHECK_EVERY = 100  # steps between looks at people held apart
WARM_UP = 100  # steps
CLIP = 1.0  # largest norm of a step's gradient
Net = TypeVar("Net", bound=nn.Module)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then a cosine down to nothing."""
    warm_up = min(WARM_UP, steps // 10 + 1)
    if step < warm_up:
        return peak * (step + 1) / warm_up
    share = (step - warm_up) / max(steps - warm_up, 1)
    return peak * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained."""

    batch: int
    steps: int
    peak_rate: float
    decay: float  # of weights (L2)
    patience: int  # checks without a better loss after which training ends
    save_every: int  # steps: what a killed run loses at most
    rate: Callable[[int, int, float], float] = learning_rate  # step, steps, peak


@dataclass(frozen=True, slots=True)
class Run:
    """The settings that two parts of one run must share."""

    preset: str
    seed: int
    steps: int
    batch: int
    origin: str  # of the data: what made them, as a digest


@dataclass(slots=True)
class Training(Generic[Net]):
    """A run as it stands: what a checkpoint holds."""

    net: Net
    optimiser: torch.optim.Optimizer
    done: int = 0  # steps
    best: float = math.inf  # loss on people held apart
    waited: int = 0  # checks since it was reached


def fit(
    net: Net,
    recipe: Recipe,
    run: Run,
    *,
    checkpoint: Path,
    loss: Callable[[Net, np.random.Generator], Tensor],
    apart: Callable[[Net], float],
) -> Training[Net]:
    """Train `net`; continues from `checkpoint` when that file is of the same run.

    `loss` is of a new batch that it draws from the generator; `apart` is the loss on
    people held apart. On a GPU where there is one.
    """
    net.to("cuda" if torch.cuda.is_available() else "cpu")
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=recipe.peak_rate, weight_decay=recipe.decay
    )
    training = resumed(checkpoint, run, Training(net, optimiser))
    began = time.monotonic()
    while training.done < run.steps and training.waited < recipe.patience:
        found = _step(training, recipe, run, loss)
        checked = training.done == run.steps or training.done % CHECK_EVERY == 0
        if checked:
            _check(training, apart(net))
        if checked or training.done % recipe.save_every == 0:
            save(checkpoint, run, training)
            print(
                f"step {training.done}/{run.steps}  loss {found:.4f}  "
                f"best apart {training.best:.4f}  {time.monotonic() - began:.0f} s"
            )
    return training


def device_of(net: nn.Module) -> torch.device:
    """Where the net's weights lie."""
    return next(net.parameters()).device


def save(checkpoint: Path, run: Run, training: Training[Net]) -> None:
    """Written beside and then moved, so that a killed run leaves a whole file."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {
        **asdict(run),
        "net": training.net.state_dict(),
        "optimiser": training.optimiser.state_dict(),
        "progress": [training.done, training.best, training.waited],
    }
    fresh = checkpoint.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(checkpoint)


def resumed(checkpoint: Path, run: Run, training: Training[Net]) -> Training[Net]:
    """The run as `checkpoint` has it; as given where that is none of this `run`.

    Raises ModelRefused where the file is damaged.
    """
    if not checkpoint.exists():
        return training
    device = device_of(training.net)
    try:
        state = torch.load(checkpoint, weights_only=True, map_location=device)
    except (UnpicklingError, RuntimeError, KeyError, EOFError) as error:
        raise ModelRefused(f"{checkpoint.name} cannot be read: delete it") from error
    if any(state.get(name) != value for name, value in asdict(run).items()):
        print("the checkpoint is of another run: starting anew")
        return training
    training.net.load_state_dict(state["net"])
    training.optimiser.load_state_dict(state["optimiser"])
    training.done, training.best, training.waited = state["progress"]
    print(f"continuing after step {training.done}")
    return training


def _step(
    training: Training[Net],
    recipe: Recipe,
    run: Run,
    loss: Callable[[Net, np.random.Generator], Tensor],
) -> float:
    """Learn from one batch of new people; its loss."""
    for group in training.optimiser.param_groups:
        group["lr"] = recipe.rate(training.done, run.steps, recipe.peak_rate)
    torch.manual_seed(run.seed + training.done)  # dropout
    training.net.train()
    found = loss(training.net, np.random.default_rng([run.seed, training.done]))
    training.optimiser.zero_grad()
    found.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(training.net.parameters(), CLIP)
    training.optimiser.step()
    training.done += 1
    return float(found.item())


def _check(training: Training[Net], loss: float) -> None:
    """Note the loss on people held apart, and how long it has not fallen."""
    better = loss < training.best
    training.best = min(loss, training.best)
    training.waited = 0 if better else training.waited + 1
