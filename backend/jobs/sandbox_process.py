"""The sandbox EHR as a process of its own, spoken to over loopback HTTP only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SandboxFailed(RuntimeError):
    """The sandbox EHR did not come up."""


@contextmanager
def sandbox(store: Path, *, port: int = 0) -> Iterator[str]:
    """Run the sandbox while the block runs; gives its base URL. Port 0: any free."""
    store.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fhir_integration.sandbox"]
    process = subprocess.Popen(  # noqa: S603 - our own module, arguments are ours
        [*command, "--store", str(store), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line.startswith("http://127.0.0.1:"):
            raise SandboxFailed("the sandbox EHR did not start; is its port taken?")
        yield line
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout:
            process.stdout.close()
