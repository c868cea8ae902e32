"""What every test gets."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.peer import Peer
from tests.races import postgres  # noqa: F401 - a fixture for every room
from tests.triton import triton  # noqa: F401 - likewise

# No test may depend on how busy the machine is.
settings.register_profile(
    "calm", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("calm")

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker ends with one of them alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def now() -> datetime:
    """A Monday morning that does not move."""
    return NOW


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real public data; tests that need it say so when it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with real public data is absent")
    return folder


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
    folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "PORT": port, "RUN_DIR": str(folder)}
    start = [str(kit / "start.sh")]
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first start installs, one at a time
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


@pytest.fixture(autouse=True)
def _fresh_anchor(tmp_path: Path) -> Iterator[None]:
    """Each test starts with an empty audit log, so its anchor starts empty too."""
    from django.conf import settings  # noqa: PLC0415 - after Django is set up

    from backend.audit import ledger  # noqa: PLC0415

    own = settings.MINDTWIN
    ledger.configure(
        key=own["AUDIT_KEY"], anchor=tmp_path / "audit.anchor", grouped=False
    )
    yield
    ledger.configure(key=own["AUDIT_KEY"], anchor=own["AUDIT_ANCHOR"], grouped=False)
