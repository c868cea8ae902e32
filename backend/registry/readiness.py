"""Whether a version may be pointed at: is it known, and does the server answer it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Protocol

from backend.audit.ledger import Action, Outcome
from backend.registry.channels import needed
from backend.registry.gates import Refusal
from backend.registry.models import ModelRelease
from backend.registry.rows import Numbered, record
from backend.registry.services import withheld
from backend.twin.errors import ModelError, ModelGated

Refused = Mapping[Numbered, tuple[Refusal, ...]]


class Server(Protocol):
    """What moving a pointer asks of whatever serves the models."""

    def load(self, model: str, versions: Collection[int]) -> None:
        """Serve these versions of the model and no others."""

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case; raise unless the answer is the known one."""


def find(of: Numbered) -> ModelRelease | Refusal:
    """The release, or why no channel may point at it."""
    model, version = of
    release = ModelRelease.objects.filter(model=model, version=version).first()
    if release is None:
        return Refusal("unknown", "it is not registered: publish it first")
    if release.retired_at is not None:
        return Refusal("retired", "it was retired")
    if of in withheld():
        return Refusal("exchanged", "its weights are not those that were registered")
    return release


def deny(action: Action, actor: str, *, refused: Refused) -> None:
    """One row per refused version, then ModelGated with all their reasons, if any."""
    held = {of: found for of, found in refused.items() if found}
    for of, found in held.items():
        gates = "+".join(dict.fromkeys(one.gate for one in found))
        record(action, actor, of=of, outcome=Outcome.DENIED, gates=gates)
    if held:
        raise ModelGated(
            tuple(
                f"{model} version {version}: {one.reason}"
                if version
                else f"{model}: {one.reason}"
                for (model, version), found in held.items()
                for one in found
            )
        )


def make_ready(of: Numbered, *, action: Action, actor: str, models: Server) -> None:
    """Have the server hold the version beside all others needed, and answer its case.

    A failure is recorded under `action`. Raises what the server raises.
    """
    model, version = of
    try:
        models.load(model, needed().get(model, frozenset()) | {version})
        models.canary(model, version)
    except ModelError as error:
        problem = type(error).__name__
        record(action, actor, of=of, outcome=Outcome.FAILED, problem=problem)
        raise


def trim(models: Server, names: Collection[str]) -> None:
    """Let go of what no channel points at any more; whoever cannot now, will later."""
    wanted = needed()
    for model in wanted.keys() & set(names):
        with suppress(ModelError):
            models.load(model, wanted[model])
