"""What guards a server, over servers of plain Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from backend.inference.breaker import Breakers
from backend.inference.guarded import GuardedServer
from backend.inference.known import Key
from backend.inference.prober import Prober
from backend.inference.proofs import Proofs
from tests.inference.fake_servers import ANSWER, FakeRemote, FakeServer

OURS = ANSWER + 1  # so that a test can tell who answered
KEY = ("m", 1)
SLOW = 3600.0  # nobody probes in a test that does not ask for it


class Pair:
    def __init__(self, every_s: float = SLOW) -> None:
        self.triton, self.embedded = FakeRemote(), FakeServer()
        self.embedded.answer = OURS
        self.server = GuardedServer(self.triton, self.embedded, probe_every_s=every_s)

    def ask(self, timeout_s: float = 5.0) -> Any:
        return self.server.infer(*KEY, {}, timeout_s=timeout_s)["y"]

    @property
    def state(self) -> tuple[str, str]:
        ((*_, server, word),) = self.server.state()
        return server, word

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        return {(server, word): n for (*_, server, word), n in self.calls()}

    def calls(self) -> Any:
        return self.server.calls.items()

    def end(self) -> None:
        """No thread may outlive its test; this one waits for an hour otherwise."""
        self.server.close()


class Bench:
    def __init__(self) -> None:
        self.triton, self.embedded = FakeRemote(), FakeServer()
        self.breakers: Breakers[Key] = Breakers()
        self.proofs = Proofs(self.triton)
        self.prober = self.made({})

    def made(self, wanted: dict[str, set[int]]) -> Prober:
        return Prober(
            self.triton,
            self.proofs,
            self.breakers,
            every_s=0.01,
            wanted=wanted,
            prepare=self.embedded.prepare,
        )

    def breaks(self, *keys: Key) -> None:
        for key in keys or (KEY,):
            self.breakers.failed(key, "internal")
            self.prober.awake(key)

    def rounds(self, count: int) -> None:
        """Let it look so many times more."""
        for _ in range(count):
            self.triton.probed.clear()
            assert self.triton.probed.wait(10)


def soon(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)
