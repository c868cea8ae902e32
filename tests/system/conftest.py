"""Real parts for the system tests: an installation of its own, the sandbox EHR."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.jobs.sandbox_process import sandbox

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """MindTwin as an operator runs it: own folder, own database, own processes."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.environment = {
            **os.environ,
            "MINDTWIN_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "backend.settings.embedded",
            "PYTHONWARNINGS": "error",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a Python program of ours; its exit status has to be `code`."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr[-3000:] + done.stdout[-2000:]
        return done

    def manage(self, *arguments: str, code: int = 0) -> str:
        """`manage.py` with these arguments; returns what it printed."""
        return self.run("manage.py", *arguments, code=code).stdout


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A fresh, migrated installation."""
    made = Installation(tmp_path / "var")
    made.var.mkdir()
    made.manage("migrate", "-v", "0")
    return made


@pytest.fixture
def ehr_url(tmp_path: Path) -> Iterator[str]:
    """The sandbox EHR, empty, on a port of its own."""
    with sandbox(tmp_path / "ehr.ndjson") as url:
        yield url
