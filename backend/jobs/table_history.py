"""The text of a table in an earlier commit, where the history is at hand."""

from __future__ import annotations

import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = "backend/twin/tables"


def text_at(commit: str, name: str) -> str | None:
    """The table as of that commit; None where it is not there, or no history is."""
    try:
        done = subprocess.run(  # noqa: S603 - git, and a commit named by an operator
            ["git", "show", "--end-of-options", f"{commit}:{_FOLDER}/{name}"],  # noqa: S607
            cwd=_ROOT,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout.decode() if done.returncode == 0 else None
