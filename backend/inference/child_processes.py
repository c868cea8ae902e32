"""Child processes that do not outlive us, and what runs below one; Linux only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

# The wish outlives exec; 1 is PR_SET_PDEATHSIG. The parent may have died before it was
# uttered, so it is looked for afterwards.
_TIE = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.getppid() == int(sys.argv[1]) or os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied_to_us(command: Sequence[str]) -> list[str]:
    """The command, killed as soon as the thread that starts it ends, kill -9 included.

    By way of a Python that becomes the command, for a `preexec_fn` may hang where there
    are threads.
    """
    return [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *command]


def children(pid: int) -> Iterator[tuple[int, list[str]]]:
    """Process id and arguments of each direct child that runs."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            words = (entry / "cmdline").read_text().rstrip("\0").split("\0")
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == pid and words != [""]:  # a zombie has no arguments
            yield int(entry.name), words
