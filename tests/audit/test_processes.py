"""Several threads and processes on one real database file."""

from __future__ import annotations

import shutil
import signal
import time
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def empty(appender, answer, tmp_path_factory) -> Path:
    """A folder with a database that was migrated once."""
    folder = tmp_path_factory.mktemp("empty")
    answer(appender(folder, "migrate"))
    return folder


@pytest.fixture
def migrated(appender, empty, tmp_path):
    """The appender on a copy of the empty database."""
    shutil.copytree(empty, tmp_path / "var")
    return partial(appender, tmp_path / "var")


def test_four_threads_share_commits_and_leave_no_gap(migrated, answer) -> None:
    report = answer(migrated("threads", "4", "50"))
    assert report["rows"] == 200
    assert report["commits"] < report["rows"] / 2
    assert report["connections"] == 0  # the writer keeps the one of the first row
    checked = answer(migrated("verify"))
    assert checked == {"rows": 201, "problems": [], "unanchored": 0}


def test_two_processes_keep_one_chain(migrated, answer) -> None:
    both = [migrated("threads", "2", "60"), migrated("inline", "60")]
    for process in both:
        answer(process)
    checked = answer(migrated("verify"))
    assert checked == {"rows": 181, "problems": [], "unanchored": 0}


def test_a_forked_child_writes_by_a_thread_of_its_own(migrated, answer) -> None:
    assert answer(migrated("fork")) == {"status": 0}
    assert answer(migrated("verify"))["rows"] == 3


def test_kill_9_loses_no_row_that_was_promised(migrated, answer) -> None:
    promised = 0
    for pause_s in (0.05, 0.11, 0.17):
        process = migrated("forever")
        process.stdout.readline()
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        promised += 1 + len(process.stdout.read().splitlines())
        process.wait()
        process.stdout.close()
    checked = answer(migrated("verify"))
    assert checked["problems"] == []
    assert promised <= checked["rows"] <= promised + 3
    assert checked["unanchored"] <= 1


def test_sqlite_keeps_the_contract(migrated, answer) -> None:
    report = answer(migrated("contract"))
    assert report.pop("vendor") == "sqlite"
    assert set(report.pop("refused").values()) == {True}
    assert report == {"rows": 6, "problems": [], "unanchored": 0}
