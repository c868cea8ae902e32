"""The anchor: the chain's end, signed, in a file outside the database.

A chain alone cannot show that its last rows were cut off; the anchor can. The file has
two slots that are written in turn, so a write that power cuts short leaves the slot
before. Each slot is

    magic (4 bytes) | number of the row (8) | its MAC (32) | HMAC-SHA256 of these (32)

The head never goes backwards. What the file cannot show is an older copy of itself put
back together with an older copy of the database: send copies of it to another machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.audit.entry import Head

_MAGIC = b"MTA1"
_BODY = struct.Struct(">4sQ32s")
_SLOT = _BODY.size + 32
_DOMAIN = b"mindtwin audit anchor 1\n"


class AnchorError(Exception):
    """The anchor is missing, damaged, or ahead of the database."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The anchor file of one database. Safe between threads and processes (flock)."""

    path: Path
    key: bytes = field(repr=False)

    def read(self) -> tuple[Head | None, int]:
        """The head, None where no slot is sound; and the number of damaged slots.

        Raises AnchorError when the file is missing.
        """
        try:
            with self._locked(os.O_RDONLY, fcntl.LOCK_SH) as file:
                slots = self._slots(file)
        except FileNotFoundError:
            raise AnchorError("the anchor file is missing") from None
        sound = [head for head in slots if head]
        return max(sound, default=None), len(slots) - len(sound)

    def expect(self, start: Head) -> None:
        """Refuse to append to a database that is behind its anchor.

        Rows were cut off, or an old database was restored; going on would cover it up.
        For the same reason the file is only made while the chain is empty.
        """
        if start.seq == 0 and not self._made():
            self.restart(start)
        anchored, _ = self.read()
        if anchored is None:
            raise AnchorError("the anchor file is damaged")
        if anchored.seq > start.seq:
            raise AnchorError("the database is behind its anchor")
        if anchored.seq == start.seq and anchored.mac != start.mac:
            raise AnchorError("the database does not end as its anchor says")

    def advance(self, end: Head) -> None:
        """Move to `end` and force it to disk; a head before the present one is kept.

        Raises OSError, or AnchorError when the file is missing or damaged.
        """
        try:
            with self._locked(os.O_RDWR, fcntl.LOCK_EX) as file:
                slots = self._slots(file)
                present = max((head for head in slots if head), default=None)
                if present is None:
                    raise AnchorError("the anchor file is damaged")
                if present.seq < end.seq:
                    other = 1 - slots.index(present)
                    os.pwrite(file, self._packed(end), other * _SLOT)
                    os.fsync(file)
        except FileNotFoundError:
            raise AnchorError("the anchor file is missing") from None

    def restart(self, head: Head) -> None:
        """Write both slots anew: for an empty chain, or when an operator decides so."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked(os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as file:
            os.pwrite(file, self._packed(head) * 2, 0)
            os.fsync(file)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the file's name must outlive a power cut too
        finally:
            os.close(folder)

    def _made(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def _slots(self, file: int) -> list[Head | None]:
        raw = os.pread(file, 2 * _SLOT, 0)
        return [self._unpacked(raw[:_SLOT]), self._unpacked(raw[_SLOT:])]

    def _packed(self, head: Head) -> bytes:
        body = _BODY.pack(_MAGIC, head.seq, bytes.fromhex(head.mac))
        return body + self._seal(body)

    def _unpacked(self, slot: bytes) -> Head | None:
        body, seal = slot[: _BODY.size], slot[_BODY.size :]
        if not hmac.compare_digest(self._seal(body), seal):
            return None
        _, seq, mac = _BODY.unpack(body)
        return Head(seq, mac.hex())

    def _seal(self, body: bytes) -> bytes:
        return hmac.new(self.key, _DOMAIN + body, hashlib.sha256).digest()

    @contextmanager
    def _locked(self, flags: int, lock: int) -> Iterator[int]:
        file = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(file, lock)
            yield file
        finally:
            os.close(file)  # gives the lock back
