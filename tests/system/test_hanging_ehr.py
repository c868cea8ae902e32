from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.system.web import site, wait_for

if TYPE_CHECKING:
    from tests.system.conftest import Installation

ASKING = 6  # more than the four threads of the site
PLACES = 2  # of these threads that may wait for an EHR
DEADLINE_S = 8.0


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"


@pytest.mark.slow
def test_stored_forecasts_stay_readable_while_the_ehr_hangs(
    installation: Installation, ehr_url: str, hanging_url: str, tmp_path: Path
) -> None:
    made = installation.run("tests/system/hanging_setup.py", ehr_url, hanging_url)
    given = json.loads(made.stdout)
    headers = {"Authorization": f"Token {given['token']}"}
    with (
        site(installation, tmp_path / "site.log") as url,
        httpx.Client(base_url=f"{url}/api/v1/", headers=headers, timeout=30) as http,
        ThreadPoolExecutor(ASKING) as pool,
    ):
        wait_for(url)
        refused_at_once = threading.Semaphore(0)

        def ask() -> tuple[httpx.Response, float]:
            begun = time.monotonic()
            answer = http.post(f"patients/{given['patient']}/forecasts", json={})
            refused_at_once.release()
            return answer, time.monotonic() - begun

        asked = [pool.submit(ask) for _ in range(ASKING)]
        for _ in range(ASKING - PLACES):
            assert refused_at_once.acquire(timeout=6)
        assert [one.done() for one in asked].count(False) == PLACES, "the others hang"
        for _ in range(5):
            begun = time.monotonic()
            stored = http.get(f"forecasts/{given['forecast']}")
            assert stored.status_code == 200
            assert time.monotonic() - begun < 2.0
        assert [one.done() for one in asked].count(False) == PLACES, "and still do"
        answers = [one.result(DEADLINE_S + 5) for one in asked]
    assert {answer.status_code for answer, _ in answers} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer, _ in answers)
    waited = sorted(seconds for _, seconds in answers)
    assert waited[-PLACES - 1] < 6.0, "refused without waiting for the EHR"
    assert waited[-1] < DEADLINE_S + 3.0
