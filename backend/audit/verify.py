"""Verification: read the whole chain again and name every place that was touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import db
from django.db.models import Max

from backend.audit import ledger
from backend.audit.anchor import Anchor, AnchorError
from backend.audit.entry import GENESIS, Head, mac
from backend.audit.models import AccessedPatient, AccessEvent

# Rows past the anchor are those committed just before a crash: at most one group of
# each process (writer.GROUP), and the next entry anchors them. Their MACs are checked
# like all others. Many more of them mean that an old anchor file was put back.
UNANCHORED_LIMIT = 1024
PROBLEMS_SHOWN = 100

# The first three are the chain, the others are in the order of `entry.mac`.
_COLUMNS = ["seq", "previous", "mac"]
_COLUMNS += ["recorded", "action", "outcome", "actor", "purpose", "detail"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, what is wrong, and how many rows the anchor does not cover yet."""

    rows: int
    problems: tuple[str, ...]
    unanchored: int


def verify() -> Report:
    """Check every row, every child and the anchor; entries may be added meanwhile.

    Finds an edit of any column, a deletion, an insertion, a change of order and a tail
    cut off before the anchor. Raises AuditUnavailable before `ledger.configure`, and
    django.db.Error when the database cannot be read.
    """
    book = ledger.current()
    anchored, problems = _read_anchor(book.anchor)
    last_child = AccessedPatient.objects.aggregate(last=Max("event_id"))["last"]
    walk = _Walk(book.key, anchored, problems)
    try:
        walk.run(AccessEvent.objects.aggregate(last=Max("seq"))["last"], last_child)
    except (ValueError, TypeError, db.DataError):
        walk.problem(f"after row {walk.rows}: a value cannot be read; stopped there")
        return Report(walk.rows, tuple(walk.problems), 0)
    ahead = walk.end.seq - anchored.seq if anchored else 0
    if ahead < 0:
        walk.problem(f"{-ahead} rows are missing at the end")
    if ahead > UNANCHORED_LIMIT:
        walk.problem(f"the anchor is {ahead} rows behind")
    return Report(walk.rows, tuple(walk.problems), max(ahead, 0))


class _Walk:
    """One pass over events and children, both in order of their keys."""

    def __init__(self, key: bytes, anchored: Head | None, problems: list[str]) -> None:
        self.key = key
        self.anchored = anchored
        self.problems = problems
        self.rows = 0
        self.end = Head(0, GENESIS)

    def problem(self, text: str) -> None:
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(text)

    def run(self, last: int | None, last_child: int | None) -> None:
        last = last or 0
        if last_child is not None and last_child > last:
            self.problem(f"patients of row {last_child}, which does not exist")
        children = _Children(last)
        for seq, previous, seal, *columns in _events(last):
            touched, strays = children.of(seq)
            for stray in strays:
                self.problem(f"patients of row {stray}, which does not exist")
            self._check(seq, previous, seal, [*columns, touched])
            self.rows += 1
            self.end = Head(int(seq), str(seal))

    def _check(self, seq: int, previous: str, seal: str, row: list[object]) -> None:
        if seq != self.end.seq + 1:
            self.problem(f"rows {self.end.seq + 1} to {seq - 1} are missing")
        if previous != self.end.mac:
            self.problem(f"row {seq} does not continue the row before it")
        if mac(self.key, previous=previous, seq=seq, row=row) != seal:
            self.problem(f"row {seq} was changed")
        if self.anchored and self.anchored.seq == seq and self.anchored.mac != seal:
            self.problem(f"row {seq} is not the one that was anchored")


class _Children:
    """The child rows, handed out event by event."""

    def __init__(self, last: int) -> None:
        rows = AccessedPatient.objects.filter(event_id__lte=last)
        rows = rows.order_by("event_id", "position")
        self._rows: Iterator[tuple[int, int, UUID]] = rows.values_list(
            "event_id", "position", "patient"
        ).iterator(chunk_size=5000)
        self._next = next(self._rows, None)

    def of(self, seq: int) -> tuple[list[tuple[int, UUID]], list[int]]:
        """(position, patient) of this event; events skipped that no row belongs to."""
        touched: list[tuple[int, UUID]] = []
        strays: list[int] = []
        while self._next is not None and self._next[0] <= seq:
            event, position, patient = self._next
            if event == seq:
                touched.append((position, patient))
            elif event not in strays:
                strays.append(event)
            self._next = next(self._rows, None)
        return touched, strays


def _events(last: int) -> Iterator[Any]:
    rows = AccessEvent.objects.filter(seq__lte=last).order_by("seq")
    return rows.values_list(*_COLUMNS).iterator(chunk_size=5000)


def _read_anchor(anchor: Anchor) -> tuple[Head | None, list[str]]:
    """The anchored head and what is wrong with the file. No file is right when the
    chain is empty, which is found out afterwards: an empty chain has no rows to miss.
    """
    try:
        head, damaged = anchor.read()
    except AnchorError as error:
        empty = not AccessEvent.objects.exists()
        return None, [] if empty else [str(error)]
    return head, ["the anchor file is damaged"] if damaged else []
