"""Asks all models of an ensemble at once, each at its pinned version.

What they said is kept while a request lasts, so that nobody asks them the same again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from backend.twin.ensemble import Answer, AskAll
from backend.twin.errors import ModelError, ModelRefused, ModelUnavailable
from backend.twin.ports import Arrays, ModelServer
from backend.twin.trajectory import ModelUse

OUTPUT = "quantiles"  # what every symptom model calls its answer


def asker(
    models: ModelServer, uses: Mapping[str, ModelUse], *, timeout_s: float
) -> AskAll:
    """A function that takes each model's inputs and returns each model's answer.

    One thread per model, so the slowest member sets the time. A model that cannot
    answer has its ModelError as its answer: the others still count.
    """

    def ask(model: str, inputs: Arrays) -> Answer:
        try:
            answer = models.infer(
                model, uses[model].version, inputs, timeout_s=timeout_s
            )
        except ModelError as error:
            return error
        if OUTPUT not in answer:
            return ModelRefused(f"{model} has no output named {OUTPUT}")
        return answer[OUTPUT]  # (batch, HORIZON + 1, level)

    def ask_all(inputs: Mapping[str, Arrays]) -> dict[str, Answer]:
        if not inputs:
            return {}
        with ThreadPoolExecutor(max_workers=len(inputs)) as pool:
            return dict(
                zip(inputs, pool.map(ask, inputs, inputs.values()), strict=True)
            )

    return ask_all


class Heard:
    """A model server, and what each version answered for each window.

    By window and not by batch: who asks again may ask for some of them.
    """

    def __init__(self, models: ModelServer) -> None:
        self._models = models
        self._rows: dict[tuple[str, int, bytes], np.ndarray] = {}

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """As the server does it."""
        answer = self._models.infer(model, version, inputs, timeout_s=timeout_s)
        rows = answer.get(OUTPUT, np.empty(0))
        if rows.ndim:
            for window, row in zip(_windows(inputs), rows, strict=False):
                self._rows[model, version, window] = row
        return answer

    def again(self, model: str, version: int, inputs: Arrays) -> dict[str, np.ndarray]:
        """The same without asking; raises ModelUnavailable where it never was."""
        found = [self._rows.get((model, version, one)) for one in _windows(inputs)]
        rows = [row for row in found if row is not None]
        if not rows or len(rows) < len(found):
            raise ModelUnavailable(f"{model} was not asked for these windows")
        return {OUTPUT: np.stack(rows)}

    def canary(self, model: str, version: int) -> None:
        """As the server does it."""
        self._models.canary(model, version)


class HeardBut:
    """What was heard before, but for one version, which the server is asked for."""

    def __init__(self, heard: Heard, version: tuple[str, int]) -> None:
        self._heard = heard
        self._asked = version

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Asks, or remembers; raises as both do."""
        if (model, version) == self._asked:
            return self._heard.infer(model, version, inputs, timeout_s=timeout_s)
        return self._heard.again(model, version, inputs)

    def canary(self, model: str, version: int) -> None:
        """As the server does it."""
        self._heard.canary(model, version)


def _windows(inputs: Arrays) -> Iterator[bytes]:
    """A digest of each window, of all its arrays."""
    arrays = [array for _, array in sorted(inputs.items())]
    for window in zip(*arrays, strict=True):
        yield hashlib.sha256(b"".join(part.tobytes() for part in window)).digest()
