"""What an audit row says, and the MAC that binds it to its place in the chain."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

GENESIS = "0" * 64  # the `previous` of row 1

_DOMAIN = b"mindtwin audit row 1\n"
_WORD = re.compile(r"[A-Za-z0-9_.:@+/-]{1,128}")
_KEY = re.compile(r"[a-z_]{1,32}")
_PURPOSE = re.compile(r"[A-Z]{1,16}")


class Action(StrEnum):
    """What was done."""

    READ = "READ"
    LIST = "LIST"
    FORECAST = "FORECAST"
    CORRELATE = "CORRELATE"
    ADVISE = "ADVISE"
    CREATE = "CREATE"
    PULL = "PULL"
    DELIVER = "DELIVER"
    FILE = "FILE"
    LOGIN = "LOGIN"
    LOGOUT = "LOGOUT"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    VERIFY = "VERIFY"
    ADMIN = "ADMIN"
    REGISTER = "REGISTER"
    PUBLISH = "PUBLISH"
    PROMOTE = "PROMOTE"
    ROLLBACK = "ROLLBACK"
    ASSIGN = "ASSIGN"
    RETIRE = "RETIRE"
    SWITCH = "SWITCH"


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "SUCCESS"
    DENIED = "DENIED"
    FAILED = "FAILED"


class Head(NamedTuple):
    """The end of the chain: the last row's number and MAC."""

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, before it has a place in the chain.

    Only words of ours: `actor`, `purpose` and `detail` refuse anything that could
    carry a sentence, a line break or markup. `patients` are our own ids.
    """

    recorded: datetime
    action: Action
    outcome: Outcome
    actor: str
    purpose: str
    detail: str
    patients: tuple[UUID, ...]


def entry(
    *,
    recorded: datetime,
    action: Action,
    outcome: Outcome,
    words: tuple[str, str],
    detail: Mapping[str, str | int],
    patients: Sequence[UUID],
) -> Entry:
    """Check and freeze an event; `words` are actor and purpose.

    Raises ValueError when a word is empty or not a machine's word. The text of the
    error does not repeat it.
    """
    actor, purpose = words
    if not _WORD.fullmatch(actor):
        raise ValueError("the actor of an audit entry must be one plain word")
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError("the purpose of an audit entry must be a code such as TREAT")
    for name, value in detail.items():
        if not _KEY.fullmatch(name) or not _is_word(value):
            raise ValueError("details of an audit entry must be counts or plain words")
    return Entry(
        recorded=recorded.astimezone(UTC),
        action=Action(action),
        outcome=Outcome(outcome),
        actor=actor,
        purpose=purpose,
        detail=json.dumps(dict(detail), sort_keys=True, separators=(",", ":")),
        patients=tuple(patients),
    )


def mac(key: bytes, *, previous: str, seq: int, row: Iterable[object]) -> str:
    """HMAC-SHA256 over every column and child of a row, as hexadecimal text.

    `row` is recorded, action, outcome, actor, purpose, detail and the list of
    (position, patient). JSON keeps the parts apart; what a tampered database may put
    in place of text or a date is written as its repr, which no honest value equals.
    """
    body = json.dumps([seq, previous, *map(_plain, row)], default=repr)
    return hmac.new(key, _DOMAIN + body.encode(), hashlib.sha256).hexdigest()


def _is_word(value: str | int) -> bool:
    return isinstance(value, int) or bool(_WORD.fullmatch(value))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, list):
        return [[position, str(patient)] for position, patient in value]
    return value
