from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from backend.jobs.management.commands import tables
from backend.twin.pharmacogenomics.checked_table import TableReport, text_of
from backend.twin.pharmacogenomics.table_check import TABLES


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("tables", *arguments, stdout=out)
    return out.getvalue()


def test_whole_tables_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "text_at", lambda _commit, name: text_of(name))
    lines = run().splitlines()
    assert lines[0] == "alleles.toml: 367 rows, version 2025-11-05, 2024-08-27"
    assert "advice/dpwg_guidelines.csv: 26 rows, version 2024-03-25" in lines
    assert len(lines) == len(TABLES) + 1
    assert lines[-1] == "The tables are whole."


def test_changed_rows_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def earlier(commit: str, name: str) -> str | None:
        assert commit == "v1"
        changed = '"0.0"\nsource = "CPIC"\nalleles = """\n    *3 '
        return text_of(name).replace(changed, changed.replace("0.0", "0.25"), 1)

    monkeypatch.setattr(tables, "text_at", earlier)
    said = run("--since", "v1")
    assert "  - CYP2C9 *3: No function, 0.25 (CPIC)\n" in said
    assert "  + CYP2C9 *3: No function, 0.0 (CPIC)\n" in said


def test_a_new_table_is_said_to_be_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "text_at", lambda _commit, _name: None)
    assert run("--since", "v0").count("  not in v0: all rows are new\n") == len(TABLES)


def test_a_problem_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    report = TableReport("t.csv", ("1",), 2, ("A comes twice", "B is unknown"))
    monkeypatch.setattr(tables, "check_tables", lambda _before: (report,))
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 problems in the tables"):
        call_command("tables", stdout=out)
    assert "  PROBLEM  B is unknown\n" in out.getvalue()
