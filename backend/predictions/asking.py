"""Asks all models of an ensemble at once, each at its pinned version."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from backend.twin.ensemble import Answer, AskAll
from backend.twin.errors import ModelError, ModelRefused
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
