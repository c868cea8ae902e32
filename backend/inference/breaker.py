"""Who is not asked for a while, because asking failed: one breaker per key.

Closed: asked. After so many failures in a row, or one that leaves no doubt: open, not
asked, until somebody who probed it in the background closes it again.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FAILURES = 3  # in a row; by then every caller would wait in vain
SOFT = {"deadline_exceeded", "cancelled"}  # may be a busy moment; all others open it


class Breakers(Generic[K]):
    """Breakers by key; threads may share them. A success costs one look-up."""

    def __init__(self, *, failures: int = FAILURES) -> None:
        self._limit = failures
        self._lock = threading.Lock()
        self._failures: dict[K, int] = {}
        self._open: dict[K, str] = {}
        self._seen: set[K] = set()

    def closed(self, key: K) -> bool:
        """Whether to ask."""
        return key not in self._open

    def succeeded(self, key: K) -> None:
        """An answer came: failures before it do not count. It closes nothing."""
        if key not in self._seen or key in self._failures:
            with self._lock:
                self._seen.add(key)
                self._failures.pop(key, None)

    def failed(self, key: K, reason: str) -> bool:
        """Count a failure; true where it was the one that opened the breaker."""
        with self._lock:
            if key in self._open:
                return False
            count = self._failures.get(key, 0) + 1
            self._failures[key] = count
            if reason in SOFT and count < self._limit:
                return False
            self._open[key] = reason
            return True

    def open_all(self, reason: str) -> None:
        """Open all that were ever asked: what is behind every one of them is gone."""
        with self._lock:
            self._open = dict.fromkeys(self._seen, reason) | self._open

    def close(self, key: K) -> None:
        """Ask again, as if nothing had been."""
        with self._lock:
            self._open.pop(key, None)
            self._failures.pop(key, None)

    def opened(self) -> dict[K, str]:
        """Every open one, with the word for why."""
        with self._lock:
            return dict(self._open)
