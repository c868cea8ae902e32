from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backend.inference.triton import TritonFailed
from backend.twin.errors import (
    ModelError,
    ModelRefused,
    ModelUnavailable,
    ModelUntrusted,
)
from tests.inference.fake_servers import ANSWER
from tests.inference.guards import KEY, OURS, Pair

NAN = np.array([[1.0, np.nan]], np.float32)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    made.triton.lives = False  # what breaks stays broken
    yield made
    made.end()


def test_triton_answers_first(pair: Pair) -> None:
    assert pair.ask() is ANSWER
    assert pair.embedded.asked == []
    assert pair.state == ("triton", "ok")
    assert pair.counts == {("triton", "ok"): 1}


@pytest.mark.parametrize(
    ("timeout_s", "share_s"), [(5.0, 1.0), (1.0, 0.6), (0.1, 0.06), (0.0, 0.0)]
)
def test_triton_gets_a_share_of_the_time_and_the_rest_stays(
    pair: Pair, timeout_s: float, share_s: float
) -> None:
    pair.triton.answer = TritonFailed("m", "deadline_exceeded")
    pair.ask(timeout_s)
    assert pair.triton.asked == [(*KEY, pytest.approx(share_s, abs=0.02))]
    ((_, _, left_s),) = pair.embedded.asked
    assert timeout_s - 0.1 < left_s <= timeout_s


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        ("deadline_exceeded", 3),
        ("cancelled", 3),
        ("unavailable", 1),
        ("not_found", 1),
        ("invalid_argument", 1),
        ("internal", 1),
        ("malformed", 1),
    ],
)
def test_what_fails_is_asked_no_more_and_answered_here(
    pair: Pair, status: str, asked: int
) -> None:
    pair.triton.answer = TritonFailed("m", status)
    answers = [pair.ask() for _ in range(5)]
    assert all(answer is OURS for answer in answers)
    assert len(pair.triton.asked) == asked
    assert pair.state == ("embedded", status)
    assert pair.counts == {("triton", status): asked, ("embedded", "ok"): 5}


def test_once_open_nobody_waits(pair: Pair) -> None:
    pair.triton.answer = TritonFailed("m", "internal")
    pair.ask()
    pair.triton.infer = lambda *a, **k: time.sleep(60)  # type: ignore[method-assign]
    with ThreadPoolExecutor(16) as pool:
        assert all(
            answer is OURS for answer in pool.map(lambda _: pair.ask(), range(64))
        )


@pytest.mark.parametrize("error", [ModelRefused("bad"), ModelUntrusted("forged")])
def test_what_is_not_tritons_fault_is_raised_as_it_is(
    pair: Pair, error: ModelError
) -> None:
    pair.triton.answer = error
    for _ in range(4):
        with pytest.raises(type(error)):
            pair.ask()
    assert pair.embedded.asked == []
    assert pair.state == ("triton", "ok")


def test_what_tritons_catalogue_lacks_is_asked_here_without_a_mark(pair: Pair) -> None:
    pair.triton.answer = ModelUnavailable("unknown model")
    assert [pair.ask() is OURS for _ in range(4)] == [True] * 4
    assert pair.state == ("triton", "ok")
    assert pair.counts == {("triton", "unknown"): 4, ("embedded", "ok"): 4}


@pytest.mark.parametrize(
    "error", [ModelUnavailable("late"), ModelUntrusted("forged"), ModelRefused("bad")]
)
def test_where_both_fail_the_last_error_is_raised(
    pair: Pair, error: ModelError
) -> None:
    pair.triton.answer, pair.embedded.answer = TritonFailed("m", "internal"), error
    with pytest.raises(type(error)) as caught:
        pair.ask()
    assert caught.value is error
    assert pair.counts["embedded", type(error).__name__[5:].lower()] == 1


def test_no_number_where_there_is_one_here_is_tritons_failure(pair: Pair) -> None:
    pair.triton.answer = NAN
    assert pair.ask() is OURS
    assert pair.state == ("embedded", "not_finite")


def test_no_number_on_both_sides_is_the_models_true_answer(pair: Pair) -> None:
    pair.triton.answer, pair.embedded.answer = NAN, NAN.copy()
    assert all(pair.ask() is pair.embedded.answer for _ in range(4))
    assert pair.state == ("triton", "ok")


def test_the_canary_is_of_both(pair: Pair) -> None:
    pair.server.canary(*KEY)
    assert pair.triton.told == pair.embedded.told == [("canary", *KEY)]
    pair.embedded.golden = ModelUntrusted("differs here")
    with pytest.raises(ModelUntrusted, match="differs here"):
        pair.server.canary(*KEY)


def test_wrong_numbers_are_served_no_more(pair: Pair) -> None:
    pair.triton.golden = ModelUntrusted("golden case differs")
    for _ in range(2):
        with pytest.raises(ModelUntrusted, match="golden"):
            pair.server.canary(*KEY)
        assert pair.ask() is OURS
        assert pair.state == ("embedded", "wrong")


def test_the_canary_of_a_server_that_is_away_is_the_one_here(pair: Pair) -> None:
    pair.triton.golden = TritonFailed("m", "unavailable")
    pair.server.canary(*KEY)
    assert pair.state == ("embedded", "unavailable")
    pair.server.canary(*KEY)
    asked = pair.triton.of("canary")
    assert len(asked) == 1  # known to be away: nobody waits for it
    assert len(pair.embedded.told) == 2


def test_a_load_is_of_both_and_closes_what_answers(pair: Pair) -> None:
    pair.triton.answer = TritonFailed("m", "not_found")
    pair.ask()
    pair.server.load("m", [1, 2])
    assert pair.embedded.told == [("load", "m", {1, 2})]
    assert pair.triton.told[-3:] == [
        ("load", "m", {1, 2}),
        ("canary", "m", 1),
        ("canary", "m", 2),
    ]
    assert pair.state == ("triton", "ok")
    assert pair.server.ready("m", 1)
    pair.server.unload("m")
    assert pair.triton.told[-1] == ("unload", "m")


@pytest.mark.parametrize("error", [ModelUntrusted("?"), TritonFailed("m", "internal")])
def test_a_load_whose_golden_case_fails_raises_and_serves_nothing_wrong(
    pair: Pair, error: ModelError
) -> None:
    pair.triton.golden = error
    with pytest.raises(type(error)):
        pair.server.load("m", [1])
    assert pair.ask() is OURS


def test_a_version_that_does_not_load_here_is_not_loaded_there(pair: Pair) -> None:
    pair.embedded.load_error = ModelUntrusted("forged")
    with pytest.raises(ModelUntrusted):
        pair.server.load("m", [1])
    assert pair.triton.told == []


def test_it_comes_back_in_the_background() -> None:
    pair = Pair(every_s=0.01)
    pair.triton.answer = TritonFailed("m", "deadline_exceeded")
    pair.triton.lives = False
    for _ in range(3):
        pair.ask()
    assert pair.state == ("embedded", "deadline_exceeded")
    pair.triton.answer, pair.triton.lives = ANSWER, True
    end = time.monotonic() + 10
    while pair.ask() is OURS:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert pair.state == ("triton", "ok")
    pair.end()


def test_a_forked_process_starts_anew(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.triton.answer = TritonFailed("m", "internal")
    pair.ask()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        assert pair.server.state() == ()
        assert pair.server.calls == {}
        pair.triton.answer = ANSWER
        assert pair.ask() is ANSWER
        pair.end()  # the thread that is this process' own
    assert pair.state == ("embedded", "internal")
