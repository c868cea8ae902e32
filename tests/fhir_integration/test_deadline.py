"""Servers that drip, read slowly or never answer, against the clock on the wall."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import httpx
import pytest

from backend.twin.errors import EhrUnavailable
from fhir_integration.client import FhirClient
from fhir_integration.deadline import Deadline, TimedNetwork

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
Answer = Callable[[socket.socket], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Gives each connection to `answer`, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):  # closed: the test is over
                while True:
                    taken, _ = listening.accept()
                    threading.Thread(target=serve, args=(taken,), daemon=True).start()

        def serve(taken: socket.socket) -> None:
            with taken, suppress(OSError):
                answer(taken)

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        listening.shutdown(socket.SHUT_RDWR)


def drip(before: bytes) -> Answer:
    def answer(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.sendall(before)
        for _ in range(60):
            taken.sendall(b"a")
            time.sleep(0.1)

    return answer


def hints(taken: socket.socket) -> None:
    """Answers that are only announcements, without end."""
    taken.recv(65536)
    for _ in range(60):
        taken.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.1)


def sip(taken: socket.socket) -> None:
    """Takes a large request in small gulps."""
    for _ in range(60):
        taken.recv(65536)
        time.sleep(0.1)


SLOW = {
    "header": drip(b"HTTP/1.1 200 OK\r\nX-A: "),
    "status line": drip(b"HTTP/1.1 200 "),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"),
    "announcements": hints,
    "request": sip,
}


@pytest.mark.parametrize("slow", sorted(SLOW))
def test_whatever_drips_a_call_ends_at_its_deadline(slow: str) -> None:
    with server(SLOW[slow]) as base_url:
        client = FhirClient(base_url, timeout_s=0.5, deadline_s=0.8)
        started = time.monotonic()
        with pytest.raises(EhrUnavailable):
            client.batch_create([{**RESOURCE, "note": "x" * 30_000_000}])
        assert time.monotonic() - started < 2.5
        client.close()


RESOURCE: dict[str, Any] = {
    "resourceType": "Observation",
    "identifier": [{"system": "urn:x", "value": "1"}],
}


def test_connections_are_kept_and_each_exchange_has_its_own_time() -> None:
    taken_in: list[int] = []

    def answer(taken: socket.socket) -> None:
        taken_in.append(1)
        while taken.recv(65536):
            taken.sendall(HEAD + b"{}")

    with server(answer) as base_url:
        client = FhirClient(base_url)
        client.read("Patient/1", until=client.deadline(0.3))
        time.sleep(0.4)
        for _ in range(3):
            assert client.read("Patient/1", until=client.deadline(0.3)) == {}
        client.close()
    assert len(taken_in) == 1


def test_threads_have_their_own_moments() -> None:
    deadline = Deadline(lambda: 0.0)
    seen: list[float] = []
    with deadline.at(5.0):
        thread = threading.Thread(target=lambda: seen.append(deadline.left(9.0)))
        thread.start()
        thread.join()
        assert (deadline.left(9.0), deadline.left(2.0)) == (5.0, 2.0)
    assert (seen, deadline.left(9.0)) == ([9.0], 9.0)


class Network(httpcore.NetworkBackend):
    """Notes which addresses are tried; none answers, and each costs a second."""

    def __init__(self) -> None:
        self.at, self.tried = 0.0, []  # type: ignore[var-annotated]

    def connect_tcp(self, host: str, port: int, **options: Any) -> Any:
        self.tried.append((host, port, options["timeout"]))
        self.at += 1.0
        raise httpcore.ConnectTimeout


def test_all_addresses_of_a_host_share_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [(2, 1, 6, "", (f"192.0.2.{n}", 80)) for n in (1, 1, 2, 3, 4)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: names)
    inner = Network()
    deadline = Deadline(lambda: inner.at)
    with deadline.at(2.5), pytest.raises(httpcore.TimeoutException):
        TimedNetwork(deadline, inner).connect_tcp("ehr.example", 80, timeout=9.0)
    assert inner.tried == [
        ("192.0.2.1", 80, 2.5),
        ("192.0.2.2", 80, 1.5),
        ("192.0.2.3", 80, 0.5),
    ]


def test_an_address_that_does_not_answer_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Half(Network):
        def connect_tcp(self, host: str, port: int, **options: Any) -> Any:
            if host == "192.0.2.2":
                return httpcore.MockStream([b"here"])
            return super().connect_tcp(host, port, **options)

    names = [(2, 1, 6, "", (f"192.0.2.{n}", 80)) for n in (1, 2, 3)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: names)
    inner = Half()
    network = TimedNetwork(Deadline(lambda: inner.at), inner)
    assert network.connect_tcp("ehr.example", 80).read(9) == b"here"
    assert len(inner.tried) == 1


@pytest.mark.parametrize("host", ["ehr.invalid", "a" * 70])
def test_a_host_without_an_address_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    client = FhirClient(f"http://{host}/fhir", deadline_s=0.1)
    with pytest.raises(EhrUnavailable):
        client.read("Patient/1")
    client.close()


@pytest.mark.parametrize("spelling", ["http://{}", "{}"])
def test_the_proxy_of_the_environment_is_asked_for_other_machines(
    monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    asked: list[bytes] = []

    def answer(taken: socket.socket) -> None:
        asked.append(taken.recv(65536).split(b"\r\n")[0])
        taken.sendall(HEAD + b"{}")

    with server(answer) as proxy:
        monkeypatch.setenv(
            "http_proxy", spelling.format(httpx.URL(proxy).netloc.decode())
        )
        monkeypatch.setenv("no_proxy", "other.example")
        client = FhirClient("http://ehr.example/fhir")
        assert client.read("Patient/1") == {}
        client.close()
    assert asked == [b"GET http://ehr.example/fhir/Patient/1 HTTP/1.1"]
