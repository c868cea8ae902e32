"""The sandbox as a process: what it keeps when it is stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fhir_integration import sandbox as sandbox_module
from fhir_integration.sandbox import Sandbox
from tests.fhir_integration.made import numbered

ROOT = Path(__file__).resolve().parents[2]


def test_data_outlive_a_restart_and_a_torn_last_line(tmp_path: Path) -> None:
    journal = tmp_path / "deep" / "ehr.ndjson"
    with Sandbox(journal) as running, httpx.Client(trust_env=False) as http:
        for number in range(3):
            http.post(f"{running.base_url}/Observation", json=numbered(number))
    with journal.open("ab") as file:
        file.write(b'{"resourceType": "Observation", "id": "torn')
    for expected in (3, 4):  # the torn line is gone, and the next one is whole
        with Sandbox(journal) as running, httpx.Client(trust_env=False) as http:
            total = http.get(f"{running.base_url}/Observation").json()["total"]
            assert total == expected
            http.post(f"{running.base_url}/Observation", json=numbered(9))


def test_the_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    journal = tmp_path / "ehr.ndjson"
    before = os.umask(0)
    try:
        Sandbox(journal).close()
    finally:
        os.umask(before)
    assert journal.stat().st_mode & 0o777 == 0o600


def test_closing_one_that_never_ran_does_not_hang(tmp_path: Path) -> None:
    Sandbox(tmp_path / "ehr.ndjson").close()


@pytest.mark.parametrize(
    "meta", [None, {"versionId": "9"}, {"lastUpdated": "2020-01-01"}, "odd"]
)
def test_an_update_that_changes_nothing_makes_no_version(
    tmp_path: Path, meta: object
) -> None:
    resource = {**numbered(1), "meta": meta, "id": "other"}
    tagged = {**resource, "meta": {"tag": [{"code": "x"}]}}
    with Sandbox(tmp_path / "ehr.ndjson") as running:
        url = f"{running.base_url}/Observation/o7"
        answers = [
            httpx.put(url, json=one, trust_env=False)
            for one in (resource, resource, tagged)
        ]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[0].json() == answers[1].json()
    assert [answer.headers["etag"] for answer in answers[1:]] == ['W/"1"', 'W/"2"']


@pytest.fixture
def _heeding_interrupts() -> Iterator[None]:
    """A shell's background job ignores SIGINT, and so would what it starts.

    What has a handler here is back at its default in a child.
    """
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, kept)


@pytest.mark.usefixtures("_heeding_interrupts")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_command_serves_until_it_is_stopped(tmp_path: Path, how: int) -> None:
    command = [sys.executable, "-m", "fhir_integration.sandbox", "--store"]
    command.append(str(tmp_path / "ehr.ndjson"))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for expected in (0, 1):
        with subprocess.Popen(
            command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            base_url = process.stdout.readline().strip()
            url = f"{base_url}/Observation"
            assert httpx.get(url, trust_env=False).json()["total"] == expected
            httpx.post(url, json=numbered(1), trust_env=False).raise_for_status()
            process.send_signal(how)


def test_the_command_line_runs_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Sandbox) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sandbox, "run", interrupted)
    sandbox_module.main(["--store", str(tmp_path / "ehr.ndjson")])
    first, last = capsys.readouterr().out.split()
    assert first.startswith("http://127.0.0.1:")
    assert last == "stopped"
