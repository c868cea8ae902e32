"""`manage.py triton`, as an operator leaves it running."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from backend.inference.child_processes import children
from backend.inference.triton_process import ADMIN_HEADER
from tests.triton import ROOT, VENV, copy_of_the_repository, gone
from tests.versions import shipped_version

MODEL = "symptom_xgboost"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def running(port: int, var: Path, **more: str) -> subprocess.Popen[str]:
    """The command in an installation of its own, which needs no database."""
    ports = ["--port", str(port), "--metrics-port", str(free_port())]
    command = [sys.executable, "-u", "manage.py", "triton", "--venv", str(VENV)]
    environment = os.environ | {
        "MINDTWIN_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "backend.settings.embedded",
        "PYTHONWARNINGS": "error",
        **more,
    }
    return subprocess.Popen(
        [*command, *ports],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> str:
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError(f"ended without {word}: {''.join(lines)}")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_triton_runs_until_it_is_told_to_end(
    tmp_path: Path, end: signal.Signals
) -> None:
    port = free_port()
    with running(port, tmp_path) as process:
        try:
            printed = read_until(process, "Ctrl-C")
            [(server, _)] = children(process.pid)
            below = [server, *(pid for pid, _ in children(server))]
            assert re.search(rf"serves +{MODEL} \d+", printed)
            assert f"MINDTWIN_TRITON_URL=127.0.0.1:{port}" in printed
            control(port, key_in(printed))
            process.send_signal(end)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()  # if it has not ended by itself
    assert len(below) > 2
    assert all(gone(pid) for pid in below)


def key_in(printed: str) -> str:
    found = re.search(r"MINDTWIN_TRITON_ADMIN_KEY=(\S+)", printed)
    assert found
    return found[1]


def control(port: int, key: str) -> None:
    """The printed key opens model control; no key does not."""
    with contextlib.closing(InferenceServerClient(f"127.0.0.1:{port}")) as client:
        assert client.is_model_ready(MODEL)
        with pytest.raises(InferenceServerException, match="admin-key"):
            client.get_model_config(MODEL)
        assert client.get_model_config(MODEL, headers={ADMIN_HEADER: key})


def test_triton_that_ends_by_itself_is_said(tmp_path: Path) -> None:
    with running(free_port(), tmp_path) as process:
        read_until(process, "Ctrl-C")
        [(server, _)] = children(process.pid)
        subprocess.run(["kill", "-9", str(server)], check=True)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 1
    assert said.startswith("CommandError: Triton ended by itself;")


def test_triton_on_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running(taken.getsockname()[1], tmp_path) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"CommandError: Triton did not start: .*in use.*\n", said)


def test_triton_loads_only_what_verifies(tmp_path: Path) -> None:
    repository = copy_of_the_repository(tmp_path)
    version = shipped_version(MODEL)
    graph = repository / MODEL / str(version) / "model.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    where = {"MINDTWIN_MODEL_REPOSITORY": str(repository)}
    with running(free_port(), tmp_path, **where) as process:
        try:
            printed = read_until(process, "Ctrl-C")
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
    assert "serves  symptom_transformer" in printed
    assert MODEL not in printed
    assert (
        said == f"not loaded: {MODEL}/{version}: model.onnx was changed after signing\n"
    )
