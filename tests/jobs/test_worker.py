from __future__ import annotations

import io
import signal
import threading
import types
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend.jobs.management.commands import worker
from backend.predictions import outbox
from backend.predictions.outbox import DeliveryReport
from backend.twin.errors import AuditUnavailable

CANARY = "canary-4711"
DOWN = [AuditUnavailable("the anchor is away"), OperationalError(CANARY)]
SENT = DeliveryReport(1, 0, 0)
OUTCOMES = [*DOWN, *DOWN, *DOWN, DOWN[0], SENT, DOWN[0], SENT]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the worker meant to pause each time; it does not really."""
    meant: list[float] = []

    class Hasty(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            meant.append(timeout or 0.0)
            if meant[-1] == worker.PAUSE_S and len(meant) > len(OUTCOMES):
                self.set()
            return self.is_set()

    monkeypatch.setattr(worker.threading, "Event", Hasty)
    # Another test may have left a connection open, which this one must not touch.
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    return meant


def answers(monkeypatch: pytest.MonkeyPatch, outcomes: list[Any]) -> None:
    """The outbox raises or reports these, and then has nothing more to do."""
    left = iter(outcomes)

    def deliver_due(**_: Any) -> DeliveryReport:
        outcome = next(left, DeliveryReport(0, 0, 0))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(outbox, "deliver_due", deliver_due)


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who looked after the models, each time; one thing is wrong with them."""
    actors: list[str] = []

    def check(*, actor: str, thorough: bool) -> list[str]:
        assert not thorough
        actors.append(actor)
        return ["m version 2 fails its known case"]

    monkeypatch.setattr(worker, "check_models", check)
    return actors


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in kept.items():
        signal.signal(name, handler)


def run(**options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("worker", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("error", DOWN, ids=lambda error: type(error).__name__)
def test_once_ends_in_an_error_that_names_the_class_alone(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    answers(monkeypatch, [error])
    with pytest.raises(CommandError) as ended:
        run(once=True)
    assert str(ended.value) == f"cannot deliver: {type(error).__name__}"


def test_once_ends_when_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, [DeliveryReport(2, 1, 0)])
    assert run(once=True) == ("delivered 2, failed 1, waiting 0\n", "")


def test_it_outlives_what_is_down_and_pauses_longer_each_time(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    answers(monkeypatch, OUTCOMES)
    out, err = run()
    assert out == "delivered 1, failed 0, waiting 0\n" * 2
    named = ["AuditUnavailable", "OperationalError"] * 3 + ["AuditUnavailable"] * 2
    assert err.splitlines() == [f"cannot deliver: {name}" for name in named]
    grown = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert pauses[:7] == grown
    assert pauses[7:9] == [1.0, 1.0], "after a delivery from the start again"


def test_an_operator_has_what_failed_tried_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(outbox, "requeue_failed", lambda now: asked.append(now) or 3)
    answers(monkeypatch, [SENT])
    said = "to be tried anew: 3\ndelivered 1, failed 0, waiting 0\n"
    assert run(once=True, retry_failed=True) == (said, "")
    assert len(asked) == 1
    answers(monkeypatch, [])
    run(once=True)
    assert len(asked) == 1, "only who asks for it"


@pytest.mark.parametrize("error", DOWN, ids=lambda error: type(error).__name__)
def test_a_retry_that_cannot_be_noted_down_ends_in_an_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def down(**_: Any) -> int:
        raise error

    monkeypatch.setattr(outbox, "requeue_failed", down)
    with pytest.raises(CommandError) as ended:
        run(once=True, retry_failed=True)
    assert str(ended.value) == f"cannot retry: {type(error).__name__}"


def test_it_looks_after_the_models_at_first_and_every_hour(
    monkeypatch: pytest.MonkeyPatch,
    pauses: list[float],
    checked: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    times = iter([0.0, 0.0, 0.0, 3599.0, 3600.0])
    clock = types.SimpleNamespace(monotonic=lambda: next(times, 3600.0))
    monkeypatch.setattr(worker, "time", clock)
    answers(monkeypatch, OUTCOMES)
    run()
    assert len(checked) == 2
    assert checked[0].startswith("command:worker@")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["models: m version 2 fails its known case"] * 2


def test_once_looks_after_nothing(
    monkeypatch: pytest.MonkeyPatch, checked: list[str]
) -> None:
    answers(monkeypatch, [])
    run(once=True)
    assert checked == []
