"""Parts of docs/benchmarks.md, which several commands write."""

from __future__ import annotations

import os
import platform
import re
import subprocess  # asks git, with fixed words
from pathlib import Path

LAST = "Speed"  # stays at the end of the page
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def parts(page: str) -> dict[str, str]:
    """The page by its headings of the first order, each with the text up to the next.

    Text before the first heading is dropped.
    """
    found = list(_HEADING.finditer(page))
    ends = [one.start() for one in found[1:]] + [len(page)]
    return {
        one[1]: page[one.start() : end] for one, end in zip(found, ends, strict=False)
    }


def with_part(page: str, text: str) -> str:
    """The page with a part replaced, or put in before the last one.

    `text` begins with the part's heading.
    """
    ((name, body),) = parts(text).items()
    whole = parts(page)
    last = whole.pop(LAST, "") if name not in whole and name != LAST else ""
    whole[name] = body
    return "\n".join(one.strip("\n") + "\n" for one in (*whole.values(), last) if one)


def rewrite(path: Path, text: str) -> None:
    """Put one part into the page, whichever others it has."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(with_part(old, text), encoding="utf-8")


def commit(root: Path) -> str:
    """The commit of the code, and whether the tree has changes beside it."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    found = subprocess.run(  # noqa: S603 - fixed words
        words, cwd=root, check=False, capture_output=True, text=True
    )
    return found.stdout.strip() or "unknown"


def machine() -> str:
    """Processor, cores, system and Python: what a time was taken on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
