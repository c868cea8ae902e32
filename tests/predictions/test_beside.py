"""Work beside an answer: in one thread, bounded, and never the caller's trouble."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection

from backend.people.models import Site
from backend.predictions import beside

FORKED = """
import os
from backend.predictions import beside
beside.later("first", list)
assert beside.wait(5.0) and beside._line._thread.is_alive()
beside._line.count("first", "dropped")
child = os.fork()
if not child:
    done = []
    beside.later("second", lambda: done.append(os.getpid()))
    ok = beside.wait(5.0) and done == [os.getpid()] and not beside.lost()
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0
beside.later("last", lambda: print("done at the end", flush=True))
"""


@pytest.fixture(autouse=True)
def _own_line(monkeypatch):
    monkeypatch.setattr(beside, "_line", beside._Line())


@pytest.fixture
def gate():
    """What keeps the thread busy until the test ends."""
    opened = threading.Event()
    yield opened
    opened.set()


def fails(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize("do", [beside.at_once, beside.later])
@pytest.mark.parametrize("error", [MemoryError, OSError, RuntimeError, KeyError])
def test_no_error_of_it_reaches_the_caller(do, error, caplog):
    do("shadows", fails(error("score 4.0")))
    assert beside.wait(5.0)
    assert beside.lost() == {("shadows", "failed"): 1}
    assert error.__name__ in caplog.text
    assert "4.0" not in caplog.text


def test_what_ends_the_process_passes():
    with pytest.raises(KeyboardInterrupt):
        beside.at_once("shadows", fails(KeyboardInterrupt()))


def test_nobody_waits_and_the_thread_outlives_an_error(gate):
    done = []
    beside.later("slow", lambda: gate.wait(10.0))
    beside.later("bad", fails(ValueError()))
    begun = time.monotonic()
    beside.later("good", lambda: done.append(threading.current_thread().daemon))
    assert time.monotonic() - begun < 1.0
    assert done == []
    assert not beside.wait(0.01)
    gate.set()
    assert beside.wait(5.0)
    assert done == [True]


def test_what_does_not_fit_is_dropped_and_counted(gate):
    begun = threading.Event()
    done = []
    beside.later("slow", lambda: (begun.set(), gate.wait(10.0)))
    assert begun.wait(5.0)
    for number in range(beside.PLACES + 3):
        beside.later("shadows", lambda number=number: done.append(number))
    assert not beside.wait(0.01)  # it has no place either
    assert beside.lost() == {("shadows", "dropped"): 3}
    gate.set()
    assert beside.wait(5.0)
    assert done == list(range(beside.PLACES))


def test_without_a_thread_nothing_was_lost_but_that(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", fails_to_start)
    beside.later("shadows", list)
    assert beside.lost() == {("shadows", "failed"): 1}
    assert beside.wait(0.0)


def fails_to_start(_thread):
    raise RuntimeError("can't start new thread")


def test_within_a_transaction_it_is_done_at_once(db):
    done = []
    beside.later("shadows", lambda: done.append(threading.current_thread()))
    assert done == [threading.current_thread()]


@pytest.mark.django_db(transaction=True)
def test_its_connection_is_its_own_and_closed_afterwards():
    used = []

    def work():
        Site.objects.count()
        used.append((connection.connection, connection._connections[connection._alias]))

    Site.objects.count()
    beside.later("shadows", work)
    assert beside.wait(5.0)
    ((raw, wrapper),) = used
    assert raw is not None
    assert raw is not connection.connection
    assert wrapper.connection is None


def test_a_forked_process_has_a_thread_of_its_own_and_ends_with_its_work_done():
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "backend.settings.test"}
    ran = subprocess.run(
        [sys.executable, "-c", FORKED],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "done at the end\n"
