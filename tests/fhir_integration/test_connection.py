from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.twin.errors import EhrMalformed, EhrRefused, EhrUnavailable
from fhir_integration.connection import ATTEMPTS, Connection
from tests.fhir_integration.made import BASE, Handler, Time

FINE = httpx.Response(200, json={})


def connection(
    handler: Handler, time: Time, token: str | None = None, **options: Any
) -> Connection:
    return Connection(
        BASE,
        token=token,
        timeout_s=10.0,
        transport=httpx.MockTransport(handler),
        clock=time.clock(),
        **options,
    )


def get(
    handler: Handler, time: Time, until: float = 60.0, **options: Any
) -> httpx.Response:
    to = connection(handler, time, **options)
    return to.send("GET", to.url("Observation"), until=until)


class Answers:
    """Gives the answers in order, the last one for ever; counts requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.count = list(answers), 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.count += 1
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(408),
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503),
        httpx.ConnectError("no"),
        httpx.ReadError("broken"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
    ],
)
def test_what_may_pass_is_tried_again(failure: httpx.Response | Exception) -> None:
    time, answers = Time(), Answers(failure, FINE)
    assert get(answers, time).status_code == 200
    assert answers.count == 2
    assert time.slept == [0.1]  # half of the first 0.2 s, as the jitter says


@pytest.mark.parametrize("status", [301, 400, 403, 404, 422, 501])
def test_what_will_not_pass_is_not_repeated(status: int) -> None:
    time, answers = Time(), Answers(httpx.Response(status))
    with pytest.raises(EhrRefused):
        get(answers, time)
    assert (answers.count, time.slept) == (1, [])


def test_a_redirect_is_not_followed() -> None:
    elsewhere = {"Location": "https://evil.example/"}
    answers = Answers(httpx.Response(302, headers=elsewhere), FINE)
    with pytest.raises(EhrRefused) as caught:
        get(answers, Time())
    assert (answers.count, caught.value.status) == (1, 302)


def test_the_waits_grow_and_the_tries_end() -> None:
    time, answers = Time(), Answers(httpx.Response(503))
    with pytest.raises(EhrUnavailable):
        get(answers, time)
    assert answers.count == ATTEMPTS
    assert time.slept == [0.1, 0.2, 0.4, 0.8]


def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    time = Time()
    busy = httpx.Response(429, headers={"Retry-After": "3"})
    get(Answers(busy, FINE), time)
    assert time.slept == [3.0]


def test_a_wait_beyond_the_deadline_is_left_to_the_caller() -> None:
    time = Time()
    busy = httpx.Response(503, headers={"Retry-After": "90"})
    with pytest.raises(EhrUnavailable) as caught:
        get(Answers(busy), time)
    assert caught.value.retry_after_s == 90.0
    assert time.slept == []


def test_no_time_left_means_no_request() -> None:
    answers = Answers(FINE)
    with pytest.raises(EhrUnavailable, match="no time is left"):
        get(answers, Time(), until=0.0)
    assert answers.count == 0


def test_the_network_timeout_never_outlasts_the_deadline() -> None:
    seen: list[float] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return FINE

    get(handler, Time(), until=60.0)
    get(handler, Time(), until=2.5)
    assert seen == [10.0, 2.5]


class Trickle(httpx.SyncByteStream):
    """A body that comes piece by piece while time passes."""

    def __init__(self, time: Time, pieces: int) -> None:
        self.time, self.pieces = time, pieces

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.pieces):
            self.time.at += 1.0
            yield b"x" * 10


def test_a_trickling_answer_is_cut_off_at_the_deadline() -> None:
    time = Time()
    slow = httpx.Response(200, stream=Trickle(time, 1_000))
    with pytest.raises(EhrUnavailable, match="took too long"):
        get(lambda _: slow, time, until=5.0)
    assert time.at == 6.0


def test_an_endless_answer_is_cut_off_at_the_limit() -> None:
    endless = httpx.Response(200, stream=Trickle(Time(), 1_000))
    with pytest.raises(EhrMalformed, match="larger than the limit"):
        get(lambda _: endless, Time(), max_bytes=25)


def test_a_failure_counts_by_its_status_whatever_comes_with_it() -> None:
    packed = {"Content-Encoding": "br"}
    busy = httpx.Response(503, headers=packed, stream=Trickle(Time(), 1_000))
    time, answers = Time(), Answers(busy, FINE)
    assert get(answers, time, max_bytes=25).status_code == 200
    assert answers.count == 2


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "ehr.example",
        "foo",
        "ftp://ehr.example",
        "http://",
        "http://[::1",
        "http://ehr.example:99999",
        "https://xn--/",
        "https://ehr.example/\x00",
    ],
)
def test_a_base_url_needs_scheme_and_host(base_url: str) -> None:
    with pytest.raises(EhrRefused, match="needs http or https and a host") as caught:
        Connection(
            base_url, token=None, timeout_s=1, transport=None, clock=Time().clock()
        )
    assert caught.value.status == 400


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    to = Connection(
        "http://127.0.0.1:9",
        token=None,
        timeout_s=1,
        transport=None,
        clock=Time().clock(),
    )
    with pytest.raises(EhrUnavailable):  # refused here, not by a proxy's name
        to.send("GET", to.url("metadata"), until=1.0)
    to.close()


def test_messages_and_logs_say_nothing_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="fhir_integration")
    to = connection(Answers(httpx.ReadError("Patient/p1")), Time(), token="s3cret")
    with pytest.raises(EhrUnavailable) as caught:
        to.send("GET", to.url("Observation?patient=p1"), until=60.0)
    told = str(caught.value) + "".join(
        r.getMessage() for r in caplog.records if r.name.startswith("fhir")
    )
    assert "p1" not in told
    assert "s3cret" not in told
