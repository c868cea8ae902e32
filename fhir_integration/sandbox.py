"""A small FHIR R4 server on this machine, for the demo, for tests and for trying.

    python -m fhir_integration.sandbox --store FILE --port N

Read, vread, create (conditional), update, search with paging, batch and transaction,
metadata. Its data outlives it (a journal file). It has no login and listens on the
loopback address only; it is no place for real patients.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend.twin.errors import EhrMalformed
from fhir_integration.sandbox_rest import Answer, Rest, outcome
from fhir_integration.sandbox_store import Store
from fhir_integration.strict_json import MAX_BYTES, parse

BASE = "/fhir"


class Sandbox:
    """A running sandbox. Use as a context manager, or `close` it."""

    def __init__(self, store: Path, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one, `base_url` tells which."""
        self._store = Store(store)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}{BASE}"
        self._server.rest = Rest(self._store, self.base_url)
        self._thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        """Answer until closed."""
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Sandbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and close the journal."""
        if self._thread.is_alive():  # else shutdown would wait for ever
            self._server.shutdown()
        self._server.server_close()
        self._store.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    rest: Rest

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; nothing of a request is ever logged."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer, not one a header
    server: _Server

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def log_message(self, *_: object) -> None:
        """Requests name patients, so none is logged."""

    def _answer(self, method: str) -> None:
        size = self.headers.get("content-length", "0")
        if not re.fullmatch(r"\d{1,9}", size) or int(size) > MAX_BYTES:
            self.close_connection = True
            self._send(outcome(413, "too-long", "the body is larger than the limit"))
            return
        raw = self.rfile.read(int(size))
        path, query = urlsplit(self.path)[2:4]
        if path != BASE and not path.startswith(f"{BASE}/"):
            self._send(outcome(404, "not-found", "no such path"))
            return
        try:
            body = parse(raw) if method != "GET" else None
        except EhrMalformed:
            self._send(outcome(400, "invalid", "the body is not a JSON object"))
            return
        condition = self.headers.get("if-none-exist")
        parts = [part for part in path.removeprefix(BASE).split("/") if part]
        self._send(
            self.server.rest.answer(
                method, parts, query=query, body=body, condition=condition
            )
        )

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/fhir+json; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)


def serve(store: Path, port: int) -> None:
    """Run until interrupted; the first line printed is the base URL, when ready."""
    sandbox = Sandbox(store, port)
    sys.stdout.write(f"{sandbox.base_url}\n")
    sys.stdout.flush()
    try:
        sandbox.run()
    finally:
        sandbox.close()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m fhir_integration.sandbox")
    parser.add_argument("--store", type=Path, required=True, help="journal file")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    given = parser.parse_args(arguments)
    try:
        serve(given.store, given.port)
    except KeyboardInterrupt:
        sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
