"""The real Triton for tests: NVIDIA's server from its wheel, on a repository's copy.

Never skipped: `make test` installs the wheel. Who kills, freezes or starves the server
takes one of his own (`triton_of`), not the session's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.inference.triton_process import TritonOptions, TritonProcess

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "model_repository"
VENV = ROOT / os.environ.get("MINDTWIN_TRITON_VENV", ".triton")
ADMIN_KEY = "of-the-tests"


def copy_of_the_repository(folder: Path) -> Path:
    """The shipped models, to be changed at will."""
    return Path(shutil.copytree(SHIPPED, folder / "model_repository"))


def triton_of(repository: Path, folder: Path, **options: object) -> TritonProcess:
    """A server, not started, whose scratch lies in `folder`; the key is ADMIN_KEY."""
    return TritonProcess(
        TritonOptions(
            **{
                "repository": repository,
                "venv": VENV,
                "folder": folder / "triton",
                "admin_key": ADMIN_KEY,
                **options,
            }
        )
    )


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    """One server a session, with every shipped version loaded; leave it as it is."""
    folder = tmp_path_factory.mktemp("triton")
    with triton_of(copy_of_the_repository(folder), folder) as running:
        yield running
