"""One HTTP connection pool to one EHR: retries, deadlines, one origin, bounded answers.

Nothing of an answer, a URL, a token or a patient reaches a message or a log. Only
requests that are harmless to repeat are repeated: GET, and writes that carry an
If-None-Exist. One that is not let in (401) is repeated once, with a renewed token
where there is one: tokens run out between two pages.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from backend.twin.errors import EhrError, EhrMalformed, EhrRefused, EhrUnavailable
from fhir_integration.answers import (
    error_for,
    is_transient,
    require_r4,
    retry_after_s,
)
from fhir_integration.auth import Token, bearer, token_of
from fhir_integration.bodies import read_body
from fhir_integration.deadline import Deadline, TimedTransport
from fhir_integration.strict_json import MAX_BYTES

ATTEMPTS = 5
_BAD_REQUEST = 400  # as if a server had said it: the address cannot be asked
_NOT_LET_IN = 401
# Nothing else of an answer's headers is kept: WWW-Authenticate could quote the token.
_KEPT = ("location", "retry-after")
_FIRST_WAIT_S, _LONGEST_BACKOFF_S = 0.2, 8.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the connection feels it; tests hand in their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class Connection:
    """HTTP to one base URL. Threads may share it; `close` it when done."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Token | None,
        timeout_s: float,
        transport: httpx.BaseTransport | None,
        clock: Clock,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """`timeout_s` bounds each wait for the network; deadlines come per request.

        `max_bytes` bounds an answer, unpacked. Raises EhrRefused for a base URL that
        is none.
        """
        self._base = _base(base_url)
        self._timeout_s, self._clock, self._max_bytes = timeout_s, clock, max_bytes
        self._token, self._deadline = token_of(token), Deadline(clock.monotonic)
        # Identity: a few packed kilobytes could become gigabytes here.
        headers = {"Accept": "application/fhir+json", "Accept-Encoding": "identity"}
        self._http = httpx.Client(
            headers=headers,
            transport=transport or TimedTransport(self._base, deadline=self._deadline),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Give the sockets back."""
        self._http.close()

    def url(self, path: str) -> httpx.URL:
        """A URL below the base."""
        return self._base.join(path)

    def same_origin(self, link: object) -> httpx.URL:
        """The link, unless it would carry the token to another scheme, host or port."""
        try:
            url = self._base.join(link) if isinstance(link, str) else None
            is_ours = url is not None and _origin(url) == _origin(self._base)
        except (httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA refuses
            url, is_ours = None, False
        if url is None or not is_ours or url.userinfo:
            raise EhrMalformed("the EHR's next page is not on the EHR")
        return url

    def send(
        self,
        method: str,
        url: httpx.URL,
        *,
        until: float,
        body: bytes | None = None,
        if_none_exist: str | None = None,
    ) -> httpx.Response:
        """One request, repeated with full jitter while that helps and time is left.

        Not let in, it is repeated once more, with a renewed token if there is one.
        """
        request = self._http.build_request(method, url, content=body)
        if body is not None:
            request.headers["Content-Type"] = "application/fhir+json"
        if if_none_exist is not None:
            request.headers["If-None-Exist"] = if_none_exist
        token = self._token.current() if self._token else ""
        try:
            return self._tried(_signed(request, token), until=until)
        except EhrRefused as refusal:
            if refusal.status != _NOT_LET_IN:
                raise
        renewed = self._token.renew(token) if self._token else ""
        return self._tried(_signed(request, renewed), until=until)

    def _tried(self, request: httpx.Request, *, until: float) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            outcome, asked_wait_s = self._once(request, until=until)
            if isinstance(outcome, httpx.Response):
                return outcome
            if not isinstance(outcome, EhrUnavailable):
                raise outcome
            wait_s = self._backoff(attempt) if asked_wait_s is None else asked_wait_s
            late = self._clock.monotonic() + wait_s >= until
            if late or attempt == ATTEMPTS - 1:
                raise outcome
            self._clock.sleep(wait_s)
        raise AssertionError("unreachable")  # pragma: no cover

    def _backoff(self, attempt: int) -> float:
        longest = min(_LONGEST_BACKOFF_S, _FIRST_WAIT_S * 2.0**attempt)
        return longest * self._clock.jitter()

    def _once(
        self, request: httpx.Request, *, until: float
    ) -> tuple[httpx.Response | EhrError, float | None]:
        """The answer, or its error and the wait that the server asked for."""
        try:
            response = self._fetch(request, until=until)
        except httpx.TransportError:
            return EhrUnavailable("the EHR cannot be reached or does not answer"), None
        if response.is_success:
            return response, None
        error = error_for(response, now=self._clock.now)
        transient = is_transient(response.status_code)
        wait_s = retry_after_s(response, now=self._clock.now) if transient else None
        return error, wait_s

    def _fetch(self, request: httpx.Request, *, until: float) -> httpx.Response:
        """Read the answer in pieces, so that size and deadline hold while it comes."""
        left_s = until - self._clock.monotonic()
        if left_s <= 0:
            raise EhrUnavailable("no time is left to ask the EHR")
        timeout = httpx.Timeout(min(self._timeout_s, left_s))
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        with (
            self._deadline.at(until),
            closing(self._http.send(request, stream=True)) as streamed,
        ):
            headers = {
                name: streamed.headers[name]
                for name in _KEPT
                if name in streamed.headers
            }
            require_r4(streamed)
            # What goes with a failure is never read: its status says all that counts.
            body = self._body(streamed, until=until) if streamed.is_success else b""
        return httpx.Response(streamed.status_code, headers=headers, content=body)

    def _body(self, streamed: httpx.Response, *, until: float) -> bytes:
        def in_time() -> None:
            if self._clock.monotonic() > until:
                raise EhrUnavailable("the EHR's answer took too long")

        return read_body(streamed, max_bytes=self._max_bytes, on_piece=in_time)


def _signed(request: httpx.Request, token: str) -> httpx.Request:
    if token:
        request.headers["Authorization"] = bearer(token)
    return request


def _base(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/") + "/")
        scheme, host, port = _origin(url)
    except (httpx.InvalidURL, ValueError):
        scheme, host, port = "", "", None
    if scheme not in ("http", "https") or not host or (port or 0) > 65535:
        raise EhrRefused(
            "the EHR's base URL needs http or https and a host", status=_BAD_REQUEST
        )
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default
