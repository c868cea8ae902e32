from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backend.inference.guarded import GuardedServer
from backend.inference.triton import TritonFailed
from backend.twin.errors import ModelUntrusted
from tests.inference.fake_servers import ANSWER, FakeRemote, FakeServer
from tests.inference.guards import KEY, OURS, Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    made.triton.lives = False  # what breaks stays broken
    yield made
    made.end()


def test_nothing_is_believed_before_its_golden_case(pair: Pair) -> None:
    pair.triton.golden = ModelUntrusted("golden case differs")
    assert all(pair.ask() is OURS for _ in range(3))
    assert pair.triton.asked == []
    assert pair.state == ("embedded", "wrong")
    assert pair.counts == {("triton", "wrong"): 1, ("embedded", "ok"): 3}


def test_one_proof_is_enough_and_no_call(pair: Pair) -> None:
    for _ in range(3):
        assert pair.ask() is ANSWER
    assert pair.triton.of("canary") == [("canary", *KEY)]
    assert pair.counts == {("triton", "ok"): 3}


@pytest.mark.parametrize("when", ["between calls", "during a call"])
def test_behind_another_connection_all_is_proven_again(pair: Pair, when: str) -> None:
    assert pair.ask() is ANSWER

    def swapped(*_: Any, **__: Any) -> Any:
        pair.triton.connection += 1
        pair.triton.golden = ModelUntrusted("golden case differs")
        return {"y": ANSWER + 7}

    if when == "during a call":
        pair.triton.infer = swapped  # type: ignore[method-assign]
    else:
        swapped()
    assert pair.ask() is OURS
    assert pair.state == ("embedded", "wrong")


def test_callers_wait_for_the_one_who_proves(pair: Pair) -> None:
    def slowly(model: str, version: int, *, timeout_s: float = 0.0) -> None:
        pair.triton.told.append(("canary", model, version))
        time.sleep(0.3)

    pair.triton.canary = slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: pair.ask(), range(16)))
    assert all(answer is ANSWER for answer in answers)
    assert len(pair.triton.of("canary")) == 1
    assert pair.counts == {("triton", "ok"): 16}


@pytest.mark.parametrize("late", [True, False])
def test_callers_wait_at_most_their_share_and_leave_no_mark(
    pair: Pair, late: bool
) -> None:
    def slowly(model: str, version: int, *, timeout_s: float = 0.0) -> None:
        time.sleep(0.3)
        if not late:
            raise TritonFailed(model, "deadline_exceeded")

    pair.triton.canary = slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(pair.ask)
        time.sleep(0.1)
        began = time.monotonic()
        others = [pool.submit(pair.ask, 0.1 if late else 5.0) for _ in range(5)]
        assert all(one.result() is OURS for one in others)
        assert time.monotonic() - began < 0.5
        assert first.result() is (ANSWER if late else OURS)
    assert pair.counts["triton", "unproven"] == 5
    assert pair.state == ("triton", "ok")


def test_what_is_wanted_is_loaded_while_this_process_answers() -> None:
    triton, embedded = FakeRemote(), FakeServer()
    embedded.answer, triton.said = OURS, {}
    triton.golden = TritonFailed("m", "not_found")
    ends = threading.Event()

    def hangs(fake: FakeRemote, _: object) -> None:
        ends.wait(10)
        fake.golden = None

    triton.on_load = hangs
    server = GuardedServer(triton, embedded, wanted={"m": {1, 2}}, probe_every_s=0.01)
    began = time.monotonic()
    assert server.infer(*KEY, {}, timeout_s=5.0)["y"] is OURS
    assert time.monotonic() - began < 1
    ends.set()
    while server.infer(*KEY, {}, timeout_s=5.0)["y"] is OURS:
        assert time.monotonic() - began < 10
    assert triton.of("load") == [("load", "m", {1, 2})]
    assert sorted(embedded.prepared) == [("m", 1), ("m", 2)]
    server.close()
