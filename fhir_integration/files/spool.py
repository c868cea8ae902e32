"""What a run has seen so far, in an SQLite file of its owner's: flat memory, resumable.

It holds no content of a record: identities and contents are keyed hashes (the key lies
in the file and goes with it), beside counts, words of ours, positions in files, the
versions and times that servers give resources, and codes of Medication resources.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fhir_integration.naming import Newness

_FORMAT = "2"  # change it with the tables, or with what a row means
_TABLES = """
CREATE TABLE said (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE file (number INTEGER PRIMARY KEY, mark TEXT, at INTEGER, line INTEGER,
    done INTEGER);
CREATE TABLE fault (file INTEGER, fault TEXT, count INTEGER, PRIMARY KEY (file, fault));
CREATE TABLE word (number INTEGER PRIMARY KEY, word TEXT UNIQUE);
CREATE TABLE bearer (identifier BLOB PRIMARY KEY, patient BLOB) WITHOUT ROWID;
CREATE TABLE medication (name BLOB PRIMARY KEY, newness TEXT, resource BLOB)
    WITHOUT ROWID;
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY, kind INTEGER, patient BLOB, identity BLOB, business BLOB,
    newness TEXT, shape TEXT, used INTEGER, digest BLOB, closes INTEGER,
    file INTEGER, stands INTEGER
);
CREATE TABLE part (
    seq INTEGER, place INTEGER, concept INTEGER, reason INTEGER, content BLOB,
    variant TEXT, PRIMARY KEY (seq, place)
) WITHOUT ROWID;
"""


class SpoolMismatch(ValueError):
    """What was begun cannot be gone on with; the text says why and what helps."""


class SpoolFailed(OSError):
    """The file cannot be written, such as on a full disk; the text says what helps."""


class ResourceRow(NamedTuple):
    """One resource: `kind` is a word's number, the rest hashes, None where unnamed.

    `newness` sorts versions of one identity; `shape`, then `digest`, decide between
    equal ones, so that the order of arrival never does; `used` counts usable parts.
    `closes`: 1 where it closes its patient's record. `file` and `stands` say where it
    is: a line, or in a file without lines which of its resources it is.
    """

    kind: int
    patient: bytes | None
    identity: bytes | None
    business: bytes | None
    newness: str
    shape: str
    used: int
    digest: bytes
    closes: int
    file: int
    stands: int


class PartRow(NamedTuple):
    """One part: a concept (a word's number) or the reason that it is refused for.

    Equal `content` of one patient is one fact. `variant` sorts the scales' ends of
    items that come with ends of their own, widest last.
    """

    concept: int | None
    reason: int | None
    content: bytes | None
    variant: str | None


class Spool:
    """One run's file. Use `close`; `delete` takes it away for good."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Raises SpoolMismatch where another run holds it, SpoolFailed
        where it cannot be written.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.sql = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.sql.close()
            raise failure(error) from error
        key = self.said("key")
        self._key = key if isinstance(key, bytes) else b""
        self._words = dict(self.sql.execute("SELECT word, number FROM word"))
        last = self.sql.execute("SELECT coalesce(max(seq), 0) FROM resource")
        self._seq = int(last.fetchone()[0])

    def _prepare(self) -> None:
        run = self.sql.execute
        run("PRAGMA locking_mode=EXCLUSIVE")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=NORMAL")
        run("PRAGMA cache_size=-16000")  # KiB
        run("PRAGMA temp_store=FILE")
        run("BEGIN EXCLUSIVE")
        if not run("SELECT 1 FROM sqlite_master").fetchone():
            for statement in _TABLES.split(";"):
                run(statement)
            self.say("format", _FORMAT)
            self.say("key", secrets.token_bytes(32))
        if self.said("format") != _FORMAT:
            run("ROLLBACK")
            raise SpoolMismatch(_START_ANEW.format("was begun by another release"))
        run("COMMIT")

    def close(self) -> None:
        """Keep what was committed."""
        self.sql.close()

    def delete(self) -> None:
        """Close it and take it away."""
        self.sql.close()
        remove(self._path)

    def say(self, name: str, value: str | int | bytes) -> None:
        """Note one value of the run under its name."""
        self.sql.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, value))

    def said(self, name: str) -> object:
        """The value noted under a name, or None."""
        row = self.sql.execute("SELECT value FROM said WHERE name=?", (name,))
        found = row.fetchone()
        return None if found is None else found[0]

    def bind(self, marks: Iterable[str], *, options: str) -> None:
        """Tie the spool to these files and options, or check that it is tied to them.

        Raises SpoolMismatch where a file was changed, added or taken away since.
        """
        new = list(enumerate(marks))
        old = list(self.sql.execute("SELECT number, mark FROM file ORDER BY number"))
        if not old:
            with self:
                self.say("options", options)
                self.sql.executemany("INSERT INTO file VALUES (?, ?, 0, 0, 0)", new)
            return
        if self.said("options") != options:
            raise SpoolMismatch(_START_ANEW.format("was begun with other options"))
        changed = sum(one not in old for one in new) + max(len(old) - len(new), 0)
        if changed:
            what = f"was begun on other files ({changed} changed, new or gone)"
            raise SpoolMismatch(_START_ANEW.format(what))

    def hashed(self, text: str) -> bytes:
        """16 bytes that tell texts apart to this run and say nothing to others."""
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._key).digest()

    def word(self, text: str) -> int:
        """The number of a word of ours: a type, a concept, a reason."""
        if text not in self._words:
            self._words[text] = len(self._words) + 1
            self.sql.execute(
                "INSERT INTO word VALUES (?, ?)", (self._words[text], text)
            )
        return int(self._words[text])

    def positions(self) -> list[tuple[int, int, int]]:
        """Number, byte offset and line of each file that is not done, in order."""
        asked = "SELECT number, at, line FROM file WHERE NOT done ORDER BY number"
        return list(self.sql.execute(asked))

    def reach(self, file: int, at: int, *, line: int, done: bool) -> None:
        """Note how far a file was read: the bytes and the lines."""
        self.sql.execute(
            "UPDATE file SET at=?, line=?, done=? WHERE number=?",
            (at, line, done, file),
        )

    def fault(self, file: int, fault: str) -> None:
        """Count a fault of a file."""
        self.sql.execute(
            "INSERT INTO fault VALUES (?, ?, 1) "
            "ON CONFLICT (file, fault) DO UPDATE SET count = count + 1",
            (file, str(fault)),
        )

    def add(self, rows: Sequence[tuple[ResourceRow, Sequence[PartRow]]]) -> None:
        """Append resources with their parts."""
        start = self._seq + 1
        self._seq += len(rows)
        self.sql.executemany(
            "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((seq, *row) for seq, (row, _) in enumerate(rows, start)),
        )
        self.sql.executemany(
            "INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)",
            (
                (seq, place, *part)
                for seq, (_, parts) in enumerate(rows, start)
                for place, part in enumerate(parts)
            ),
        )

    def add_bearer(self, identifier: str, patient: str) -> None:
        """Note who bears an identifier; two who do make it nobody's."""
        self.sql.execute(
            "INSERT INTO bearer VALUES (?, ?) ON CONFLICT (identifier) DO UPDATE "
            "SET patient = CASE patient WHEN excluded.patient THEN patient ELSE '' END",
            (self.hashed(identifier), self.hashed(patient)),
        )

    def bearer(self, identifier: str) -> bytes | str | None:
        """The one patient (hashed) who bears it, "" for several, None for none."""
        row = self.sql.execute(
            "SELECT patient FROM bearer WHERE identifier=?", (self.hashed(identifier),)
        ).fetchone()
        return None if row is None else row[0]

    def begin(self) -> None:
        """Begin a transaction, or go on in the one under way."""
        if not self.sql.in_transaction:
            self.sql.execute("BEGIN")

    def commit(self) -> None:
        """What was written since `begin` stays; whatever ends before it, does not."""
        self.sql.execute("COMMIT")

    def __enter__(self) -> Spool:
        self.begin()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.sql.execute("COMMIT" if kind is None else "ROLLBACK")


def sortable(newness: Newness) -> str:
    """The newness of a version as one text that sorts alike."""
    updated, number, text = newness
    return f"{updated}|{number:020}|{text}"


_UNWRITTEN = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM),
)


def failure(error: sqlite3.Error) -> Exception:
    """What is wrong, in words: in use, damaged, or not to be written; else itself."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SpoolMismatch("another import of the same files is running")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return SpoolMismatch(_START_ANEW.format("is damaged"))
    if code not in _UNWRITTEN:
        return error
    return SpoolFailed(
        f"the notes of the import cannot be kept ({error}); "
        "when that is mended, the same command goes on"
    )


def remove(path: Path) -> None:
    """Take a spool's files away, if there are any."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


_START_ANEW = "the import that is to go on {}; --fresh starts anew"
