"""Two simulated people, written as the files of `manage.py correlate`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command

from backend.audit.models import AccessEvent
from backend.twin.errors import ModelUnavailable
from backend.twin.record import PatientRecord
from backend.twin.simulation.wearable_demo import EAST_MINUTES, LABELS

TODAY = date(2026, 3, 2)
LINKED, UNLINKED = LABELS
EAST = timezone(timedelta(minutes=EAST_MINUTES))
DAYS = ("--days", "90")
SIGNALS = ("time", "end", "measure", "value", "unit", "patient")
REPORTS = ("patient_id", "date", "symptom_type", "severity")


class Files(NamedTuple):
    """A wearable's file and a diary."""

    wearables: Path
    diary: Path

    @property
    def named(self) -> tuple[str, ...]:
        """The arguments that name both."""
        return "--wearables", str(self.wearables), "--diary", str(self.diary)


class Down:
    """A server that is not there."""

    def infer(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise ModelUnavailable("nobody is there")

    def canary(self, *_: Any) -> None:
        raise AssertionError("nobody asks for it here")


def written(people: Mapping[str, PatientRecord], folder: Path) -> Files:
    """The records as a device and a diary would write them."""
    made = Files(folder / "watch.csv", folder / "diary.csv")
    write(made.wearables, SIGNALS, [r for one in people.items() for r in signals(*one)])
    write(made.diary, REPORTS, [r for one in people.items() for r in reports(*one)])
    return made


def signals(label: str, record: PatientRecord) -> Iterator[tuple[Any, ...]]:
    for stream in record.streams:
        columns = stream.start, stream.seconds, stream.value
        for start, seconds, value in zip(*(c.tolist() for c in columns), strict=True):
            begin = datetime.fromtimestamp(start, EAST)
            end = begin + timedelta(seconds=seconds) if seconds else None
            times = begin.isoformat(), end.isoformat() if end else ""
            key, unit = stream.measure.key, stream.measure.unit
            yield (*times, key, value, unit, label)


def reports(label: str, record: PatientRecord) -> Iterator[tuple[Any, ...]]:
    for series in record.series:
        for entry in series.entries:
            yield label, entry.at, series.scale.key, entry.value


def write(path: Path, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def changed(path: Path, old: str, new: str, *, times: int = -1) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, times), "utf-8")


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("correlate", *arguments, stdout=out)
    return out.getvalue()


def flat(said: str) -> str:
    return " ".join(said.split())


def part(said: str, label: str) -> str:
    """What is said of one person."""
    return flat(next(p for p in said.split("\n\n") if p.startswith(f"{label}, ")))


def audited() -> list[tuple[str, dict[str, Any]]]:
    rows = AccessEvent.objects.filter(action="CORRELATE").order_by("seq")
    assert all(row.actor.startswith("command:correlate@") for row in rows)
    return [(row.outcome, json.loads(row.detail)) for row in rows]
