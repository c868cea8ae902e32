from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from backend.inference import prober as module
from backend.inference.breaker import Breakers
from backend.inference.known import Key
from backend.inference.prober import Prober
from backend.inference.triton import TritonFailed
from backend.twin.errors import ModelUnavailable, ModelUntrusted
from tests.inference.fake_servers import FakeRemote

KEY = ("m", 1)


class Bench:
    def __init__(self) -> None:
        self.triton = FakeRemote()
        self.breakers: Breakers[Key] = Breakers()
        self.prober = Prober(self.triton, self.breakers, every_s=0.01)

    def breaks(self, *keys: Key) -> None:
        for key in keys or (KEY,):
            self.breakers.failed(key, "internal", at_once=True)
            self.prober.awake(key)

    def rounds(self, count: int) -> None:
        """Let it look so many times more."""
        for _ in range(count):
            self.triton.probed.clear()
            assert self.triton.probed.wait(10)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "HEAL_S", 0.02)
    monkeypatch.setattr(module, "_APART_S", 0.01)
    made = Bench()
    yield made
    made.prober.close()


def soon(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def probers() -> int:
    return sum(one.name == "triton-prober" for one in threading.enumerate())


def test_a_version_that_answers_again_is_asked_again(bench: Bench) -> None:
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert bench.triton.told == [("canary", *KEY)]
    soon(lambda: probers() == 0)  # nothing is open: nobody probes


def test_there_is_one_thread_and_a_new_one_when_needed(bench: Bench) -> None:
    bench.triton.lives = False
    bench.breaks()
    bench.breaks(("m", 2))
    bench.rounds(2)
    assert probers() == 1
    bench.triton.lives = True
    soon(lambda: not bench.breakers.opened())
    bench.breaks()
    soon(lambda: not bench.breakers.opened())


def test_a_server_that_is_away_gets_a_new_connection_and_no_orders(
    bench: Bench,
) -> None:
    bench.triton.lives = False
    bench.breaks()
    bench.rounds(3)
    assert set(bench.triton.told) == {("reconnect",)}


def heals(fake: FakeRemote, _: object) -> None:
    fake.golden = None


def test_a_server_that_started_empty_is_given_its_versions(bench: Bench) -> None:
    bench.triton.said, bench.triton.golden = {}, TritonFailed("m", "not_found")
    bench.triton.on_load = heals
    bench.prober.wanted["m"] = {1, 3}
    bench.breaks(KEY, ("m", 2), ("other", 5))
    soon(lambda: not bench.breakers.opened())
    assert bench.triton.of("unload") == []
    assert bench.triton.of("load")[0] == ("load", "m", {1, 2, 3})


def test_a_dead_model_process_is_replaced_and_no_version_lost(bench: Bench) -> None:
    bench.triton.said = {1: "READY", 4: "READY", 5: "UNAVAILABLE"}
    bench.triton.golden = TritonFailed("m", "internal")
    bench.triton.on_load = heals
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert bench.triton.told == [
        ("canary", *KEY),
        ("canary", *KEY),  # once more, in case another process healed it
        ("unload", "m"),
        ("load", "m", {1, 4}),
        ("canary", *KEY),
    ]


def test_what_another_process_healed_is_left_alone(bench: Bench) -> None:
    answers = iter([TritonFailed("m", "internal"), None])
    bench.triton.golden = TritonFailed("m", "internal")
    canary = bench.triton.canary

    def once(model: str, version: int, *, timeout_s: float = 1.0) -> None:
        bench.triton.golden = next(answers)
        canary(model, version)

    bench.triton.canary = once  # type: ignore[method-assign]
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert bench.triton.of("unload") == bench.triton.of("load") == []


def test_what_is_being_loaded_is_left_alone(bench: Bench) -> None:
    bench.triton.said = {1: "LOADING"}
    bench.triton.golden = TritonFailed("m", "unavailable")
    bench.breaks()
    bench.rounds(5)
    assert bench.triton.of("load") == bench.triton.of("unload") == []


def test_wrong_numbers_are_loaded_anew_but_seldom_by_force(bench: Bench) -> None:
    bench.triton.golden = ModelUntrusted("golden case differs")
    bench.breaks()
    soon(lambda: len(bench.triton.of("load")) >= 12)
    assert 1 <= len(bench.triton.of("unload")) <= 6  # it takes other versions away
    bench.triton.golden = None
    soon(lambda: bench.breakers.closed(KEY))


def test_a_retired_version_does_not_keep_the_others_away(bench: Bench) -> None:
    def refuses(fake: FakeRemote, versions: set[int]) -> None:
        if 3 in versions:
            raise ModelUnavailable("m/3 is not in the repository")
        fake.golden = None

    bench.triton.said, bench.triton.golden = {}, TritonFailed("m", "not_found")
    bench.triton.on_load = refuses  # type: ignore[assignment]
    bench.prober.wanted["m"] = {1, 3}
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert bench.triton.of("load") == [("load", "m", {1, 3}), ("load", "m", {1})]


def test_a_load_that_is_refused_is_tried_again_later(bench: Bench) -> None:
    bench.triton.said, bench.triton.golden = {}, TritonFailed("m", "not_found")
    bench.triton.load_error = TritonFailed("m", "unavailable")
    bench.breaks()
    soon(lambda: len(bench.triton.of("load")) >= 4)
    bench.triton.load_error, bench.triton.on_load = None, heals
    soon(lambda: bench.breakers.closed(KEY))


def test_closed_it_probes_no_more(bench: Bench) -> None:
    bench.triton.lives = False
    bench.breaks()
    bench.rounds(1)
    bench.prober.close()
    assert probers() == 0
    bench.breaks()
    assert probers() == 0


def test_a_late_canary_counts_the_second_time(bench: Bench) -> None:
    bench.triton.golden = TritonFailed("m", "deadline_exceeded")
    bench.triton.on_load = lambda fake, _: bench.triton.of("unload") and heals(fake, _)
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert [one[0] for one in bench.triton.told] == [
        *("canary", "load", "canary"),  # busy, perhaps: nothing is taken away
        *("canary",) * (bench.triton.told.index(("unload", "m")) - 3),
        *("unload", "load", "canary"),
    ]


def test_a_server_that_is_away_is_away_for_everything(bench: Bench) -> None:
    bench.breakers.succeeded(("other", 3))
    bench.triton.lives = False
    bench.breaks()
    soon(lambda: len(bench.breakers.opened()) == 2)
    assert bench.breakers.opened() == {KEY: "internal", ("other", 3): "unavailable"}
    bench.triton.lives = True
    soon(lambda: not bench.breakers.opened())


def test_what_nobody_asks_for_any_more_is_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    bench.triton.golden = TritonFailed("m", "not_found")
    bench.breaks()
    soon(lambda: not bench.breakers.opened())
    assert bench.triton.of("load") == []
