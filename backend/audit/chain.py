"""Appending to the chain: the only code that inserts into the access log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from django.db import Error, connection, transaction

from backend.audit.anchor import Anchor, AnchorError
from backend.audit.entry import GENESIS, Entry, Head, mac
from backend.audit.models import AccessedPatient, AccessEvent
from backend.twin.errors import AuditUnavailable

_LOCK = 0x4D54_4155  # PostgreSQL advisory lock; any number nobody else uses


def append(entries: Sequence[Entry], *, key: bytes, anchor: Anchor) -> None:
    """Add the entries at the end of the chain, in one commit, and anchor the new end.

    One writer at a time: SQLite by its write lock (transactions begin IMMEDIATE),
    PostgreSQL by an advisory lock that the commit gives back. The primary key refuses
    a second row of the same number whatever happens. Inside the caller's own
    transaction the rows come and go with it, and the anchor moves when it commits.

    Raises AuditUnavailable when the rows or the anchor cannot be written; inside a
    caller's transaction, the anchor's failure is raised where that commits.
    """
    with _refusing(), transaction.atomic():
        _one_at_a_time()
        start = head()
        anchor.expect(start)
        end = _insert(entries, start, key)
        transaction.on_commit(partial(_advance, anchor, end))


def head() -> Head:
    """The end of the chain as this connection sees it; (0, GENESIS) when empty."""
    last = AccessEvent.objects.order_by("-seq").values_list("seq", "mac").first()
    return Head(*last) if last else Head(0, GENESIS)


def anchor_again(anchor: Anchor) -> None:
    """Anchor the chain as it is, forwards or backwards; an operator's decision.

    Raises AuditUnavailable.
    """
    with _refusing(), transaction.atomic():
        _one_at_a_time()
        anchor.restart(head())


def _one_at_a_time() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (Error, OSError, AnchorError) as error:
        why = str(error) if isinstance(error, AnchorError) else type(error).__name__
        raise AuditUnavailable(f"the audit entry was not written: {why}") from error


def _advance(anchor: Anchor, end: Head) -> None:
    with _refusing():
        anchor.advance(end)


def _insert(entries: Sequence[Entry], start: Head, key: bytes) -> Head:
    events: list[AccessEvent] = []
    children: list[AccessedPatient] = []
    previous = start.mac
    for seq, entry in enumerate(entries, start=start.seq + 1):
        touched = list(enumerate(entry.patients))
        columns = {
            "recorded": entry.recorded,
            "action": entry.action.value,
            "outcome": entry.outcome.value,
            "actor": entry.actor,
            "purpose": entry.purpose,
            "detail": entry.detail,
        }
        seal = mac(key, previous=previous, seq=seq, row=[*columns.values(), touched])
        events.append(AccessEvent(seq=seq, previous=previous, mac=seal, **columns))
        children += [
            AccessedPatient(event_id=seq, position=position, patient=patient)
            for position, patient in touched
        ]
        previous = seal
    AccessEvent.objects.bulk_create(events)
    AccessedPatient.objects.bulk_create(children)
    return Head(events[-1].seq, previous)
