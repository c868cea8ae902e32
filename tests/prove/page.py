"""docs/reliability.md: one section a proof, each replaced by the next run."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
HEAD = "# Reliability\n\nWritten by `make prove`.\n"


def write_section(title: str, body: str) -> None:
    """Put the section in place of the one of that title, or at the end."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    parts = re.split(r"(?m)^(?=## )", old)
    kept = [part for part in parts if not part.startswith(f"## {title}\n")]
    section = f"## {title}\n\n{_run()}\n{body.strip()}\n"
    PAGE.write_text("\n".join(p.strip() + "\n" for p in [*kept, section]), "utf-8")


def _run() -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    return (
        f"- command: `make prove`\n- code: {commit or 'unknown'}\n"
        f"- machine: {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}\n"
    )
