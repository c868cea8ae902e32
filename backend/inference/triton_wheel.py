"""What lies in the virtual environment of Triton's wheel, and how to run it there.

The wheel is `nvidia-pytriton`, pinned in docker/triton/constraints.txt; of it only the
server, its Python backend and the stubs are used, never its Python interface.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from backend.twin.errors import ModelUnavailable

STUB = "triton_python_backend_stub"
_ROOT = Path(__file__).resolve().parents[2]
_OURS = _ROOT / "docker" / "triton" / "onnxruntime"


class TritonWheel:
    """The wheel in one virtual environment.

    Raises ModelUnavailable where it is not installed, and says what installs it.
    """

    def __init__(self, venv: Path) -> None:
        self._bin = venv / "bin"
        try:
            text = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
        except OSError:
            text = ""
        told = dict(re.findall(r"^(\w+) = (.+)$", text, re.MULTILINE))
        self._minor = ".".join(told.get("version", "").split(".")[:2])
        self._home = Path(told.get("home", "/usr/bin"))
        self._site = venv / "lib" / f"python{self._minor}" / "site-packages"
        self._parts = self._site / "pytriton" / "tritonserver"
        self.server = self._parts / "bin" / "tritonserver"
        if not self.server.is_file():
            raise ModelUnavailable(
                f"Triton is not installed in {venv}: run make test or make triton"
            )

    def lay_out_backends(self, folder: Path) -> None:
        """Make the backend folder anew, of copies: Triton refuses links out of it."""
        stub = self._parts / "python_backend_stubs" / self._minor / STUB
        if not stub.is_file():
            raise ModelUnavailable(
                f"Triton's wheel has no stub for Python {self._minor}"
            )
        shutil.rmtree(folder, ignore_errors=True)
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            self._parts / "backends" / "python", folder / "python", ignore=skip
        )
        shutil.copy2(stub, folder / "python")
        shutil.copytree(_OURS, folder / "onnxruntime", ignore=skip)

    def environment(self) -> dict[str, str]:
        """All that the server sees; nothing of ours, which has keys in it.

        The stub ignores PYTHONPATH and takes the packages of the first python3 on PATH.
        It links CPython's library, which Debian keeps where the loader looks anyway.
        """
        libraries = self._site / "nvidia_pytriton.libs", self._home.parent / "lib"
        return {
            "PATH": f"{self._bin.absolute()}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": ":".join(str(path.absolute()) for path in libraries),
            "OPENBLAS_NUM_THREADS": "1",  # numpy only joins and splits rows there
        }
