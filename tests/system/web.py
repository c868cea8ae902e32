"""A site as it is served: gunicorn on a free port; and an EHR that says too much."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.system import canary_record

if TYPE_CHECKING:
    from tests.system.conftest import Installation

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def site(installation: Installation, log: Path) -> Iterator[str]:
    """Run gunicorn, all it prints in `log`, while the block runs; gives its URL."""
    with socket.socket() as listening, log.open("ab") as out:
        listening.bind(("127.0.0.1", 0))  # handed over, so nobody else takes the port
        listening.listen()
        descriptor = listening.fileno()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}",
             "--workers", "1", "--threads", "4", "backend.wsgi"],
            cwd=ROOT, env=installation.environment, pass_fds=[descriptor],
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield url
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0


def wait_for(url: str) -> None:
    """Until the site answers at all."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/api/v1/schema", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the site does not answer")


class TalkativeEhr(ThreadingHTTPServer):
    """Passes everything on to the sandbox, and adds canaries to what comes back.

    `mode` is what it does with a request: "plain", "refuses" (an OperationOutcome),
    "babbles" (no JSON), "elsewhere" (the next page is on another host).
    """

    daemon_threads = True

    def __init__(self, sandbox: str, extra: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sandbox, self.extra, self.mode = sandbox, extra, "plain"
        self.url = f"http://127.0.0.1:{self.server_port}/fhir"

    @contextmanager
    def running(self) -> Iterator[TalkativeEhr]:
        """Answer while the block runs; afterwards the port is dead."""
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: TalkativeEhr

    def do_GET(self) -> None:
        self._answer("GET", None)

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        self._answer("POST", self.rfile.read(size))

    def log_message(self, *_: object) -> None:
        """Silent: the test looks at other logs."""

    def _answer(self, method: str, body: bytes | None) -> None:
        if self.server.mode == "refuses":
            self._send(422, json.dumps(canary_record.outcome()).encode())
        elif self.server.mode == "babbles":
            self._send(200, str(canary_record.HELD).encode())
        else:
            self._pass_on(method, body)

    def _pass_on(self, method: str, body: bytes | None) -> None:
        place = self.server.sandbox + self.path.removeprefix("/fhir")
        kept = {"if-none-exist", "content-type"}
        headers = {k: v for k, v in self.headers.items() if k.lower() in kept}
        answer = httpx.request(method, place, content=body, headers=headers)
        found = answer.json()
        if found["resourceType"] == "Bundle":
            found["entry"] = found.get("entry", []) + self.server.extra
            for link in found.get("link", []):
                own = link["url"].removeprefix(self.server.sandbox)
                link["url"] = self.server.url + own
            if self.server.mode == "elsewhere":
                link = f"http://{canary_record.TOLD['link']}/{canary_record.PATIENT}"
                found["link"] = [{"relation": "next", "url": link}]
        self._send(answer.status_code, json.dumps(found).encode(), answer.headers)

    def _send(self, status: int, body: bytes, headers: Any = None) -> None:
        self.send_response(status)
        for name in {"location", "etag"} & set(headers or ()):
            self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
