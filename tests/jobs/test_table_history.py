from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from backend.jobs import table_history
from backend.jobs.table_history import text_at

FOLDER = "backend/twin/tables"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(table_history, "_ROOT", tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "t.csv").write_text("≥3.0,UM\n", encoding="utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for step in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "One"]):
        subprocess.run(["git", *step], cwd=tmp_path, check=True)
    return tmp_path


def test_a_table_as_of_a_commit(repository: Path) -> None:
    (repository / FOLDER / "t.csv").write_text("other", encoding="utf-8")
    assert text_at("HEAD", "t.csv") == "≥3.0,UM\n"


@pytest.mark.parametrize(
    ("commit", "name"),
    [("HEAD", "u.csv"), ("HEAD~1", "t.csv"), ("--output=x", "t.csv")],
)
def test_what_is_not_there_is_none(repository: Path, commit: str, name: str) -> None:
    assert text_at(commit, name) is None
    assert [one.name for one in repository.glob("x*")] == []


def test_without_git_there_is_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert text_at("HEAD", "alleles.toml") is None
