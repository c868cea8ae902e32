"""Finds out when Triton is well again, and makes it so where a reload helps.

One thread per process, and only while a breaker is open. No request waits for it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Collection, Mapping
from typing import Protocol

from backend.inference.breaker import Breakers
from backend.inference.known import Key
from backend.twin.errors import ModelError, ModelUntrusted
from backend.twin.ports import ModelServer

CANARY_S = 3.0  # of a server that answers at all; a dead model process takes one
IDLE_S = 300.0  # what nobody asked for so long is forgotten: it may be retired
HEAL_S = 2.0  # between two attempts to heal a model
SLOWEST_S = 60.0  # between reloads that did not make wrong numbers right
_APART_S = 0.5  # by how much processes that see the same fault act apart
_AGAIN_S = 1.0  # a second look before force
_READY, _LOADING = "READY", "LOADING"
_LATE = "deadline_exceeded"

log = logging.getLogger("mindtwin.triton")


class Probed(ModelServer, Protocol):
    """What `inference.triton.TritonServer` is to those who guard it."""

    def canary(self, model: str, version: int, *, timeout_s: float = ...) -> None:
        """Ask for the golden case."""

    def load(self, model: str, versions: Collection[int]) -> None:
        """Serve exactly these versions."""

    def unload(self, model: str) -> None:
        """Serve none."""

    def ready(self, model: str, version: int) -> bool:
        """Whether the version is loaded."""

    def states(self, model: str) -> Mapping[int, str]:
        """What the server says of each version."""

    def alive(self) -> bool:
        """Whether it answers at all."""

    def reconnect(self) -> None:
        """Make a new connection."""


class Prober:
    """Closes breakers of versions that answer their golden case again.

    Where they do not, the model is loaded again: that heals a server that restarted
    empty, a version that was taken away, and a model process that died. Wrong numbers
    are not cured by force, so for those a reload comes more and more seldom; files that
    somebody put right are loaded at once.
    """

    def __init__(
        self, triton: Probed, breakers: Breakers[Key], *, every_s: float
    ) -> None:
        self.wanted: dict[str, Collection[int]] = {}  # as last asked for, by model
        self._triton, self._breakers, self._every_s = triton, breakers, every_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._asked_at: dict[Key, float] = {}
        self._late: set[Key] = set()
        self._heal_at: dict[str, float] = {}
        self._force_at: dict[Key, float] = {}
        self._pause_s: dict[Key, float] = {}

    def awake(self, key: Key) -> None:
        """Somebody asked for this: make sure that it is probed while it is open."""
        self._asked_at[key] = time.monotonic()
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="triton-prober", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Probe no more; waits for the round under way."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while self._needed():
                self._round()
                self._stop.wait(self._every_s)
        finally:  # whatever ended it, the next request starts another
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _needed(self) -> bool:
        with self._lock:  # so that nobody counts on a thread that is about to end
            if self._breakers.opened() and not self._stop.is_set():
                return True
            self._thread = None
            return False

    def _round(self) -> None:
        if not self._triton.alive():
            self._breakers.open_all("unavailable")  # nobody else need wait to find out
            self._triton.reconnect()
            return
        for key in self._breakers.opened():
            error = self._probe(key)
            if error is None:
                continue
            now = time.monotonic()
            if now - self._asked_at.setdefault(key, now) > IDLE_S:
                self._close(key)
            elif self._heal(key, error):
                self._probe(key)

    def _probe(self, key: Key, timeout_s: float = CANARY_S) -> ModelError | None:
        """Ask the canary; close the breaker where it answers as it should."""
        try:
            self._triton.canary(*key, timeout_s=timeout_s)
        except ModelError as error:
            return error
        self._close(key)
        log.warning("Triton answers again for %s version %d", *key)
        return None

    def _close(self, key: Key) -> None:
        self._breakers.close(key)
        self._late.discard(key)
        for times in (self._pause_s, self._force_at):
            times.pop(key, None)

    def _heal(self, key: Key, error: ModelError) -> bool:
        """Load the model again where it is time to; whether something was done."""
        model, version = key
        now = time.monotonic()
        if now < self._heal_at.get(model, now):
            return False
        self._heal_at[model] = now + HEAL_S
        try:
            states = self._triton.states(model)
            if states.get(version) == _LOADING:
                return False  # somebody is at it
            loaded = {number for number, state in states.items() if state == _READY}
            if version in loaded and self._may_force(key, error):
                if self._healed_by_another(key):
                    return False
                self._triton.unload(model)
            self._load(key, loaded)
        except (ModelError, OSError) as problem:
            log.warning("%s is not healed: %s", model, type(problem).__name__)
            return False
        return True

    def _may_force(self, key: Key, error: ModelError) -> bool:
        """Whether to unload first, which for a moment takes other versions away.

        A late answer may be a busy server's: only the second one counts.
        """
        now = time.monotonic()
        if getattr(error, "status", "") == _LATE and key not in self._late:
            self._late.add(key)
            return False
        if isinstance(error, ModelUntrusted) and now < self._force_at.get(key, now):
            return False
        pause = min(SLOWEST_S, 2 * self._pause_s.get(key, HEAL_S))
        self._pause_s[key], self._force_at[key] = pause, now + pause
        return True

    def _healed_by_another(self, key: Key) -> bool:
        """Processes that share a server must not each unload what another loaded."""
        self._stop.wait(random.uniform(0, _APART_S))  # noqa: S311 - no secret
        return self._probe(key, timeout_s=_AGAIN_S) is None

    def _load(self, key: Key, loaded: Collection[int]) -> None:
        """Load what was wanted, and never take away what another process loaded."""
        model, version = key
        least = {*loaded, version}
        opened = {number for name, number in self._breakers.opened() if name == model}
        try:
            self._triton.load(model, least | opened | {*self.wanted.get(model, ())})
        except ModelError:  # one of them may have been retired since
            self._triton.load(model, least)
