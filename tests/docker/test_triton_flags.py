"""The real Triton, started by compose's own flags, with the documented certificates."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from backend.inference.triton_process import ADMIN_HEADER
from backend.inference.triton_wheel import TritonWheel
from tests.docker.test_compose import flags
from tests.triton import VENV, copy_of_the_repository

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "production.md").read_text("utf-8")
MODEL = "symptom_xgboost"


def recipe(name: str) -> str:
    """One of the guide's shell blocks, by the name in its first line."""
    (found,) = re.findall(rf"```sh\n *: {name}\n(.*?)```", GUIDE, flags=re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an operator has who followed the guide."""
    folder = tmp_path_factory.mktemp("private")
    for name in ("certificates", "secrets"):
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", recipe(name)],
            env={"PATH": os.environ["PATH"], "MINDTWIN_PRIVATE": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return folder


def test_the_guide_makes_every_secret_that_compose_names(private: Path) -> None:
    text = (ROOT / "docker" / "compose.yml").read_text("utf-8")
    named = set(re.findall(r"\$\{MINDTWIN_PRIVATE:\?[^}]*\}/([\w./]+)", text))
    assert len(named) > 12
    assert {name for name in named if not (private / name).exists()} == set()
    for path in private.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path.name


@dataclass
class Started:
    """A server and who may speak with it."""

    port: int
    metrics: int
    private: Path

    def client(self, *, tls: bool = True, known: bool = True) -> InferenceServerClient:
        folder = self.private / "tls" / "client"
        return InferenceServerClient(
            f"127.0.0.1:{self.port}",
            ssl=tls,
            root_certificates=str(folder / "ca.pem") if tls else None,
            private_key=str(folder / "client.key") if tls and known else None,
            certificate_chain=str(folder / "client.pem") if tls and known else None,
            # The certificate is for the server's name inside compose.
            channel_args=[("grpc.ssl_target_name_override", "triton")] if tls else None,
        )

    @property
    def key(self) -> dict[str, str]:
        path = self.private / "secrets" / "MINDTWIN_TRITON_ADMIN_KEY"
        return {ADMIN_HEADER: path.read_text().strip()}

    def lives(self) -> bool:
        """By the check that compose makes."""
        try:
            return httpx.get(
                f"http://127.0.0.1:{self.metrics}/metrics", trust_env=False
            ).is_success
        except httpx.TransportError:
            return False


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="module")
def started(
    private: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """By start-triton.sh; only paths, ports and the place of the backend differ."""
    folder, wheel = tmp_path_factory.mktemp("triton"), TritonWheel(VENV)
    wheel.lay_out_backends(folder / "backends")
    (folder / "tritonserver").symlink_to(wheel.server.absolute())
    server = Started(*free_ports(), private)
    script, *given = flags("triton")
    moved = {
        "/models": str(copy_of_the_repository(folder)),
        "/tls/": f"{private}/tls/triton/",
        "grpc-port=8001": f"grpc-port={server.port}",
        "metrics-port=8002": f"metrics-port={server.metrics}",
    }
    for old, new in moved.items():
        given = [flag.replace(old, new) for flag in given]
    environment = wheel.environment()
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    environment["SECRETS_FOLDER"] = str(private / "secrets")
    here = ["--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [ROOT / "docker" / script, *given, *here,
             f"--backend-directory={folder / 'backends'}"],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while not server.lives() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert server.lives(), (folder / "log").read_text()[-2000:]
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_triton_loads_by_certificate_and_key_alone(started: Started) -> None:
    client = started.client()
    assert client.get_model_repository_index(headers=started.key, client_timeout=5)
    assert not client.is_model_ready(MODEL, client_timeout=5)  # nothing by itself
    client.load_model(MODEL, headers=started.key, client_timeout=60)
    assert client.is_model_ready(MODEL, client_timeout=5)
    client.close()


@pytest.mark.parametrize(
    "call", ["load_model", "unload_model", "get_model_config"], ids=str
)
def test_triton_refuses_control_without_the_key(started: Started, call: str) -> None:
    client = started.client()
    with pytest.raises(InferenceServerException, match="admin-key"):
        getattr(client, call)(MODEL, client_timeout=5)
    client.close()


@pytest.mark.parametrize("who", [{"tls": False}, {"known": False}], ids=str)
def test_triton_refuses_callers_without_certificate(
    started: Started, who: dict[str, bool]
) -> None:
    client = started.client(**who)
    with pytest.raises(InferenceServerException):
        client.is_server_live(client_timeout=5)
    client.close()


def test_triton_stays_ready_after_a_model_that_it_refused(started: Started) -> None:
    client = started.client()
    with pytest.raises(InferenceServerException):
        client.load_model("no_such_model", headers=started.key, client_timeout=30)
    assert client.is_server_ready(client_timeout=5)
    client.close()
