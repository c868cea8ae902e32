"""The grouped writer: many requests' entries in one commit.

Eight threads that each commit to SQLite queue up behind its write lock, with waits of
up to a second at the 99th percentile. One thread that gathers entries for a few
milliseconds and commits them together keeps every wait short; each caller still waits
until its own entry is on disk.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from weakref import WeakSet

from django import db

from backend.audit.entry import Entry
from backend.twin.errors import AuditUnavailable

WINDOW_S = 0.003  # how long the first entry of a group waits for company
GROUP = 256  # entries in one commit at most; bounds what a crash leaves unanchored
WAIT_S = 10.0  # how long a caller waits before it is refused

_log = logging.getLogger("mindtwin.audit")

Write = Callable[[Sequence[Entry]], None]
_Job = tuple[Entry, "Future[None]"]


class GroupWriter:
    """One daemon thread with a database connection of its own, started on first use.

    A forked child has no copy of the thread; it starts its own.
    """

    def __init__(self, write: Write, *, wait_s: float = WAIT_S) -> None:
        self._write = write
        self._wait_s = wait_s
        self.forget()
        _writers.add(self)

    def put(self, entry: Entry) -> None:
        """Hand over an entry and wait until it is committed and anchored.

        Raises AuditUnavailable when that fails or takes too long. An entry that is
        late but under way may still be written: the log then says too much, never
        too little.
        """
        done: Future[None] = Future()
        self._running().put((entry, done))
        try:
            done.result(self._wait_s)
        except TimeoutError:
            done.cancel()
            raise AuditUnavailable("the audit writer did not answer in time") from None

    def close(self) -> None:
        """Write what is queued, then end the thread and close its connection."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        self.forget()

    def forget(self) -> None:
        """Start afresh, as a forked child must: threads are not copied by a fork."""
        self._guard = threading.Lock()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def _running(self) -> SimpleQueue[_Job | None]:
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=_serve,
                    args=(self._queue, self._write),
                    name="audit-writer",
                    daemon=True,
                )
                self._thread.start()
            return self._queue


_writers: WeakSet[GroupWriter] = WeakSet()


def _forget_all() -> None:
    for writer in _writers:
        writer.forget()


os.register_at_fork(after_in_child=_forget_all)


def _serve(queue: SimpleQueue[_Job | None], write: Write) -> None:
    open_ = True
    while open_:
        jobs, open_ = _gather(queue)
        live = [job for job in jobs if job[1].set_running_or_notify_cancel()]
        if live:
            _commit(live, write)
    db.connections.close_all()


def _gather(queue: SimpleQueue[_Job | None]) -> tuple[list[_Job], bool]:
    """Wait for a first entry, then take what comes within the window."""
    jobs: list[_Job] = []
    job = queue.get()
    until = time.monotonic() + WINDOW_S
    while job is not None:
        jobs.append(job)
        if len(jobs) == GROUP:
            return jobs, True
        try:
            job = queue.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return jobs, True
    return jobs, False


def _commit(jobs: list[_Job], write: Write) -> None:
    """Write the group; its callers all succeed or all are refused.

    An error that is not AuditUnavailable is a fault of ours: the callers are refused,
    and it ends the thread loudly. The next caller starts another.
    """
    refusal: AuditUnavailable | None = AuditUnavailable("the audit writer failed")
    try:
        _drop_dead_connection()
        write([entry for entry, _ in jobs])
        refusal = None
    except AuditUnavailable as error:
        refusal = error
        _log.error("%d audit entries refused: %s", len(jobs), error)
        db.connection.close()
    finally:
        for _, done in jobs:
            if refusal is None:
                done.set_result(None)
            else:
                done.set_exception(AuditUnavailable(str(refusal)))


def _drop_dead_connection() -> None:
    """Let a database that was restarted be connected to anew.

    Not `close_if_unusable_or_obsolete`: by default it closes a connection after every
    use, and closing the last one makes SQLite write its whole WAL back (25 ms).
    """
    if db.connection.connection is not None and not db.connection.is_usable():
        db.connection.close()
