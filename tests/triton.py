"""The real Triton for tests: NVIDIA's server from its wheel, on a repository's copy.

Never skipped: `make test` installs the wheel. Who kills, freezes or starves the server
takes one of his own (`triton_of`), not the session's.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc import InferInput
from tritonclient.utils import np_to_triton_dtype

from backend.inference import keys
from backend.inference.catalogue import read_catalogue
from backend.inference.triton_process import TritonOptions, TritonProcess, verified
from backend.twin.ports import Arrays

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "model_repository"
VENV = ROOT / os.environ.get("MINDTWIN_TRITON_VENV", ".triton")
ADMIN_KEY = "of-the-tests"


def copy_of_the_repository(folder: Path) -> Path:
    """The shipped models, to be changed at will."""
    return Path(shutil.copytree(SHIPPED, folder / "model_repository"))


def triton_of(repository: Path, folder: Path, **options: object) -> TritonProcess:
    """A server, not started, whose scratch lies in `folder`; the key is ADMIN_KEY.

    Unless told which, it loads every version that whoever ships MindTwin signed.
    """
    return TritonProcess(
        TritonOptions(
            **{
                "repository": repository,
                "venv": VENV,
                "folder": folder / "triton",
                "models": verified(read_catalogue(repository, trusted=[keys.SHIPPED])),
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


def as_inputs(arrays: Mapping[str, np.ndarray]) -> list[InferInput]:
    """Arrays as the raw client wants them."""
    made = []
    for name, array in arrays.items():
        kind = np_to_triton_dtype(array.dtype)
        tensor = InferInput(name, list(array.shape), kind)
        made.append(tensor.set_data_from_numpy(array))
    return made


def golden_case(model: str, version: int) -> tuple[Arrays, Arrays]:
    """Inputs and expected outputs of a shipped version, one batch of them."""
    with np.load(SHIPPED / model / str(version) / "golden.npz") as cases:
        rows = {name: cases[name][:64] for name in cases.files}
    inputs = {n[3:]: rows[n] for n in rows if n.startswith("in_")}
    return inputs, {n[4:]: rows[n] for n in rows if n.startswith("out_")}


def gone(pid: int) -> bool:
    """Whether a process has ended, be it reaped or not, within five seconds."""
    status = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            if status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
