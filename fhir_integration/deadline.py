"""The network under the HTTP client: whatever drips, an exchange ends in time.

httpx bounds each wait on its own, so a server that sends one byte now and then would
hold a caller far longer than that. Here each wait gets what is left of the exchange.
Two things stay outside: looking up a name, which the operating system bounds, and the
inner records of TLS through a proxy that speaks TLS itself.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

_PIECE = 16 * 1024  # bytes that one wait sends: less than any socket's free space
# The demo's EHR is on this machine: a proxy in the environment must not be asked.
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Deadline(threading.local):
    """The moment at which the exchange of this thread ends; each thread has its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic, self._until = monotonic, math.inf

    @contextmanager
    def at(self, until: float) -> Iterator[None]:
        """Let all waits of the block, in this thread, end at `until` (monotonic)."""
        self._until = until
        try:
            yield
        finally:
            self._until = math.inf

    def left(self, timeout: float | None) -> float:
        """Seconds that one wait may take, `timeout` at most.

        Raises httpcore.TimeoutException when none is left.
        """
        left_s = self._until - self._monotonic()
        if left_s <= 0:
            raise httpcore.TimeoutException
        return left_s if timeout is None else min(timeout, left_s)


class TimedStream(httpcore.NetworkStream):
    """One socket, whose waits end with the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come."""
        return self._inner.read(max_bytes, timeout=self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it, piece by piece: a server may also read slowly."""
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._inner.write(piece, timeout=self._deadline.left(timeout))

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same socket after the handshake."""
        left_s = self._deadline.left(timeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout=left_s)
        return TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the pool asks of a socket, such as whether it was closed meanwhile."""
        return self._inner.get_extra_info(info)


class TimedNetwork(httpcore.NetworkBackend):
    """Opens sockets, whose waits end with the deadline."""

    def __init__(
        self, deadline: Deadline, inner: httpcore.NetworkBackend | None = None
    ) -> None:
        self._deadline, self._inner = deadline, inner or httpcore.SyncBackend()

    def connect_tcp(  # noqa: PLR0917 - httpcore's signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address of the host in turn, all within the time that is left."""
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in _addresses(host, port):
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port,
                    timeout=self._deadline.left(timeout),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return TimedStream(stream, self._deadline)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the host has no address") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class TimedTransport(httpx.HTTPTransport):
    """httpx's own transport on such a network, by the environment's proxy if any."""

    def __init__(self, base: httpx.URL, *, deadline: Deadline) -> None:
        super().__init__(proxy=_proxy(base))
        # httpx has no argument for it; a test with a dripping server notices if
        # another release keeps it elsewhere.
        self._pool._network_backend = TimedNetwork(deadline)


def _proxy(base: httpx.URL) -> str | None:
    if base.host in _HERE or proxy_bypass(base.host):
        return None
    stated = getproxies()
    proxy = stated.get(base.scheme) or stated.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
