"""Runs the straight line in child processes and kills each at a chosen step.

Started by test_kills.py as its own program, so that Django has its own settings, a
real database file and no test transaction around it. Prints one JSON line at the end.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings.embedded")
import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from backend.audit.verify import verify  # noqa: E402
from backend.jobs import demo  # noqa: E402
from backend.people.access import Actor  # noqa: E402
from backend.predictions import documents, outbox, services  # noqa: E402
from backend.predictions.models import OutboxItem, Prediction  # noqa: E402
from backend.twin.record import Entry, PatientRecord, Series  # noqa: E402
from backend.twin.scales import scale  # noqa: E402
from fhir_integration.client import FhirClient  # noqa: E402

FIRST = date(2026, 1, 1)
ACTOR = Actor.of_command("kills")
LEASE_S = 0.1
settings.MINDTWIN["LEASE_S"] = LEASE_S

# Where to die: the owner of the function, its name, which call of it, before or after.
Point = tuple[Any, str, int, str]
POINTS: list[Point] = [
    (services, "open_record", 1, "before"),
    (services, "open_record", 1, "after"),
    (services, "forecast_all", 1, "before"),
    (services, "forecast_all", 1, "after"),
    (outbox, "enqueue", 1, "before"),  # inside the transaction
    (outbox, "enqueue", 1, "after"),  # inside the transaction
    (services, "_save", 1, "after"),
    (outbox, "_claim", 1, "after"),
    (documents, "open_answer", 1, "after"),
    *[
        (FhirClient, "create", call, when)  # Device, Observation, Provenance
        for call in (1, 2, 3)
        for when in ("before", "after")
    ],
    (FhirClient, "read", 1, "after"),
    (outbox, "_finish", 1, "before"),
    (outbox, "_finish", 1, "after"),
]


def record(days: int) -> PatientRecord:
    """A diary that grows by a day each round, so that each round has a new answer."""
    entries = tuple(
        Entry(FIRST + timedelta(days=day), float((day * 7 + day // 3) % 11), "")
        for day in range(days)
    )
    return PatientRecord(series=(Series(scale("mood-0-10"), entries),))


def die_at(owner: Any, name: str, call: int, when: str) -> None:
    """Arm the function: this process kills itself there."""
    original: Callable[..., Any] = getattr(owner, name)
    calls: Iterator[int] = iter(range(1, 1_000))

    def armed(*args: Any, **kwargs: Any) -> Any:
        due = next(calls) == call
        if due and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = original(*args, **kwargs)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, armed)


def prepare(url: str, days: int) -> list[demo.Person]:
    """The EHR's own part: the diary has grown."""
    site = demo.site_at(url, slug="kills")
    as_of = FIRST + timedelta(days=days)
    records = {"one": record(days)}
    return list(demo.put_in(site, records, actor=ACTOR, as_of=as_of))


def straight_line(people: list[demo.Person]) -> None:
    """Pull, forecast, store, deliver: what one request and one worker do."""
    list(demo.forecast_each(people, actor=ACTOR))
    demo.deliver_all()


def child(work: Callable[[], Any]) -> int:
    """Run in a child process; returns the signal that ended it, 0 for none."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        faulthandler.dump_traceback_later(60, exit=True)  # a hang says where
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        sys.exit("a child failed by itself")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def main(url: str, kills: int) -> None:
    """Kill, then let a second process go on with the same work, over and over."""
    killed = 0
    for number in range(kills):
        point, days = POINTS[number % len(POINTS)], 20 + number
        killed += child(partial(doomed, url, days, point)) == signal.SIGKILL
        # Every other time nobody asks again: only the worker goes on.
        child(partial(goes_on, url, days) if number % 2 else demo.deliver_all)
        sys.stderr.write(f"{number + 1} of {kills}\n")
    time.sleep(LEASE_S * 2)  # every lease has run out
    child(partial(goes_on, url, 20 + kills))
    print(json.dumps({"killed": killed, **found()}))


def doomed(url: str, days: int, point: Point) -> None:
    """Die at the point."""
    people = prepare(url, days)
    die_at(*point)
    straight_line(people)


def goes_on(url: str, days: int) -> None:
    """Another process, asked the same."""
    straight_line(prepare(url, days))


def found() -> dict[str, Any]:
    """What the database holds in the end."""
    report = verify()
    return {
        "predictions": Prediction.objects.count(),
        "records": Prediction.objects.values("record_digest").distinct().count(),
        "outbox": sorted(
            str(pk) for pk in OutboxItem.objects.values_list("pk", flat=True)
        ),
        "undelivered": OutboxItem.objects.exclude(state="delivered").count(),
        "audit_rows": report.rows,
        "audit_problems": list(report.problems),
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
