"""The access log's front: `record` what was done, or nothing may leave.

`configure` is called once by the composition root. With `grouped=True` a writer thread
of this process commits for all callers (`writer.py`); otherwise, and whenever the
caller is inside a transaction on SQLite (whose write lock the writer would wait for in
vain), the caller's own connection writes. An entry written inside the caller's
transaction disappears with it when that rolls back; so what must be recorded whatever
happens, a refusal above all, is recorded outside of transactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID

from django import db
from django.utils import timezone

from backend.audit import chain
from backend.audit.anchor import Anchor
from backend.audit.entry import Action, Outcome, entry
from backend.audit.writer import GroupWriter
from backend.twin.errors import AuditUnavailable

__all__ = ["Action", "Ledger", "Outcome", "configure", "current", "record"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The configured log of this process."""

    key: bytes = field(repr=False)
    anchor: Anchor
    writer: GroupWriter | None


_ledger: Ledger | None = None


def configure(*, key: bytes, anchor: Path, grouped: bool) -> None:
    """Set the key (32 bytes) and the anchor file; an earlier writer is ended first.

    Raises ValueError when the key is short.
    """
    global _ledger  # noqa: PLW0603 - one log per process, set at start
    if len(key) < 32:
        raise ValueError("the audit key needs at least 32 bytes")
    if _ledger is not None and _ledger.writer is not None:
        _ledger.writer.close()
    sealed = Anchor(anchor, key)
    write = partial(chain.append, key=key, anchor=sealed)
    _ledger = Ledger(key, sealed, GroupWriter(write) if grouped else None)


def current() -> Ledger:
    """The configured log. Raises AuditUnavailable before `configure`."""
    if _ledger is None:
        raise AuditUnavailable("the audit log is not configured")
    return _ledger


def record(
    *,
    action: Action,
    actor: str,
    outcome: Outcome = Outcome.SUCCESS,
    purpose: str = "TREAT",
    patients: Sequence[UUID] = (),
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Append one row and return when it is committed and anchored.

    `actor` is a word such as `user:7` or `command:worker@root`; `purpose` a code of
    HL7 PurposeOfUse; `patients` our ids, one child row each; `detail` counts, ids of
    ours and class names. Raises AuditUnavailable when the row could not be written:
    then nothing may leave. Raises ValueError when a word could carry more than a word.
    """
    ledger = current()
    event = entry(
        recorded=timezone.now(),
        action=action,
        outcome=outcome,
        words=(actor, purpose),
        detail=detail or {},
        patients=patients,
    )
    if ledger.writer is not None and not _locked_by_caller():
        ledger.writer.put(event)
    else:
        chain.append([event], key=ledger.key, anchor=ledger.anchor)


def _locked_by_caller() -> bool:
    return db.connection.vendor == "sqlite" and db.connection.in_atomic_block
