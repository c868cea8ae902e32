"""A gateway before an EHR: no later page comes before a 401 and a 429."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

PASSED_ON = ("content-type", "if-none-exist", "authorization")
PASSED_BACK = ("content-type", "location", "retry-after", "etag")


class LoginProxy(ThreadingHTTPServer):
    """Passes requests on to `target`; `asked` counts the requests for each later page.

    The first is not let in and the second one too many: a login that ends and a limit
    that is met between two pages.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = target[: target.index("/fhir")]
        self.own = f"http://127.0.0.1:{self.server_port}"
        self.base_url = target.replace(self.origin, self.own)
        self.asked: Counter[str] = Counter()
        self.http = httpx.Client(base_url=self.origin, trust_env=False, timeout=30)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoginProxy

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if query.get("_offset", ["0"]) != ["0"]:
            self.server.asked[self.path] += 1
        match self.server.asked[self.path]:
            case 1:
                self._send(401, b"", {"www-authenticate": "Bearer"})
            case 2:
                self._send(429, b"", {"retry-after": "0"})
            case _:
                self._pass_on("GET")

    def do_POST(self) -> None:
        self._pass_on("POST")

    def _pass_on(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        kept = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        answer = self.server.http.request(method, self.path, content=body, headers=kept)
        own, origin = self.server.own.encode(), self.server.origin.encode()
        back = {
            name: answer.headers[name] for name in PASSED_BACK if name in answer.headers
        }
        self._send(answer.status_code, answer.content.replace(origin, own), back)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test looks at `asked`."""


@contextmanager
def login_proxy(target: str) -> Iterator[LoginProxy]:
    """The gateway, running."""
    proxy = LoginProxy(target)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        proxy.http.close()
        thread.join()
