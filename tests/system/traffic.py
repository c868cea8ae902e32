"""Callers who ask the site for forecasts, each time another one, and keep the answers.

No stored answer can be given again: every request is for another patient or day. No
request is tried twice, so what failed shows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

DAYS_BACK = 30  # of the 60 that the diaries know


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: when it was asked (monotonic), how long it took, what came."""

    patient: str
    as_of: str
    asked: float
    seconds: float
    status: int
    body: Any

    @property
    def uses(self) -> frozenset[tuple[str, int, str, str]]:
        """Model, version, digest and channel of all that contributed."""
        return frozenset(
            (use["model"], use["version"], use["sha256"], use["channel"])
            for instrument in self.body.get("instruments", ())
            for use in instrument["models"]
        )

    @property
    def versions(self) -> frozenset[tuple[str, int]]:
        """Model and version of all that contributed."""
        return frozenset((model, version) for model, version, *_ in self.uses)


class Traffic:
    """`callers` at once while the block runs; at most `rate` requests a second."""

    def __init__(
        self, url: str, given: dict[str, Any], *, callers: int, rate: float | None
    ) -> None:
        self.answers: list[Answered] = []
        self._url, self._given, self._rate = url, given, rate
        self._jobs, self._lock = _jobs(given), threading.Lock()
        self._stop, self._begun, self._taken = threading.Event(), time.monotonic(), 0
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int, *, seconds: float = 300.0) -> None:
        """Until so many requests were answered since now."""
        goal, until = len(self.answers) + count, time.monotonic() + seconds
        while len(self.answers) < goal:
            assert time.monotonic() < until, f"{len(self.answers)} of {goal} answered"
            time.sleep(0.02)

    def since(self, moment: float) -> list[Answered]:
        """What was asked after a moment (monotonic seconds)."""
        return [one for one in self.answers if one.asked >= moment]

    def _call(self) -> None:
        headers = {"Authorization": f"Token {self._given['token']}"}
        with httpx.Client(
            base_url=f"{self._url}/api/v1/", headers=headers, timeout=60
        ) as http:
            while not self._stop.is_set():
                patient, as_of = self._next()
                if self._stop.is_set():
                    return
                asked = time.monotonic()
                answer = http.post(
                    f"patients/{patient}/forecasts", json={"as_of": as_of}
                )
                took = time.monotonic() - asked
                self.answers.append(
                    Answered(
                        patient, as_of, asked, took, answer.status_code, answer.json()
                    )
                )

    def _next(self) -> tuple[str, str]:
        """The next request; with a rate, not before its time."""
        with self._lock:
            job = next(self._jobs)
            self._taken += 1
            due = self._begun + (self._taken / self._rate if self._rate else 0.0)
        self._stop.wait(max(0.0, due - time.monotonic()))
        return job


def _jobs(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every patient on every day, the latest first, while the diaries are long."""
    last = date.fromisoformat(given["day"])
    for back in range(DAYS_BACK):
        for patient in given["patients"]:
            yield patient, str(last - timedelta(days=back))
