"""A short chain to read and to tamper with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from backend.audit.ledger import Action, Outcome, record

HERE = Path(__file__).parent
Process = subprocess.Popen[str]
Appender = Callable[..., Process]


@pytest.fixture
def chain_of(django_capture_on_commit_callbacks):
    """Write rows with 0 to 3 patients each, committed as far as the anchor knows."""

    def write(rows: int) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            for number in range(rows):
                record(
                    action=list(Action)[number % len(Action)],
                    actor=f"user:{number}",
                    outcome=list(Outcome)[number % 3],
                    patients=[UUID(int=number * 10 + i) for i in range(number % 4)],
                    detail={"count": number},
                )

    return write


@pytest.fixture(scope="session")
def appender() -> Appender:
    """Start `appending.py` in a process of its own, with its files in `folder`."""

    def start(folder: Path, *words: str, **environment: str) -> Process:
        own = {
            "DJANGO_SETTINGS_MODULE": "appending_settings",
            "MINDTWIN_VAR": str(folder),
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
        }
        return subprocess.Popen(
            [sys.executable, "-W", "error", str(HERE / "appending.py"), *words],
            env=os.environ | own | environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def answer() -> Callable[[Process], dict]:
    """Wait for a process to end well; the JSON it printed."""

    def wait(process: Process) -> dict:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return json.loads(out or "{}")

    return wait
