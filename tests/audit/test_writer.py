"""The grouped writer, without a database: who waits, who is refused, who goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from backend.audit import writer
from backend.audit.entry import Action, Entry, Outcome, entry
from backend.audit.writer import GroupWriter
from backend.twin.errors import AuditUnavailable

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Write = Callable[[Sequence[Entry]], None]


def numbered(number: int) -> Entry:
    return entry(
        recorded=NOW,
        action=Action.READ,
        outcome=Outcome.SUCCESS,
        words=(f"user:{number}", "TREAT"),
        detail={},
        patients=[],
    )


@pytest.fixture
def start() -> Iterator[Callable[..., GroupWriter]]:
    started: list[GroupWriter] = []

    def make(write: Write, *, wait_s: float = 5.0) -> GroupWriter:
        started.append(GroupWriter(write, wait_s=wait_s))
        return started[-1]

    yield make
    for each in started:
        each.close()


def test_entries_of_many_callers_share_commits(start) -> None:
    groups: list[int] = []
    slow = threading.Event()

    def write(entries: Sequence[Entry]) -> None:
        groups.append(len(entries))
        slow.wait(0.02)

    together = start(write)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(together.put, map(numbered, range(80))))
    assert sum(groups) == 80
    assert len(groups) <= 40


def test_a_group_has_a_largest_size(start, monkeypatch) -> None:
    monkeypatch.setattr(writer, "GROUP", 3)
    groups: list[int] = []
    limited = start(lambda entries: groups.append(len(entries)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(limited.put, map(numbered, range(40))))
    assert sum(groups) == 40
    assert max(groups) <= 3


def test_a_caller_returns_after_its_entry_is_written(start) -> None:
    written: list[Entry] = []
    put = start(written.extend).put
    for number in range(5):
        put(numbered(number))
        assert written[-1] == numbered(number)


def test_the_whole_group_is_refused_and_the_next_is_not(start) -> None:
    answers = iter([AuditUnavailable("table gone"), None])

    def write(entries: Sequence[Entry]) -> None:
        if problem := next(answers):
            raise problem

    broken = start(write)
    with pytest.raises(AuditUnavailable, match="table gone"):
        broken.put(numbered(1))
    broken.put(numbered(2))


def test_a_caller_does_not_wait_for_ever(start) -> None:
    free = threading.Event()
    written: list[Entry] = []

    def write(entries: Sequence[Entry]) -> None:
        free.wait(5)
        written.extend(entries)

    stuck = start(write, wait_s=0.05)
    with pytest.raises(AuditUnavailable, match="in time"):
        stuck.put(numbered(1))  # under way: it is written later, one row too many
    with pytest.raises(AuditUnavailable, match="in time"):
        stuck.put(numbered(2))  # not begun: taken back
    free.set()
    stuck.close()
    assert written == [numbered(1)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_refuses_and_another_thread_takes_over(start) -> None:
    answers = iter([ZeroDivisionError(), None])

    def write(entries: Sequence[Entry]) -> None:
        if problem := next(answers):
            raise problem

    faulty = start(write)
    with pytest.raises(AuditUnavailable, match="failed"):
        faulty.put(numbered(1))
    for thread in threading.enumerate():
        if thread.name == "audit-writer":
            thread.join(5)
    faulty.put(numbered(2))


def test_closing_writes_what_is_queued_and_a_later_entry_starts_anew(start) -> None:
    written: list[Entry] = []
    closing = start(written.extend)
    closing.put(numbered(1))
    closing.close()
    closing.close()
    assert not [t for t in threading.enumerate() if t.name == "audit-writer"]
    closing.put(numbered(2))
    assert written == [numbered(1), numbered(2)]


def test_after_a_fork_the_parents_thread_is_forgotten(start) -> None:
    """What `os.register_at_fork` runs in the child; test_processes.py really forks."""
    written: list[Entry] = []
    forked = start(written.extend)
    forked.put(numbered(1))
    parents = next(t for t in threading.enumerate() if t.name == "audit-writer")
    parents_queue = forked._queue
    writer._forget_all()
    forked.put(numbered(2))
    assert written == [numbered(1), numbered(2)]
    parents_queue.put(None)
    parents.join(5)
