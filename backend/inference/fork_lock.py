"""A lock for what processes that fork inherit."""

from __future__ import annotations

import os
import threading


class ForkLock:
    """One lock per process: a child finds it open, whoever held it in the parent."""

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __enter__(self) -> None:
        lock = self._locks.get(os.getpid())
        if lock is None:
            lock = self._locks.setdefault(os.getpid(), threading.Lock())
        lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._locks[os.getpid()].release()
