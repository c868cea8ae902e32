"""NVIDIA's Triton as a process of ours."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from backend.inference.child_processes import children
from backend.inference.triton_process import TritonProcess
from backend.inference.triton_wheel import TritonWheel
from backend.twin.errors import ModelUnavailable
from tests.triton import (
    ROOT,
    SHIPPED,
    as_inputs,
    golden_case,
    gone,
    triton_of,
)

MODEL = "symptom_xgboost"


def newest(model: str = MODEL) -> int:
    return max(int(path.name) for path in (SHIPPED / model).glob("[0-9]*"))


def shared_memory(server: TritonProcess) -> list[Path]:
    return list(Path("/dev/shm").glob(f"{server._name}*"))


def test_triton_answers_every_golden_case(triton: TritonProcess) -> None:
    client = triton.client()
    loaded = triton.options.models
    asked = [(m, v) for m, versions in loaded.items() for v in versions]
    assert {model for model, _ in asked} >= {MODEL, "symptom_transformer"}
    for model, version in asked:
        inputs, expected = golden_case(model, version)
        answer = client.infer(
            model, as_inputs(inputs), model_version=str(version), client_timeout=10
        )
        assert answer.get_response().model_version == str(version)
        for name, known in expected.items():
            np.testing.assert_allclose(answer.as_numpy(name), known, atol=1e-4)
    client.close()


def test_triton_counts_for_prometheus(triton: TritonProcess) -> None:
    told = httpx.get(triton.metrics_url).text
    assert f'nv_inference_request_success{{model="{MODEL}"' in told


@pytest.mark.parametrize("headers", [{}, {"triton-grpc-protocol-admin-key": "guessed"}])
def test_triton_keeps_control_to_who_has_the_key(
    triton: TritonProcess, headers: dict[str, str]
) -> None:
    client = triton.client()
    code = {"file:1/model.py": b"code of a stranger"}
    for control in (
        lambda: client.unload_model(MODEL, headers=headers),
        lambda: client.load_model(MODEL, headers=headers, config="{}", files=code),
        lambda: client.get_model_config(MODEL, headers=headers),
        lambda: client.get_log_settings(headers=headers),
    ):
        with pytest.raises(InferenceServerException, match="admin-key"):
            control()
    assert client.is_model_ready(MODEL, str(newest()))
    client.close()


def test_triton_is_not_told_our_keys(triton: TritonProcess) -> None:
    told = Path(f"/proc/{triton.pid}/environ").read_text().split("\0")
    names = {line.partition("=")[0] for line in told if line}
    assert {"PATH", "LD_LIBRARY_PATH"} <= names
    assert names <= {"PATH", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "LC_CTYPE"}


def test_triton_listens_on_loopback_only(triton: TritonProcess) -> None:
    files = [p.readlink().name for p in Path(f"/proc/{triton.pid}/fd").iterdir()]
    sockets = {name[8:-1] for name in files if name.startswith("socket:")}
    lines = []
    for table in ("tcp", "tcp6"):
        lines += Path(f"/proc/{triton.pid}/net/{table}").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    listening = {f[1] for f in fields if f[3] == "0A" and f[9] in sockets}
    assert len(listening) == 2
    # 127.0.0.1 as the kernel writes it, be it wrapped as IPv6 or not
    assert all(a.partition(":")[0].endswith("0100007F") for a in listening)


def test_triton_killed_leaves_no_stub_and_comes_back_where_it_was(
    tmp_path: Path,
) -> None:
    server = triton_of(SHIPPED, tmp_path, models={MODEL: [newest()]})
    with server:
        url, [stub] = server.grpc_url, server.stub_pids()[MODEL]
        os.kill(server.pid, signal.SIGKILL)
        assert gone(stub)
        assert not server.runs
        server.start()
        assert server.grpc_url == url
        [stub] = server.stub_pids()[MODEL]
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)  # frozen: it has to be ended all the same
        assert server.runs
    assert gone(pid)
    assert gone(stub)
    assert shared_memory(server) == []
    server.stop()  # a second time is nothing


def test_triton_ends_with_who_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.triton import triton_of\n"
        "server = triton_of(*map(Path, sys.argv[1:3]), models={sys.argv[3]: [%d]})\n"
        "server.start(); print(server.pid, server._name, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program % newest(), str(SHIPPED), str(tmp_path)]
    with subprocess.Popen(
        [*command, MODEL], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout
        server, name = parent.stdout.readline().split()
        stubs = [pid for pid, _ in children(int(server))]
        parent.kill()
    assert len(stubs) == 1
    assert all(gone(pid) for pid in (int(server), *stubs))
    for region in Path("/dev/shm").glob(f"{name}*"):
        region.unlink()  # a kill leaves them


def test_triton_says_why_it_does_not_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = triton_of(SHIPPED, tmp_path, grpc_port=port)
        with pytest.raises(ModelUnavailable, match=r"did not start: .*in use") as why:
            server.start()
    assert "\n" not in str(why.value)
    assert not server.runs


@pytest.mark.parametrize("versions", [[999], [newest(), 999]])
def test_triton_that_lacks_a_version_is_stopped(
    tmp_path: Path, versions: list[int]
) -> None:
    server = triton_of(SHIPPED, tmp_path, models={MODEL: versions})
    with pytest.raises(ModelUnavailable, match=f"'{MODEL}'.* version") as why:
        server.start()
    assert "\n" not in str(why.value)
    with pytest.raises(ModelUnavailable, match="not started"):
        server.pid  # noqa: B018 - asking is the test


def test_triton_missing_says_what_installs_it(tmp_path: Path) -> None:
    server = triton_of(SHIPPED, tmp_path, venv=tmp_path / "nowhere")
    with pytest.raises(ModelUnavailable, match="run make test"):
        server.start()


def test_triton_without_a_stub_for_this_python_says_so(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.99.1\n")
    parts = tmp_path / "lib/python3.99/site-packages/pytriton/tritonserver"
    (parts / "bin").mkdir(parents=True)
    (parts / "bin" / "tritonserver").touch()
    with pytest.raises(ModelUnavailable, match=r"no stub for Python 3\.99"):
        TritonWheel(tmp_path).lay_out_backends(tmp_path / "backends")


@pytest.mark.parametrize("key", ["a=b", "a,b", "a b", "a:b", "line\n"])
def test_triton_gets_no_key_that_its_flag_would_cut(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="admin key"):
        triton_of(SHIPPED, tmp_path, admin_key=key)
