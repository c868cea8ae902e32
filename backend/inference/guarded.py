"""Triton first, and the same versions in this process where Triton fails.

    Triton ── answers, finite ──────────────> its answer
      │ no answer, or not a number
      └> in this process ── its answer, and a mark against Triton

Marks open a breaker: then nobody waits for Triton, and a thread in the background finds
out when it is well again, or makes it so.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Protocol

import numpy as np

from backend.inference.breaker import Breakers
from backend.inference.known import Key
from backend.inference.prober import CANARY_S, Probed, Prober
from backend.inference.triton import TritonFailed
from backend.twin.errors import (
    ModelError,
    ModelRefused,
    ModelUnavailable,
    ModelUntrusted,
)
from backend.twin.ports import Arrays, ModelServer

TRITON, EMBEDDED = "triton", "embedded"
SHARE_S = 1.0  # Triton answers in milliseconds, or is not to be waited for
SHARE = 0.6  # of the time there is; the rest is for this process
_WRONG = {"wrong", "not_finite"}
_SOFT = {"deadline_exceeded", "cancelled"}  # may be a busy moment: three in a row

log = logging.getLogger("mindtwin.triton")


class Loading(ModelServer, Protocol):
    """A model server that is told what to serve."""

    def load(self, model: str, versions: Collection[int]) -> None:
        """Serve exactly these versions."""


class _Process:
    """What must not be shared over a fork: locks, counts, the thread."""

    def __init__(self, triton: Probed, every_s: float) -> None:
        self.breakers: Breakers[Key] = Breakers()
        self.calls: Counter[tuple[str, int, str, str]] = Counter()
        self.counting = threading.Lock()
        self.prober = Prober(triton, self.breakers, every_s=every_s)


class GuardedServer:
    """Implements `twin.ports.ModelServer` over a Triton server and an embedded one."""

    def __init__(
        self,
        triton: Probed,
        embedded: Loading,
        *,
        clock: Callable[[], float] = time.monotonic,
        probe_every_s: float = 1.0,
        share_s: float = SHARE_S,
    ) -> None:
        """`share_s` is the most seconds of a call that Triton is waited for."""
        self._triton, self._embedded = triton, embedded
        self._clock, self._every_s, self._share_s = clock, probe_every_s, share_s
        self._processes: dict[int, _Process] = {}

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Named arrays in, first axis is the batch; named arrays out.

        Raises ModelRefused and ModelUntrusted as either server does, and the error of
        this process where it, too, has no answer.
        """
        deadline = self._clock() + timeout_s
        here = self._here()
        theirs = None
        if here.breakers.closed((model, version)):
            theirs = self._ask_triton(model, version, inputs, timeout_s)
            if theirs is not None and _finite(theirs):
                here.breakers.succeeded((model, version))
                self._count(model, version, TRITON, "ok")
                return theirs
        else:
            here.prober.awake((model, version))  # after a fork nobody probes yet
        answer = self._ask_here(model, version, inputs, deadline - self._clock())
        if theirs is not None:
            self._compare(model, version, theirs, answer)
        return answer

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case on both; raise unless the answers are known.

        Triton's wrong answer raises ModelUntrusted and opens the breaker: what is wrong
        is served no more. Where Triton gives none, the version is still served, by this
        process: that raises nothing, and `state` tells it.
        """
        self._embedded.canary(model, version)
        opened = self._here().breakers.opened().get((model, version), "wrong")
        if opened not in _WRONG:
            return  # nobody waits for a server known to be away
        with suppress(TritonFailed):
            self._ask_golden(model, version)

    def load(self, model: str, versions: Collection[int]) -> None:
        """Have both serve exactly these versions; each has answered its golden case.

        Raises what either raises; this process serves them as soon as it can.
        """
        self._embedded.load(model, versions)
        self._here().prober.wanted[model] = frozenset(versions)
        self._triton.load(model, versions)
        for version in sorted(versions):
            self._ask_golden(model, version)
            self._here().breakers.close((model, version))

    def unload(self, model: str) -> None:
        """Serve no version of the model on Triton; this process keeps its own."""
        self._here().prober.wanted[model] = frozenset()
        self._triton.unload(model)

    def ready(self, model: str, version: int) -> bool:
        """Whether Triton has the version loaded."""
        return self._triton.ready(model, version)

    def state(self) -> tuple[tuple[str, int, str, str], ...]:
        """Who answers for each version asked so far, and a word: why, or "ok"."""
        here = self._here()
        opened = here.breakers.opened()
        asked = {(model, version) for model, version, _, _ in self.calls} | set(opened)
        return tuple(
            (*key, EMBEDDED if key in opened else TRITON, opened.get(key, "ok"))
            for key in sorted(asked)
        )

    @property
    def calls(self) -> Mapping[tuple[str, int, str, str], int]:
        """How many answers: by model, version, server and outcome; this process'."""
        here = self._here()
        with here.counting:
            return dict(here.calls)

    def close(self) -> None:
        """End the probing; what is open stays open until somebody asks again."""
        self._here().prober.close()

    def _ask_golden(self, model: str, version: int) -> None:
        """Triton's golden case; whatever it raises opens the breaker."""
        try:
            self._triton.canary(model, version, timeout_s=CANARY_S)
        except ModelUntrusted:
            self._mark(model, version, "wrong", at_once=True)
            raise
        except TritonFailed as error:
            self._mark(model, version, error.status, at_once=True)
            raise

    def _ask_triton(
        self, model: str, version: int, inputs: Arrays, timeout_s: float
    ) -> dict[str, np.ndarray] | None:
        """Triton's answer within its share of the time; None where it failed."""
        share = min(self._share_s, SHARE * timeout_s)
        try:
            return self._triton.infer(model, version, inputs, timeout_s=share)
        except (ModelRefused, ModelUntrusted) as error:
            self._count(model, version, TRITON, _word(error))
            raise
        except TritonFailed as error:
            self._count(model, version, TRITON, error.status)
            self._mark(model, version, error.status, at_once=error.status not in _SOFT)
        except ModelUnavailable:  # not in its catalogue, or no time: Triton knows not
            self._count(model, version, TRITON, "unknown")
        return None

    def _ask_here(
        self, model: str, version: int, inputs: Arrays, left_s: float
    ) -> dict[str, np.ndarray]:
        try:
            answer = self._embedded.infer(model, version, inputs, timeout_s=left_s)
        except ModelError as error:
            self._count(model, version, EMBEDDED, _word(error))
            raise
        self._count(model, version, EMBEDDED, "ok")
        return answer

    def _compare(self, model: str, version: int, theirs: Arrays, ours: Arrays) -> None:
        """Where ours are numbers and theirs are not, it is theirs that are wrong."""
        worse = any(
            np.any(np.isfinite(ours[name]) & ~np.isfinite(array))
            for name, array in theirs.items()
        )
        self._count(model, version, TRITON, "not_finite" if worse else "ok")
        if worse:
            self._mark(model, version, "not_finite", at_once=True)
        else:
            self._here().breakers.succeeded((model, version))

    def _mark(self, model: str, version: int, reason: str, *, at_once: bool) -> None:
        here = self._here()
        if here.breakers.failed((model, version), reason, at_once=at_once):
            log.warning("%s version %d in this process: %s", model, version, reason)
            here.prober.awake((model, version))

    def _count(self, model: str, version: int, server: str, outcome: str) -> None:
        here = self._here()
        with here.counting:
            here.calls[model, version, server, outcome] += 1

    def _here(self) -> _Process:
        pid = os.getpid()
        found = self._processes.get(pid)
        if found is None:
            made = _Process(self._triton, self._every_s)
            found = self._processes.setdefault(pid, made)
        return found


def _finite(answer: Arrays) -> bool:
    return all(bool(np.isfinite(array).all()) for array in answer.values())


def _word(error: ModelError) -> str:
    return type(error).__name__.removeprefix("Model").lower()
