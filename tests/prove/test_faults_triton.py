"""What callers get while Triton is killed, frozen, lying or short of a version.

Over HTTP, 20 requests a second, everything real. Writes docs/reliability.md.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest

from tests.prove.page import write_section
from tests.system.conftest import ehr_url, installation  # noqa: F401 - fixtures
from tests.system.served import MODELS, Served, quantiles, served
from tests.system.traffic import Answered, Traffic
from tests.versions import numbers, shifted

if TYPE_CHECKING:
    from tests.system.conftest import Installation

RATE = 20.0  # requests a second
FAULT_S = 10.0
BACK_S = 10.0  # from recovery to Triton's next answer
CHECKED = 40  # answers of each fault that are computed again
FRESH = 0.99
CALLERS = 8  # enough that each may take as long as it needs
KEPT_UP = 0.8  # of the rate; two cores serve about twenty a second at most
DEADLINE_S = 5.0  # of the models alone


@dataclass(frozen=True, slots=True)
class Fault:
    """How it is made, and how its cause goes away."""

    name: str
    make: Callable[[Served], None]
    mend: Callable[[Served], None]


def kill(found: Served) -> None:
    os.kill(found.triton.pid, signal.SIGKILL)


def restart(found: Served) -> None:
    found.triton.start()


def kill_stubs(found: Served) -> None:
    for pids in found.triton.stub_pids().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def nothing(_: Served) -> None:
    """A stub does not come back by itself: the site has to heal it."""


def freeze(found: Served) -> None:
    os.kill(found.triton.pid, signal.SIGSTOP)


def thaw(found: Served) -> None:
    os.kill(found.triton.pid, signal.SIGCONT)


def lie(found: Served) -> None:
    """Both models answer NaN: their files were overwritten and loaded again."""
    for model in MODELS:
        graph = place(found, model) / "model.onnx"
        graph.rename(graph.with_suffix(".true"))
        true = onnx.load_model(graph.with_suffix(".true"))
        graph.write_bytes(shifted(true, float("nan")).SerializeToString())
    reload(found)


def tell_the_truth(found: Served) -> None:
    for model in MODELS:
        graph = place(found, model) / "model.onnx"
        graph.with_suffix(".true").rename(graph)


def remove(found: Served) -> None:
    """The folder is gone and the model is unloaded; the other model stays."""
    away = place(found, MODELS[0])
    away.rename(found.theirs / "away")
    found.triton.client().unload_model(MODELS[0], headers=found.triton.headers)


def put_back(found: Served) -> None:
    (found.theirs / "away").rename(place(found, MODELS[0]))


def place(found: Served, model: str) -> Path:
    newest = numbers(found.repository, model)[-1]
    return found.theirs / model / str(newest)


def reload(found: Served) -> None:
    client = found.triton.client()
    for model in MODELS:
        client.unload_model(model, headers=found.triton.headers)
        found.triton.load(model, [int(place(found, model).name)])


FAULTS = (
    Fault("Triton killed, then started again", kill, restart),
    Fault("its model processes killed", kill_stubs, nothing),
    Fault("frozen, then thawed", freeze, thaw),
    Fault("both models answer NaN", lie, tell_the_truth),
    Fault("a version removed, then put back", remove, put_back),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One fault as callers saw it; `back` in seconds."""

    fault: Fault
    answers: list[Answered]
    seconds: float
    back: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.answers) / self.seconds

    @property
    def slowest(self) -> float:
        """Seconds that the slowest answer took."""
        return max(one.seconds for one in self.answers)

    @property
    def fresh(self) -> list[Answered]:
        """Computed at once."""
        return [one for one in self.answers if one.status == 201]

    @property
    def stale(self) -> list[Answered]:
        """The last forecast that still holds, and marked so."""
        return [one for one in self.answers if one.status == 200 and one.body["stale"]]


def through(fault: Fault, found: Served, traffic: Traffic) -> Seen:
    """Make the fault under traffic, mend it, wait for Triton's answers."""
    traffic.wait_for(int(RATE))
    begun = time.monotonic()
    fault.make(found)
    time.sleep(FAULT_S)
    fault.mend(found)
    mended = time.monotonic()
    wait_for_triton(found)
    back = time.monotonic() - mended
    traffic.wait_for(int(2 * RATE))
    return Seen(fault, traffic.since(begun), time.monotonic() - begun, back)


def wait_for_triton(found: Served) -> None:
    """Until both models are asked of Triton again, and answer."""
    until = time.monotonic() + 3 * BACK_S
    while time.monotonic() < until:
        before = found.calls()
        time.sleep(0.5)
        after = found.calls()
        here = "embedded", "ok"
        there = "triton", "ok"
        if after.get(here) == before.get(here) and after[there] > before[there]:
            return
    raise AssertionError(f"not back on Triton: {found.calls()}")


def distance(found: Served, answers: list[Answered]) -> float:
    """The largest difference from what the models in process answer."""
    chosen = answers[:: max(1, len(answers) // CHECKED)][:CHECKED]
    again = found.again(chosen)
    return max(
        float(np.abs(np.array(mine) - np.array(theirs)).max())
        for answer, known in zip(chosen, again, strict=True)
        for mine, theirs in zip(quantiles(answer), known, strict=True)
    )


@pytest.mark.slow
def test_faults_of_triton_are_not_seen_by_callers(
    installation: Installation,  # noqa: F811 - the fixture
    ehr_url: str,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    with served(installation, ehr_url, tmp_path, copies=20) as found:
        with Traffic(found.url, found.given, callers=CALLERS, rate=RATE) as traffic:
            seen = [through(fault, found, traffic) for fault in FAULTS]
        furthest = [distance(found, one.fresh) for one in seen]
    write_section("When Triton fails", table(seen, furthest))
    for one, far in zip(seen, furthest, strict=True):
        name = one.fault.name
        assert len(one.fresh) >= FRESH * len(one.answers), name
        assert len(one.fresh) + len(one.stale) == len(one.answers), name
        assert far <= 1e-5, name
        assert one.back <= BACK_S, name
        assert one.slowest <= DEADLINE_S, name
        assert one.rate >= KEPT_UP * RATE, name


def table(seen: list[Seen], furthest: list[float]) -> str:
    lines = [
        f"{RATE:g} forecasts a second over HTTP, {CALLERS} callers, none tried twice; "
        f"a fault lasts {FAULT_S:g} s. Fresh: computed at once, by either server. "
        "Furthest: from what the same models in process answer to the same request. "
        "Back: from the cause's end until only Triton answers again.\n",
        "| fault | asked | a second | fresh | stale | slowest, s "
        "| furthest, score units | back after, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.fault.name} | {len(one.answers)} | {one.rate:.1f} "
        f"| {len(one.fresh)} | {len(one.stale)} | {one.slowest:.2f} "
        f"| {far:.1e} | {one.back:.1f} |"
        for one, far in zip(seen, furthest, strict=True)
    ]
    return "\n".join(lines)
