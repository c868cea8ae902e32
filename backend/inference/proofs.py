"""Which versions Triton is believed in: those that answered their golden case to us."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from backend.inference.known import Key
from backend.inference.triton import TritonFailed
from backend.twin.errors import ModelError, ModelUntrusted

AGAIN_S = 60.0  # files may be loaded anew behind the same connection
UNPROVEN, WRONG = "unproven", "wrong"


class Proving(Protocol):
    """What a proof needs of a server."""

    @property
    def connection(self) -> int:
        """Another number after each loss of the connection."""

    def canary(self, model: str, version: int, *, timeout_s: float = ...) -> None:
        """Ask for the golden case."""


class Proofs:
    """Proofs hold for one connection of one process: behind another one there may be
    other files, which Triton loads without a look at their signatures.
    """

    def __init__(self, triton: Proving) -> None:
        self._triton = triton
        self._proven: dict[Key, tuple[int, float]] = {}
        self._asking: dict[Key, threading.Lock] = {}

    def holds(self, key: Key) -> bool:
        """Whether the version was proven on the connection that there is now."""
        found = self._proven.get(key)
        return found is not None and found[0] == self._triton.connection

    def age_s(self, key: Key) -> float:
        """Seconds since the last proof; 0 without one."""
        found = self._proven.get(key)
        return time.monotonic() - found[1] if found else 0.0

    def vouch(self, key: Key, *, timeout_s: float) -> None:
        """See that it holds: ask, or wait for the caller who is at it.

        Raises TritonFailed: "wrong", "unproven" where another's proof failed or takes
        too long, or whatever kept the server from answering; other errors as `prove`.
        """
        if self.holds(key):
            return
        end = time.monotonic() + timeout_s
        turn = self._asking.setdefault(key, threading.Lock())
        if turn.acquire(blocking=False):
            try:
                while not self.holds(key):  # a connection settles while it is made
                    self.prove(key, timeout_s=end - time.monotonic())
            except ModelUntrusted:
                raise TritonFailed(key[0], WRONG) from None
            finally:
                turn.release()
            return
        if turn.acquire(timeout=max(0.0, timeout_s)):
            turn.release()
        if not self.holds(key):
            raise TritonFailed(key[0], UNPROVEN)

    def prove(self, key: Key, *, timeout_s: float) -> None:
        """Ask for the golden case. Raises as `canary`; then nothing is proven."""
        connection = self._triton.connection
        try:
            self._triton.canary(*key, timeout_s=timeout_s)
        except ModelError:
            self._proven.pop(key, None)
            raise
        self._proven[key] = connection, time.monotonic()

    def forget(self, model: str, version: int | None = None) -> None:
        """Believe this version no more, or none of the model."""
        for key in list(self._proven):
            if key == (model, version) or (version is None and key[0] == model):
                self._proven.pop(key, None)
