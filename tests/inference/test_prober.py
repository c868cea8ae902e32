from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator

import pytest

from backend.inference import prober as module
from backend.inference.triton import TritonFailed
from backend.twin.errors import ModelError, ModelUnavailable, ModelUntrusted
from tests.inference.fake_servers import FakeRemote
from tests.inference.guards import KEY, Bench, soon


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "HEAL_S", 0.02)
    monkeypatch.setattr(module, "_APART_S", 0.01)
    made = Bench()
    yield made
    made.prober.close()


def probers() -> int:
    return sum(one.name == "triton-prober" for one in threading.enumerate())


def test_a_version_that_answers_again_is_asked_again(bench: Bench) -> None:
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert bench.triton.told == [("canary", *KEY)]


def test_there_is_one_thread_while_somebody_asks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.triton.lives = False
    bench.breaks()
    bench.breaks(("m", 2))
    bench.rounds(2)
    assert probers() == 1
    bench.triton.lives = True
    soon(lambda: not bench.breakers.opened())
    with monkeypatch.context() as patch:
        patch.setattr(module, "IDLE_S", -1.0)
        soon(lambda: probers() == 0)
    bench.breaks()
    soon(lambda: not bench.breakers.opened())


def test_a_server_that_is_away_gets_a_new_connection_and_no_orders(
    bench: Bench,
) -> None:
    bench.triton.lives = False
    bench.breaks()
    bench.rounds(3)
    assert set(bench.triton.told) == {("reconnect",)}


def heals(fake: FakeRemote, versions: Collection[int]) -> None:
    if 1 in versions:
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
        ("load", "m", {4}),  # it alone goes: who asks for the other is not disturbed
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


@pytest.mark.parametrize(
    "error", [ModelUntrusted("golden case differs"), TritonFailed("m", "internal")]
)
def test_what_a_reload_does_not_cure_is_reloaded_seldom(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ModelError
) -> None:
    monkeypatch.setattr(module, "HEAL_S", 0.05)
    monkeypatch.setattr(module, "SLOW_S", 0.1)
    bench.prober.close()
    bench.prober = bench.made({})
    bench.triton.said, bench.triton.golden = {1: "READY", 4: "READY"}, error
    bench.breaks()
    time.sleep(1.5)
    taken = bench.triton.of("load").count(("load", "m", {4}))
    assert 3 <= taken <= 6  # 0, .05, .15, .35, .75, 1.55
    assert len(bench.triton.of("load")) >= taken + 10  # what takes nothing away
    assert bench.triton.of("unload") == []
    assert all(4 in versions for _, _, versions in bench.triton.of("load"))
    bench.triton.golden = None
    soon(lambda: bench.breakers.closed(KEY))
    bench.triton.golden = error  # again, soon after: not as if nothing had been
    count = len(bench.triton.of("load"))
    bench.breaks()
    soon(lambda: len(bench.triton.of("load")) > count)
    assert bench.triton.of("load")[count] == ("load", "m", {1, 4})


def test_a_retired_version_does_not_keep_the_others_away(bench: Bench) -> None:
    def refuses(fake: FakeRemote, versions: Collection[int]) -> None:
        if 3 in versions:
            raise ModelUnavailable("m/3 is not in the repository")
        fake.golden = None

    bench.triton.said, bench.triton.golden = {}, TritonFailed("m", "not_found")
    bench.triton.on_load = refuses
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
    def dead(fake: FakeRemote, versions: Collection[int]) -> None:
        if bench.triton.of("load").count(("load", "m", {4})):
            fake.golden = None

    bench.triton.said = {1: "READY", 4: "READY"}
    bench.triton.golden = TritonFailed("m", "deadline_exceeded")
    bench.triton.on_load = dead
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    both = ("load", "m", {1, 4})
    assert bench.triton.of("load") == [both, ("load", "m", {4}), both]


def test_a_server_that_is_away_is_away_for_everything(bench: Bench) -> None:
    bench.breakers.succeeded(("other", 3))
    bench.prober.awake(("other", 3))
    bench.triton.lives = False
    bench.breaks()
    soon(lambda: len(bench.breakers.opened()) == 2)
    assert bench.breakers.opened() == {KEY: "internal", ("other", 3): "unavailable"}
    bench.triton.lives = True
    soon(lambda: not bench.breakers.opened())


@pytest.mark.parametrize(
    "error", [ModelUntrusted("golden case differs"), TritonFailed("m", "not_found")]
)
def test_what_nobody_asks_for_stays_open_and_unproven(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ModelError
) -> None:
    well = ("m", 2)
    bench.proofs.prove(well, timeout_s=1)
    assert bench.proofs.holds(well)
    bench.triton.golden = error
    bench.breaks()
    bench.prober.awake(well)
    monkeypatch.setattr(module, "IDLE_S", -1.0)
    soon(lambda: probers() == 0)
    assert list(bench.breakers.opened()) == [KEY]
    assert not bench.proofs.holds(well)
    monkeypatch.setattr(module, "IDLE_S", 300.0)
    bench.triton.golden = None
    assert list(bench.breakers.opened()) == [KEY]  # until it has answered
    bench.prober.awake(KEY)
    soon(lambda: bench.breakers.closed(KEY))


def test_what_answers_is_proven_again_from_time_to_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.proofs.prove(KEY, timeout_s=1)
    bench.prober.awake(KEY)
    time.sleep(0.1)
    assert bench.triton.told == [("canary", *KEY)]
    monkeypatch.setattr(module, "AGAIN_S", 0.02)
    soon(lambda: len(bench.triton.told) > 4)
    assert bench.breakers.closed(KEY)
    bench.triton.golden = ModelUnavailable("not in the catalogue")
    soon(lambda: not bench.proofs.holds(KEY))
    assert bench.breakers.closed(KEY)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ModelUntrusted("golden case differs"), "wrong"),
        (TritonFailed("m", "internal"), "internal"),
    ],
)
def test_what_answers_its_case_no_more_is_asked_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ModelError, word: str
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.0)
    bench.proofs.prove(KEY, timeout_s=1)
    bench.triton.golden = error
    bench.prober.awake(KEY)
    soon(lambda: bench.breakers.opened() == {KEY: word})


def test_what_is_wanted_is_loaded_once_and_prepared_here(bench: Bench) -> None:
    bench.prober = bench.made({"m": {1, 2}, "n": {1}})
    bench.triton.said = {1: "READY", 5: "READY", 7: "UNAVAILABLE"}
    bench.triton.load_error = TritonFailed("m", "unavailable")
    bench.embedded.load_error = ModelUntrusted("forged")
    bench.prober.awake(("m", 3))
    prepared = [("m", 1), ("m", 2), ("m", 3), ("n", 1)]
    soon(lambda: sorted(bench.embedded.prepared) == prepared)
    soon(lambda: bench.triton.of("load") == [("load", "m", {1, 2, 5})])
    time.sleep(0.1)
    assert len(bench.triton.of("load")) == 1
    assert len(bench.embedded.prepared) == 4


def test_a_load_makes_the_models_versions_prove_themselves_again(bench: Bench) -> None:
    others = ("m", 2), ("n", 1)
    for key in others:
        bench.proofs.prove(key, timeout_s=1)
    bench.triton.said, bench.triton.on_load = {}, heals
    bench.triton.golden = TritonFailed("m", "not_found")
    bench.breaks()
    soon(lambda: bench.breakers.closed(KEY))
    assert [bench.proofs.holds(key) for key in others] == [False, True]
