"""Work beside an answer: whatever becomes of it, the answer was given.

Where somebody waits, `later` hands it to the one thread that this process has for it;
what does not fit into its queue is dropped and counted. Commands do it `at_once`.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Full, Queue
from types import TracebackType

from django.db import connection, connections

PLACES = 16  # each holds one patient's record in memory
END_S = 2.0  # that a process which ends gives to what still waits

Work = Callable[[], object]
Beside = Callable[[str, Work], None]  # a name of ours for the log, and the work

_log = logging.getLogger("mindtwin.predictions")


def at_once(name: str, work: Work) -> None:
    """Do it now. Raises nothing: see `_Contained`."""
    with _Contained(name):
        work()


def later(name: str, work: Work) -> None:
    """Do it after the answer, in this process' thread, or drop it. Raises nothing.

    Within a transaction it is done at once: the thread has a connection of its own and
    would not see what is not committed.
    """
    if connection.in_atomic_block:
        at_once(name, work)
        return
    with _Contained(name):  # a process may have no thread left to start
        _line.put(name, work)


def wait(timeout_s: float) -> bool:
    """Until all that was handed over so far is done; False where time ran out."""
    return _line.wait(timeout_s)


def lost() -> Mapping[tuple[str, str], int]:
    """How much was "dropped" or "failed" in this process, by name and that word."""
    with _line.counting:
        return dict(_line.lost)


class _Contained:
    """Ends every error inside, and tells its class alone: its words may quote a record.

    As broad as can be, on purpose. A library or a driver may raise what nobody foresaw
    (MemoryError, OSError, RuntimeError), and none of it is worth an answer that is
    stored already. What ends the process passes.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        _line.count(self._name, "failed")
        _log.warning("%s beside an answer: %s", self._name, kind.__name__)
        return True


class _Line:
    """A queue and the daemon thread that works it off, begun with the first work."""

    def __init__(self) -> None:
        self.counting = threading.Lock()
        self.lost: Counter[tuple[str, str]] = Counter()
        self._queue: Queue[tuple[str, Work]] = Queue(PLACES)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def count(self, name: str, why: str) -> None:
        with self.counting:
            self.lost[name, why] += 1

    def put(self, name: str, work: Work) -> None:
        self._begin()
        try:
            self._queue.put_nowait((name, work))
        except Full:
            self.count(name, "dropped")

    def wait(self, timeout_s: float) -> bool:
        if self._thread is None:
            return True
        reached = threading.Event()
        try:
            self._queue.put(("the end", reached.set), timeout=timeout_s)
        except Full:
            return False
        return reached.wait(timeout_s)

    def _begin(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(
                    target=self._run, name="beside-answers", daemon=True
                )
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while True:
            name, work = self._queue.get()
            with _connected():
                at_once(name, work)
            del work  # the next may be long in coming, and this holds a record


@contextmanager
def _connected() -> Iterator[None]:
    """This thread's connections are closed afterwards: nobody else would do it."""
    try:
        yield
    finally:
        with _Contained("closing"):
            connections.close_all()


def _anew() -> None:
    """A forked process has the memory of its parent, and none of its threads."""
    global _line  # noqa: PLW0603 - one line per process
    _line = _Line()


_line = _Line()
os.register_at_fork(after_in_child=_anew)
atexit.register(wait, END_S)
