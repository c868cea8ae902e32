"""A run that is cut off, killed or given other files; what it leaves on disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from fhir_integration.files.importing import Import, Options, Progress
from fhir_integration.files.spool import SpoolFailed, SpoolMismatch, failure
from tests.fhir_integration.files.made_files import (
    UNTIL,
    bundle,
    counted,
    lines,
    score,
    whole,
)

ROOT = Path(__file__).resolve().parents[3]
PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "one.sqlite"


@pytest.mark.parametrize("after", ["looking", "150", "1100", "counting"])
def test_a_killed_run_goes_on_and_reports_the_same(
    tmp_path: Path, spool: Path, after: str
) -> None:
    folder = tmp_path / "f"
    resources = [score(f"o{n}", n % 27, patient=f"p{n % 9}") for n in range(700)]
    lines(folder / "a.ndjson", resources)
    whole(folder / "b.json", bundle(*resources[:300]))
    lines(folder / "c.ndjson", [*resources[200:], {"resourceType": "Encounter"}])
    with (folder / "a.ndjson").open("ab") as file:
        file.write(b"{torn\n")
    once = counted(folder, spool)
    driver = "import fhir_integration.files.importing as i; i._AT_ONCE = 100; "
    driver += "from tests.fhir_integration.files import killed_import; "
    driver += "killed_import.main(*__import__('sys').argv[1:])"
    killed = subprocess.run(
        [sys.executable, "-c", driver, str(folder), str(spool), after],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    resumed = Import(folder, spool, until=date(2030, 1, 1))
    seen: list[Progress] = []
    assert resumed.run(seen.append) == once
    resumed.finish()
    assert once.resources == 1502
    if after == "1100":  # what was kept is not read again
        assert max(one.resources for one in seen) < 600
    assert list(spool.parent.iterdir()) == []


def test_a_run_that_is_stopped_while_it_counts_goes_on(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_integration.files.verdict._STEPS", 10)
    path = lines(tmp_path / "a.ndjson", [score(f"o{n}", n) for n in range(9)])
    ticks = iter(range(100))

    def tick(progress: Progress) -> None:
        if progress.stage == "counting" and next(ticks) == 5:
            raise KeyboardInterrupt

    first = Import(path, spool, until=UNTIL)
    with pytest.raises(KeyboardInterrupt):
        first.run(tick)
    first.close()
    again = Import(path, spool, until=UNTIL)
    assert again.run().used == 9
    again.finish()


def begun(folder: Path, spool: Path) -> None:
    """A run that was cut off."""
    Import(folder, spool, until=UNTIL).close()


@pytest.mark.parametrize("change", ["content", "more", "less", "options"])
def test_a_changed_source_is_not_gone_on_with(
    tmp_path: Path, spool: Path, change: str
) -> None:
    folder = tmp_path / "f"
    for name in ("a", "b"):
        lines(folder / f"{name}.ndjson", [score("a", 1)])
    begun(folder, spool)
    options = Options(base_url="https://x.example" if change == "options" else "")
    if change == "content":
        lines(folder / "b.ndjson", [score("b", 2)])
    elif change == "more":
        lines(folder / "c.ndjson", [score("b", 2)])
    elif change == "less":
        (folder / "b.ndjson").unlink()
    with pytest.raises(SpoolMismatch, match="--fresh starts anew"):
        Import(folder, spool, until=UNTIL, options=options)
    fresh = Import(folder, spool, until=UNTIL, options=options, fresh=True)
    assert not fresh.resumed
    assert fresh.run().used == (2 if change in {"content", "more"} else 1)
    fresh.finish()


def test_two_runs_at_once_are_refused(tmp_path: Path, spool: Path) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    first = Import(path, spool, until=UNTIL)
    with pytest.raises(SpoolMismatch, match="another import of the same files"):
        Import(path, spool, until=UNTIL)
    assert first.run().used == 1
    first.finish()


@pytest.mark.parametrize("how", ["damaged", "old"])
def test_a_spool_that_cannot_be_read_is_not_gone_on_with(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    if how == "old":
        begun(path, spool)
        monkeypatch.setattr("fhir_integration.files.spool._FORMAT", "0")
    else:
        spool.parent.mkdir()
        spool.write_bytes(b"no database" * 1_000)
    with pytest.raises(SpoolMismatch, match="--fresh starts anew"):
        Import(path, spool, until=UNTIL)


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(
    tmp_path: Path, spool: Path
) -> None:
    path = lines(tmp_path / "a.ndjson", [score(f"o{n}", n % 27) for n in range(900)])
    full = Import(path, spool, until=UNTIL)
    pages = full._spool.sql.execute("PRAGMA page_count").fetchone()[0]
    full._spool.sql.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(SpoolFailed, match=r"disk is full.*the same command goes on"):
        full.run()
    full.close()
    again = Import(path, spool, until=UNTIL)
    assert again.run().resources == 900
    again.finish()


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (sqlite3.SQLITE_BUSY, SpoolMismatch, "another import of the same files"),
        (sqlite3.SQLITE_NOTADB, SpoolMismatch, "is damaged"),
        (sqlite3.SQLITE_IOERR | 3 << 8, SpoolFailed, "cannot be kept"),
        (sqlite3.SQLITE_CANTOPEN, SpoolFailed, "cannot be kept"),
        (sqlite3.SQLITE_ERROR, sqlite3.OperationalError, "odd"),
    ],
)
def test_each_failure_is_said_by_what_it_is(
    *, code: int, kind: type[Exception], said: str
) -> None:
    error = sqlite3.OperationalError("odd")
    error.sqlite_errorcode = code
    found = failure(error)
    assert type(found) is kind
    assert said in str(found)


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "a.ndjson", [score("a", 1)])
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL

    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("fhir_integration.files.spool.Spool._prepare", full)
    with pytest.raises(SpoolFailed):
        Import(path, spool, until=UNTIL)


def test_the_spool_is_its_owner_s_and_holds_nothing_of_a_record(
    tmp_path: Path, spool: Path
) -> None:
    spool.parent.mkdir()
    mrn = [{"system": "urn:mrn", "value": "canary-mrn"}]
    run = Import(
        lines(
            tmp_path / "canary-file.ndjson",
            [
                {**PATIENT, "id": "canary-p", "identifier": mrn},
                score("canary-id", 7, patient="canary-p", identifier=mrn),
                {"resourceType": "canary-type", "id": "canary-q"},
            ],
        ),
        spool,
        until=UNTIL,
    )
    run.run()
    run.close()
    assert spool.stat().st_mode & 0o777 == 0o600
    content = b"".join(one.read_bytes() for one in spool.parent.iterdir())
    assert b"canary" not in content
    assert b"2026-02-08" not in content  # the entry's day
