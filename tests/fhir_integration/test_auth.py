from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrRefused, EhrUnavailable
from fhir_integration.auth import StaticToken, bearer, token_of
from fhir_integration.connection import Connection
from tests.fhir_integration.made import BASE, Time

FINE, NOT_LET_IN, BUSY = 200, 401, 503


class Server:
    """Answers with these statuses in order; remembers how it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.seen = list(statuses), list[str | None]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("authorization"))
        quoted = {"WWW-Authenticate": f"Bearer error={self.seen[-1]}"}
        return httpx.Response(self.statuses.pop(0), headers=quoted, json={})


class Renewed:
    """A token with a number that grows when it is refused."""

    def __init__(self) -> None:
        self.number = 1

    def current(self) -> str:
        return f"s3cret-{self.number}"

    def renew(self, rejected: str) -> str:
        assert rejected == self.current()
        self.number += 1
        return self.current()


def ask(server: Server, token: Any, **options: Any) -> httpx.Response:
    to = Connection(
        BASE,
        token=token,
        timeout_s=10.0,
        transport=httpx.MockTransport(server),
        clock=Time().clock(),
    )
    return to.send("GET", to.url("Observation"), until=60.0, **options)


@pytest.mark.parametrize("token", ["s3cret-1", StaticToken("s3cret-1")])
def test_a_token_out_of_the_settings_is_tried_twice(token: Any) -> None:
    server = Server(NOT_LET_IN, FINE)
    assert ask(server, token).status_code == FINE
    assert server.seen == ["Bearer s3cret-1", "Bearer s3cret-1"]


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_the_request_is_repeated_as_it_was(token: Any) -> None:
    server = Server(NOT_LET_IN, FINE)
    assert ask(server, token).status_code == FINE
    assert server.seen == [None, None]


def test_a_renewed_token_takes_the_place_of_the_refused_one() -> None:
    server = Server(NOT_LET_IN, FINE)
    ask(server, Renewed(), body=b"{}", if_none_exist="identifier=x")
    assert server.seen == ["Bearer s3cret-1", "Bearer s3cret-2"]


def test_the_second_refusal_is_one_whatever_came_between() -> None:
    server = Server(BUSY, NOT_LET_IN, BUSY, NOT_LET_IN)
    with pytest.raises(EhrRefused) as caught:
        ask(server, Renewed())
    assert caught.value.status == NOT_LET_IN
    assert server.seen == ["Bearer s3cret-1"] * 2 + ["Bearer s3cret-2"] * 2


def test_a_token_that_cannot_be_renewed_says_why() -> None:
    class Down(Renewed):
        def renew(self, rejected: str) -> str:
            raise EhrUnavailable("the token server does not answer")

    with pytest.raises(EhrUnavailable, match="token server"):
        ask(Server(NOT_LET_IN), Down())


@pytest.mark.parametrize("text", ["s3cret\n", "s3cret x", "s3cr\u00e9t", "\x00s3cret"])
def test_a_token_that_no_header_carries_is_refused_and_not_quoted(text: str) -> None:
    server = Server(FINE)
    with pytest.raises(EhrRefused, match="no header carries") as caught:
        ask(server, text)
    assert text not in str(caught.value)
    assert server.seen == []


def test_a_token_is_in_no_message_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = Renewed()
    with pytest.raises(EhrRefused) as caught:
        ask(Server(NOT_LET_IN, NOT_LET_IN), token)
    assert token.number == 2
    assert "s3cret" not in f"{caught.value!r}{caught.value}{caplog.text}"
    assert "s3cret" not in repr(StaticToken("s3cret"))


def test_a_token_has_three_spellings() -> None:
    token = Renewed()
    assert token_of(token) is token
    assert token_of(None) is None
    found = token_of("abc")
    assert found is not None
    assert (found.current(), found.renew("abc"), bearer("abc")) == (
        "abc",
        "abc",
        "Bearer abc",
    )
