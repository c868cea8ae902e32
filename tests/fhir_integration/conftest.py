"""Real servers for the tests of this room: the sandbox, and another party's EHR."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fhir_integration.sandbox import Sandbox
from fhir_integration.site import FhirEhr
from tests.fhir_integration.peer import Peer


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        yield running


@pytest.fixture
def ehr(sandbox: Sandbox) -> Iterator[FhirEhr]:
    site = FhirEhr(sandbox.base_url)
    yield site
    site.close()


@pytest.fixture(scope="session")
def running_peer(shared: Path) -> Iterator[Peer]:
    """Started once on a free port; node_modules stay in the user's cache folder."""
    kit = shared / "peer-ehr"
    if not (kit / "start.sh").exists():
        pytest.skip("the peer EHR in ../shared/peer-ehr is absent")
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is absent, so the peer EHR cannot run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    folder = Path.home() / ".cache" / "peer-ehr"
    env = {**os.environ, "PORT": port, "RUN_DIR": str(folder)}
    start = [str(kit / "start.sh")]
    started = subprocess.run(
        start, env=env, capture_output=True, text=True, check=False
    )
    if started.returncode:
        pytest.fail(f"the peer EHR did not start: {started.stderr[-500:]}")
    with httpx.Client(base_url=started.stdout.strip(), trust_env=False) as http:
        yield Peer(started.stdout.strip(), folder, http)
    subprocess.run([*start, "stop"], env=env, check=True, capture_output=True)


@pytest.fixture
def peer(running_peer: Peer) -> Iterator[Peer]:
    """The peer with no data and no faults."""
    running_peer.admin("reset")
    running_peer.admin("clear")
    yield running_peer
    running_peer.admin("reset")
