from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from itertools import product
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from backend.jobs.management.commands import serve_demo

if TYPE_CHECKING:
    from tests.system.conftest import Installation


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(url: str) -> httpx.Response:
    for _ in range(200):
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers on {url}")


def account_in(printed: str, name: str) -> str:
    found = re.search(rf"account {name}  password (\S+)", printed)
    assert found
    return found[1]


def test_serve_leaves_site_and_ehr_running_with_demo_accounts(
    installation: Installation,
) -> None:
    port = free_port()
    command = [sys.executable, "-u", "manage.py", "serve_demo", "--port", str(port)]
    with subprocess.Popen(
        command,
        env=installation.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            printed = read_until(process, "Ctrl-C")
            site = f"http://127.0.0.1:{port}"
            health = wait_for(f"{site}/api/v1/health")
            assert health.status_code == 200, health.text
            account = {
                "username": "clinician",
                "password": account_in(printed, "clinician"),
            }
            token = httpx.post(f"{site}/api/v1/tokens", json=account).json()["token"]
            headers = {"Authorization": f"Token {token}"}
            patients = httpx.get(f"{site}/api/v1/patients", headers=headers).json()
            assert len(patients) == 8
            counts = {"correlations": 0, "pharmacogenomics": 0, "forecasts": 0}
            for service, patient in product(counts, patients):
                stored = f"{site}/api/v1/patients/{patient['id']}/{service}"
                counts[service] += len(httpx.get(stored, headers=headers).json())
            assert counts == {"correlations": 2, "pharmacogenomics": 1, "forecasts": 7}
            page = httpx.get(f"{site}/api/v1/docs")
            assert page.status_code == 200
            for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
                assert source.startswith("/"), "the page loads only from here"
                assert httpx.get(f"{site}{source}").status_code == 200
            assert httpx.get(f"{site}/admin/login/").status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{site}/api/v1/health")


def read_until(process: subprocess.Popen[str], word: str) -> str:
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError(f"ended before it said {word!r}: {lines}")


@pytest.mark.parametrize("command", ["demo", "serve_demo"])
def test_demo_commands_are_refused_where_demos_are_not_allowed(
    command: str, settings: Any
) -> None:
    settings.MINDTWIN = {**settings.MINDTWIN, "DEMO": False}
    with pytest.raises(CommandError, match="refused"):
        call_command(command)


def test_the_first_child_that_ends_is_named() -> None:
    kept = signal.getsignal(signal.SIGTERM)
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    dying = [sys.executable, "-c", "raise SystemExit(3)"]
    try:
        with (
            serve_demo._running(sleeping) as site,
            serve_demo._running(dying) as worker,
            pytest.raises(CommandError, match=r"the worker .*status 3"),
        ):
            serve_demo._wait({"site": site, "worker": worker})
    finally:
        signal.signal(signal.SIGTERM, kept)
    assert site.returncode == -signal.SIGTERM


def test_the_site_opens_no_control_socket_in_the_home_folder() -> None:
    assert "--no-control-socket" in serve_demo._commands(8080)["site"]


def test_a_taken_port_is_refused_before_anything_is_changed(
    installation: Installation,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = installation.run("manage.py", "serve_demo", "--port", port, code=1)
    assert f"port {port} is taken" in done.stderr
    assert not (installation.var / "serve.ndjson").exists()
