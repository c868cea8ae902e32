"""No EHR id, value or text of a record is in the database's files or the logs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CANARY = "Zz9Canary8Plural7"


def test_no_canary_is_in_any_file_or_log(tmp_path: Path) -> None:
    settings_folder = HERE.parent / "audit"
    own = {
        "DJANGO_SETTINGS_MODULE": "appending_settings",
        "MINDTWIN_VAR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(settings_folder), str(HERE.parents[1])]),
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "canary_process.py"), CANARY],
        env=os.environ | own,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    files = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert {"mindtwin.sqlite3", "mindtwin.sqlite3-wal", "audit.anchor"} <= set(files)
    written = b"".join([*files.values(), done.stdout, done.stderr])
    assert b"positive-control" in written
    for canary in (CANARY.encode(), CANARY.encode().hex().encode()):
        assert canary not in written
        assert canary.lower() not in written.lower()
