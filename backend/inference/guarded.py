"""Triton first, and the same versions in this process where Triton fails.

    Triton ── proven, answers, finite ──────> its answer
      │ wrong golden case, no answer, or not a number
      └> in this process ── its answer, and a mark against Triton

Proven is what answered its golden case by the connection there is; the first caller
asks for it. Marks open a breaker: then nobody waits for Triton, and a thread in the
background finds out when it is well again, or makes it so.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from backend.inference.breaker import Breakers
from backend.inference.known import Key
from backend.inference.prober import CANARY_S, Probed, Prober
from backend.inference.proofs import UNPROVEN, WRONG, Proofs
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
_WRONG = {WRONG, "not_finite"}


class Loading(ModelServer, Protocol):
    """A model server that is told what to serve."""

    def load(self, model: str, versions: Collection[int]) -> None:
        """Serve exactly these versions."""

    def prepare(self, model: str, version: int) -> None:
        """Have the version ready for its first call."""


class _Process:
    """What must not be shared over a fork: locks, counts, proofs, the thread."""

    def __init__(self, triton: Probed, **options: Any) -> None:
        self.breakers: Breakers[Key] = Breakers()
        self.proofs = Proofs(triton)
        self.calls: Counter[tuple[str, int, str, str]] = Counter()
        self.counting = threading.Lock()
        self.prober = Prober(triton, self.proofs, self.breakers, **options)

    def count(self, key: Key, server: str, outcome: str) -> None:
        with self.counting:
            self.calls[*key, server, outcome] += 1


class GuardedServer:
    """Implements `twin.ports.ModelServer` over a Triton server and an embedded one."""

    def __init__(
        self,
        triton: Probed,
        embedded: Loading,
        *,
        wanted: Mapping[str, Collection[int]] | None = None,
        probe_every_s: float = 1.0,
        share_s: float = SHARE_S,
    ) -> None:
        """`wanted` versions are loaded in the background once somebody asks for any.

        `share_s` is the most seconds of a call that Triton is waited for.
        """
        self._triton, self._embedded = triton, embedded
        self._wanted, self._every_s, self._share_s = wanted, probe_every_s, share_s
        self._processes: dict[int, _Process] = {}

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Named arrays in, first axis is the batch; named arrays out.

        Raises ModelRefused and ModelUntrusted as either server does, and the error of
        this process where it, too, has no answer.
        """
        deadline = time.monotonic() + timeout_s
        key, here = (model, version), self._here()
        here.prober.awake(key)
        theirs = None
        if here.breakers.closed(key):
            share_s = min(self._share_s, SHARE * timeout_s)
            theirs = self._ask_triton(here, key, inputs, share_s)
            if theirs is not None and _finite(theirs):
                here.breakers.succeeded(key)
                here.count(key, TRITON, "ok")
                return theirs
        answer = self._ask_here(here, key, inputs, deadline - time.monotonic())
        if theirs is not None:
            _compare(here, key, theirs, answer)
        return answer

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case on both; raise unless the answers are known.

        Triton's wrong answer raises ModelUntrusted and opens the breaker: what is wrong
        is served no more. Where Triton gives none, the version is still served, by this
        process: that raises nothing, and `state` tells it.
        """
        self._embedded.canary(model, version)
        key, here = (model, version), self._here()
        opened = here.breakers.opened().get(key)
        if opened:
            here.prober.awake(key)
            if opened not in _WRONG:
                return  # nobody waits for a server known to be away
        with suppress(TritonFailed):
            self._ask_golden(key)

    def load(self, model: str, versions: Collection[int]) -> None:
        """Have both serve exactly these versions; each has answered its golden case.

        Raises what either raises; this process serves them as soon as it can.
        """
        here = self._here()
        self._embedded.load(model, versions)
        here.prober.wanted[model] = frozenset(versions)
        here.proofs.forget(model)
        self._triton.load(model, versions)
        for version in sorted(versions):
            self._ask_golden((model, version))
            here.breakers.close((model, version))

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

    def _ask_golden(self, key: Key) -> None:
        """Triton's golden case; whatever it raises opens the breaker."""
        here = self._here()
        try:
            here.proofs.prove(key, timeout_s=CANARY_S)
        except (ModelUntrusted, TritonFailed) as error:
            here.prober.failed(key, getattr(error, "status", WRONG))
            here.prober.awake(key)
            raise

    def _ask_triton(
        self, here: _Process, key: Key, inputs: Arrays, share_s: float
    ) -> dict[str, np.ndarray] | None:
        """Triton's answer within its share of the time; None where it failed."""
        end = time.monotonic() + share_s
        try:
            here.proofs.vouch(key, timeout_s=share_s)
            left_s = end - time.monotonic()
            answer = self._triton.infer(*key, inputs, timeout_s=left_s)
            here.proofs.vouch(key, timeout_s=left_s)  # the connection may be another
        except (ModelRefused, ModelUntrusted) as error:
            here.count(key, TRITON, _word(error))
            raise
        except TritonFailed as error:
            here.count(key, TRITON, error.status)
            if error.status != UNPROVEN:
                here.prober.failed(key, error.status)
        except ModelUnavailable:  # not in its catalogue, or no time: Triton knows not
            here.count(key, TRITON, "unknown")
        else:
            return answer
        return None

    def _ask_here(
        self, here: _Process, key: Key, inputs: Arrays, left_s: float
    ) -> dict[str, np.ndarray]:
        try:
            answer = self._embedded.infer(*key, inputs, timeout_s=left_s)
        except ModelError as error:
            here.count(key, EMBEDDED, _word(error))
            raise
        here.count(key, EMBEDDED, "ok")
        return answer

    def _here(self) -> _Process:
        pid = os.getpid()
        found = self._processes.get(pid)
        if found is None:
            made = _Process(
                self._triton,
                every_s=self._every_s,
                wanted=self._wanted or {},
                prepare=self._embedded.prepare,
            )
            found = self._processes.setdefault(pid, made)
        return found


def _finite(answer: Arrays) -> bool:
    return all(bool(np.isfinite(array).all()) for array in answer.values())


def _compare(here: _Process, key: Key, theirs: Arrays, ours: Arrays) -> None:
    """Where ours are numbers and theirs are not, it is theirs that are wrong."""
    worse = any(
        np.any(np.isfinite(ours[name]) & ~np.isfinite(array))
        for name, array in theirs.items()
    )
    here.count(key, TRITON, "not_finite" if worse else "ok")
    if worse:
        here.prober.failed(key, "not_finite")
    else:
        here.breakers.succeeded(key)


def _word(error: ModelError) -> str:
    return type(error).__name__.removeprefix("Model").lower()
