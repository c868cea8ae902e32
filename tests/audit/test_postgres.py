"""The same log on PostgreSQL: contract, triggers, threads and processes."""

from __future__ import annotations

from functools import partial


def test_postgres_keeps_the_contract(appender, answer, postgres, tmp_path) -> None:
    append = partial(appender, tmp_path, LEDGER_POSTGRES=postgres)
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
