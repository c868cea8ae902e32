"""Model servers of plain Python, for those that stand in front of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from backend.twin.errors import ModelError

ANSWER = np.array([[1.0, 2.0]], np.float32)


class FakeServer:
    """Answers `answer`, or raises it; notes what it was asked and told."""

    def __init__(self) -> None:
        self.answer: Any = ANSWER
        self.golden: ModelError | None = None
        self.load_error: ModelError | None = None
        self.asked: list[tuple[str, int, float]] = []
        self.told: list[Any] = []
        self.prepared: list[tuple[str, int]] = []

    def infer(self, model: str, version: int, inputs: Any, *, timeout_s: float) -> Any:
        self.asked.append((model, version, timeout_s))
        if isinstance(self.answer, ModelError):
            raise self.answer
        return {"y": self.answer}

    def canary(self, model: str, version: int, *, timeout_s: float = 30) -> None:
        self.told.append(("canary", model, version))
        if self.golden:
            raise self.golden

    def prepare(self, model: str, version: int) -> None:
        self.prepared.append((model, version))
        if self.load_error:
            raise self.load_error

    def load(self, model: str, versions: Collection[int]) -> None:
        self.told.append(("load", model, set(versions)))
        if self.load_error:
            raise self.load_error


class FakeRemote(FakeServer):
    """With what a remote server has besides; `on_load` is what a load changes."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = True
        self.connection = 1
        self.said: dict[int, str] = {1: "READY"}
        self.on_load: Callable[[FakeRemote, Collection[int]], object] = (
            lambda fake, versions: None
        )
        self.probed = threading.Event()

    def load(self, model: str, versions: Collection[int]) -> None:
        super().load(model, versions)
        self.on_load(self, versions)

    def unload(self, model: str) -> None:
        self.told.append(("unload", model))

    def ready(self, model: str, version: int) -> bool:
        return self.said.get(version) == "READY"

    def states(self, model: str) -> dict[int, str]:
        return dict(self.said)

    def alive(self) -> bool:
        self.probed.set()
        return self.lives

    def reconnect(self) -> None:
        self.told.append(("reconnect",))

    def of(self, kind: str) -> list[Any]:
        return [one for one in self.told if one[0] == kind]
