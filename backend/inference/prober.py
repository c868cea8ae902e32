"""Finds out when Triton is well or sick, and makes it well where a reload helps.

One thread per process, while somebody asks for models. No request waits for it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Protocol

from backend.inference.breaker import Breakers
from backend.inference.known import Key
from backend.inference.proofs import AGAIN_S, WRONG, Proofs, Proving
from backend.inference.triton import TritonFailed
from backend.twin.errors import ModelError, ModelUntrusted
from backend.twin.ports import ModelServer

CANARY_S = 3.0  # of a server that answers at all; a dead model process takes one
IDLE_S = 300.0  # what nobody asked for so long is probed no more: it may be retired
HEAL_S = 2.0  # to the second attempt to heal a version; then twice as long, and so on
SLOW_S = 4.0  # at most between attempts that take nothing away
SLOWEST_S = 60.0  # at most between those that do
_APART_S = 0.5  # by how much processes that see the same fault act apart
_AGAIN_S = 1.0  # a second look before force
_READY, _LOADING = "READY", "LOADING"
_LATE = "deadline_exceeded"

log = logging.getLogger("mindtwin.triton")


class Probed(ModelServer, Proving, Protocol):
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


class _Pace:
    """Lets something be done for a key again and again, each time after longer."""

    def __init__(self, slowest_s: float) -> None:
        self._slowest_s = slowest_s
        self._last: dict[Key, tuple[float, float]] = {}

    def due(self, key: Key) -> bool:
        """Whether it is time; then it counts as done."""
        now = time.monotonic()
        at, pause = self._last.get(key, (float("-inf"), 0.0))
        if now < at + pause:
            return False
        quiet = now - at > 2 * self._slowest_s
        pause = HEAL_S if quiet else min(self._slowest_s, 2 * pause)
        self._last[key] = now, pause
        return True

    def forget(self, key: Key) -> None:
        """Begin anew."""
        self._last.pop(key, None)


class Prober:
    """Asks for golden cases in the background; nothing else closes a breaker.

    Where a version fails, it is loaded again: that heals a server that restarted empty,
    a version that was taken away, and a model process that died. The others of its
    model stay meanwhile. What a reload does not cure is reloaded more and more seldom;
    files that somebody put right are loaded soon. What answers is asked again every
    minute: its files may have been overwritten and loaded anew.
    """

    def __init__(
        self,
        triton: Probed,
        proofs: Proofs,
        breakers: Breakers[Key],
        *,
        every_s: float,
        wanted: Mapping[str, Collection[int]],
        prepare: Callable[[str, int], None],
    ) -> None:
        """`wanted` is loaded at the start, and prepared in this process."""
        self.wanted: dict[str, Collection[int]] = dict(wanted)  # as last asked for
        self._triton, self._proofs, self._breakers = triton, proofs, breakers
        self._every_s, self._prepare = every_s, prepare
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._asked_at: dict[Key, float] = {}
        self._unheld = dict(wanted)
        self._prepared: set[Key] = set()
        self._late: set[Key] = set()
        self._heals, self._forces = _Pace(SLOW_S), _Pace(SLOWEST_S)

    def awake(self, key: Key) -> None:
        """Somebody asks for this: see that it is looked after."""
        with self._lock:
            self._asked_at[key] = time.monotonic()
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="triton-prober", daemon=True
                )
                self._thread.start()

    def failed(self, key: Key, reason: str) -> None:
        """Count a failure of Triton's."""
        if self._breakers.failed(key, reason):
            log.warning("%s version %d in this process: %s", *key, reason)

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
        """Whether anybody asks; what nobody asks for stays open, or has to be proven
        again.
        """
        with self._lock:  # so that nobody counts on a thread that is about to end
            since = time.monotonic() - IDLE_S
            for key in [key for key, at in self._asked_at.items() if at < since]:
                del self._asked_at[key]
                self._proofs.forget(*key)
            if self._asked_at and not self._stop.is_set():
                return True
            self._thread = None
            return False

    def _asked(self) -> set[Key]:
        with self._lock:
            return set(self._asked_at)

    def _round(self) -> None:
        asked = self._asked()
        self._ready_here(asked)
        opened = asked & self._breakers.opened().keys()
        if opened and not self._triton.alive():
            self._breakers.open_all("unavailable")  # nobody else need wait to find out
            self._triton.reconnect()
            return
        self._hold()
        for key in sorted(opened):
            error = self._probe(key)
            if error is not None and self._heal(key, error):
                self._probe(key)
        for key in asked - opened:
            if self._proofs.age_s(key) >= AGAIN_S:
                self._check(key)

    def _ready_here(self, asked: Collection[Key]) -> None:
        """Load the graphs, so that the first call in this process is in time."""
        wanted = {(model, one) for model, of in self.wanted.items() for one in of}
        for key in (wanted | set(asked)) - self._prepared:
            self._prepared.add(key)
            with suppress(ModelError, OSError):
                self._prepare(*key)

    def _hold(self) -> None:
        """Once: load what is wanted and not there, and take nothing away."""
        while self._unheld:
            model, versions = self._unheld.popitem()
            with suppress(ModelError, OSError):
                loaded = self._loaded(self._triton.states(model))
                if not loaded.issuperset(versions):
                    self._tell(model, {*loaded, *versions})

    def _check(self, key: Key) -> None:
        """Prove again what is believed."""
        try:
            self._proofs.prove(key, timeout_s=CANARY_S)
        except (ModelUntrusted, TritonFailed) as error:
            self.failed(key, getattr(error, "status", WRONG))
        except ModelError:
            return  # not in our own catalogue: Triton is not to blame

    def _probe(self, key: Key, timeout_s: float = CANARY_S) -> ModelError | None:
        """Ask for the golden case; close the breaker where it is answered rightly."""
        try:
            self._proofs.prove(key, timeout_s=timeout_s)
        except ModelError as error:
            return error
        self._breakers.close(key)
        self._late.discard(key)
        self._heals.forget(key)
        log.warning("Triton answers again for %s version %d", *key)
        return None

    def _heal(self, key: Key, error: ModelError) -> bool:
        """Load the version again where it is time to; whether something was done."""
        model, version = key
        if not self._heals.due(key):
            return False
        try:
            states = self._triton.states(model)
            if states.get(version) == _LOADING:
                return False  # somebody is at it
            loaded = self._loaded(states)
            if version in loaded and self._may_force(key, error):
                if self._healed_by_another(key):
                    return False
                self._tell(model, loaded - {version})
            self._load(key, loaded)
        except (ModelError, OSError) as problem:
            log.warning("%s is not healed: %s", model, type(problem).__name__)
            return False
        return True

    def _may_force(self, key: Key, error: ModelError) -> bool:
        """Whether to take it away first, which costs the server a start.

        A late answer may be a busy server's: only the second one counts.
        """
        if getattr(error, "status", "") == _LATE and key not in self._late:
            self._late.add(key)
            return False
        return self._forces.due(key)

    def _healed_by_another(self, key: Key) -> bool:
        """Processes that share a server must not each unload what another loaded."""
        self._stop.wait(random.uniform(0, _APART_S))  # noqa: S311 - no secret
        return self._probe(key, timeout_s=_AGAIN_S) is None

    def _load(self, key: Key, loaded: Collection[int]) -> None:
        """Load what was wanted, and never take away what another process loaded."""
        model, version = key
        least = {*loaded, version}
        opened = self._asked() & self._breakers.opened().keys()
        wanted = {number for name, number in opened if name == model}
        try:
            self._tell(model, least | wanted | {*self.wanted.get(model, ())})
        except ModelError:  # one of them may have been retired since
            self._tell(model, least)

    def _tell(self, model: str, versions: Collection[int]) -> None:
        try:
            self._triton.load(model, versions)
        finally:  # files that changed were read again
            self._proofs.forget(model)

    @staticmethod
    def _loaded(states: Mapping[int, str]) -> set[int]:
        return {version for version, state in states.items() if state == _READY}
