"""The network's part in a correlation: which version may answer, and asking it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from backend.registry.services import production
from backend.twin.correlation.examination import Examination
from backend.twin.correlation.lag_profile import profiles
from backend.twin.correlation.link import Link
from backend.twin.correlation.model_inputs import (
    BIOMETRICS,
    MODEL,
    OUTPUT,
    model_inputs,
    schema_hash,
)
from backend.twin.correlation.network import judged, takes
from backend.twin.errors import ModelError, ModelRefused
from backend.twin.ports import ModelServer
from backend.twin.trajectory import ModelUse

NO_ANSWER = "The network did not answer; probabilities are the classical engine's."
NONE_APPROVED = (
    "No network is approved for this; probabilities are the classical engine's."
)
TOO_MANY = (
    f"The network takes no more than {BIOMETRICS} signals; "
    "probabilities are the classical engine's."
)
# Which of these another call may do away with: such an answer is not given twice.
PASSING = frozenset({NO_ANSWER, NONE_APPROVED})


class Judged(NamedTuple):
    """All links of a window, who judged them, and why not the network, if so."""

    links: tuple[Link, ...]
    models: tuple[ModelUse, ...]
    method: str


def approved_network() -> tuple[ModelUse, ...]:
    """The network in production, or none: one that takes other inputs is none."""
    release = production().get(MODEL)
    if release is None or release.card.get("feature_schema_hash") != schema_hash():
        return ()
    return (replace(release.use, weight=1.0),)


def judge(
    found: Examination,
    uses: Sequence[ModelUse],
    models: ModelServer,
    *,
    timeout_s: float,
) -> Judged:
    """The examination's links by the network; by the engine alone where it cannot be.

    Nobody is asked where no pair was examined: there is nothing to judge.
    """
    if not _is_anything_examined(found):
        return Judged(judged(found, None), (), "")
    if not takes(found):
        return Judged(judged(found, None), (), TOO_MANY)
    if not uses:
        return Judged(judged(found, None), (), NONE_APPROVED)
    try:
        links = _asked(found, uses[0], models, timeout_s=timeout_s)
    except ModelError:
        return Judged(judged(found, None), (), NO_ANSWER)
    return Judged(links, tuple(uses), "")


def _asked(
    found: Examination, use: ModelUse, models: ModelServer, *, timeout_s: float
) -> tuple[Link, ...]:
    """What the version says; raises ModelError where it says nothing of use."""
    inputs = model_inputs(profiles(found))
    answer = models.infer(use.model, use.version, inputs, timeout_s=timeout_s)
    if OUTPUT not in answer:
        raise ModelRefused(f"{use.model} has no output named {OUTPUT}")
    return judged(found, answer[OUTPUT])


def _is_anything_examined(found: Examination) -> bool:
    return bool(found.usable) and any(not isinstance(fit, str) for fit in found.fits)
