"""The real Triton killed, frozen, robbed, made to lie, under 20 requests a second."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest

from backend.inference.catalogue import latest_verified, read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.golden import read_golden
from backend.inference.guarded import GuardedServer
from backend.inference.keys import SHIPPED
from backend.inference.triton import TritonAddress, TritonServer
from backend.inference.triton_process import TritonProcess
from backend.twin.errors import ModelError, ModelUntrusted
from tests.triton import ADMIN_KEY, copy_of_the_repository, triton_of
from tests.versions import shifted

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
CATALOGUE = read_catalogue(REPOSITORY, trusted=(SHIPPED,))
FOUND = latest_verified(CATALOGUE)["symptom_transformer"]
MODEL, VERSION = KEY = (FOUND.model, FOUND.version)
INPUTS = {name: array[:2] for name, array in read_golden(FOUND).inputs.items()}
KNOWN = {name: array[:2] for name, array in read_golden(FOUND).outputs.items()}
DEADLINE_S = 5.0  # of a forecast's call
BACK_S = 10.0
CALLERS, EVERY_S = 4, 0.2  # together 20 requests a second


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    """A server of this file's own that starts empty, as after a crash."""
    folder = tmp_path_factory.mktemp("faults")
    repository = copy_of_the_repository(folder)
    with triton_of(repository, folder, models={}) as running:
        yield running


@contextmanager
def guarding(real: TritonProcess) -> Iterator[GuardedServer]:
    address = TritonAddress(real.grpc_url, admin_key=ADMIN_KEY)
    with closing(TritonServer(address, catalogue=lambda: CATALOGUE)) as triton:
        embedded = EmbeddedServer(REPOSITORY)
        with closing(GuardedServer(triton, embedded)) as server:
            server.load(MODEL, [VERSION])
            yield server


@pytest.fixture
def guarded(real: TritonProcess) -> Iterator[GuardedServer]:
    with guarding(real) as server:
        yield server


class Traffic:
    """What callers met: errors, wrong numbers, and the longest wait in seconds."""

    def __init__(self, server: GuardedServer) -> None:
        self.server, self.ends = server, threading.Event()
        self.asked = self.wrong = 0
        self.errors: list[str] = []
        self.longest_s = 0.0

    def call(self) -> None:
        while not self.ends.wait(EVERY_S):
            began = time.monotonic()
            try:
                answer = self.server.infer(MODEL, VERSION, INPUTS, timeout_s=DEADLINE_S)
            except ModelError as error:
                self.errors.append(repr(error))
            else:
                self.wrong += not same(answer)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.asked += 1


def same(answer: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(answer[n], KNOWN[n], rtol=0, atol=2e-5) for n in KNOWN)


@contextmanager
def traffic(server: GuardedServer) -> Iterator[Traffic]:
    """Callers around a fault: every answer right, none late, and Triton in the end."""
    seen = Traffic(server)
    callers = [threading.Thread(target=seen.call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        soon(lambda: seen.asked >= 2 * CALLERS)
        yield seen
        before = by(server, "triton", "ok")
        soon(lambda: by(server, "triton", "ok") >= before + CALLERS)
    finally:
        seen.ends.set()
        for caller in callers:
            caller.join()
    assert (seen.errors, seen.wrong) == ([], 0)
    assert seen.longest_s < DEADLINE_S


def by(server: GuardedServer, name: str, outcome: str) -> int:
    return server.calls.get((*KEY, name, outcome), 0)


def soon(true: Callable[[], bool], within_s: float = BACK_S) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def in_process(server: GuardedServer) -> None:
    """Wait until callers are answered here, and for a few of them."""
    soon(lambda: server.state()[0][2] == "embedded")
    before = by(server, "embedded", "ok")
    soon(lambda: by(server, "embedded", "ok") >= before + CALLERS)


def back(server: GuardedServer) -> None:
    """It is recovered now: callers are answered by Triton within ten seconds."""
    soon(lambda: server.state() == ((*KEY, "triton", "ok"),))


def test_triton_killed_and_started_empty(
    real: TritonProcess, guarded: GuardedServer
) -> None:
    with traffic(guarded):
        os.kill(real.pid, signal.SIGKILL)
        in_process(guarded)
        assert guarded.state() == ((*KEY, "embedded", "unavailable"),)
        real.start()  # with nothing loaded
        back(guarded)


def test_tritons_model_process_killed(
    real: TritonProcess, guarded: GuardedServer
) -> None:
    with traffic(guarded):
        for pid in real.stub_pids()[MODEL]:
            os.kill(pid, signal.SIGKILL)
        soon(lambda: by(guarded, "embedded", "ok") > 0)
        back(guarded)
    assert by(guarded, "triton", "internal") <= CALLERS  # those who were under way


def test_tritons_model_process_killed_under_two_who_would_heal_it(
    real: TritonProcess, guarded: GuardedServer
) -> None:
    with guarding(real) as other, traffic(guarded), traffic(other):
        for pid in real.stub_pids()[MODEL]:
            os.kill(pid, signal.SIGKILL)
        soon(lambda: by(guarded, "embedded", "ok") * by(other, "embedded", "ok") > 0)
        soon(lambda: {one.state()[0][2] for one in (guarded, other)} == {"triton"})


def test_triton_frozen(real: TritonProcess, guarded: GuardedServer) -> None:
    with traffic(guarded) as seen:
        os.kill(real.pid, signal.SIGSTOP)
        in_process(guarded)
        late = by(guarded, "triton", "deadline_exceeded")
        assert 3 <= late <= 3 + CALLERS - 1  # three in a row, and who was under way
        seen.longest_s, waited_s = 0.0, seen.longest_s
        assert waited_s < 2.0  # Triton's share of one second, and the answer from here
        asked = seen.asked
        soon(lambda: seen.asked >= asked + 5 * CALLERS)
        assert seen.longest_s < 0.8  # nobody waits any more
        os.kill(real.pid, signal.SIGCONT)
        back(guarded)


def test_triton_without_the_version(
    real: TritonProcess, guarded: GuardedServer
) -> None:
    with traffic(guarded):
        with closing(real.client()) as client:
            client.unload_model(MODEL, headers=real.headers, client_timeout=10)
        soon(lambda: by(guarded, "embedded", "ok") > 0)
        back(guarded)


@contextmanager
def other_weights(real: TritonProcess, shift: float) -> Iterator[None]:
    """Triton answers by a graph of its own, whose quantiles are higher by `shift`."""
    path = real.options.repository / MODEL / str(VERSION) / "model.onnx"
    before = path.read_bytes()
    changed = shifted(onnx.load_model_from_string(before), shift)
    path.write_bytes(changed.SerializeToString())
    real.load(MODEL, [VERSION])
    try:
        yield
    finally:
        path.write_bytes(before)


def test_triton_answers_no_numbers(real: TritonProcess, guarded: GuardedServer) -> None:
    with traffic(guarded):
        with other_weights(real, np.nan):
            in_process(guarded)
            assert guarded.state() == ((*KEY, "embedded", "not_finite"),)
        back(guarded)


def test_triton_answers_wrong_numbers_until_its_canary_dies(
    real: TritonProcess, guarded: GuardedServer
) -> None:
    with other_weights(real, 0.5):
        with pytest.raises(ModelUntrusted, match="golden case differs"):
            guarded.canary(MODEL, VERSION)
        assert same(guarded.infer(MODEL, VERSION, INPUTS, timeout_s=DEADLINE_S))
        assert guarded.state() == ((*KEY, "embedded", "wrong"),)
        with pytest.raises(ModelUntrusted, match="golden case differs"):
            guarded.canary(MODEL, VERSION)
    with traffic(guarded):
        back(guarded)
