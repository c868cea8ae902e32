"""Files told by their content, and counts that add up."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fhir_integration.files import wearable_files
from fhir_integration.files.data_points import NotRead
from fhir_integration.files.importing import Progress
from fhir_integration.files.local_clock import Clock, zone_of
from fhir_integration.files.spool import Spool, SpoolFailed
from fhir_integration.files.verdict import Counts
from fhir_integration.files.wearable_files import (
    POINT,
    ROW,
    FileCount,
    WearableRun,
    read_file,
)

EXAMPLES = Path(__file__).parent / "wearables"
BERLIN = Clock(zone_of("Europe/Berlin"))
UNTIL = date(2025, 12, 31)
ROWS = "time,measure,value,unit\n2025-07-01T08:00Z,heart-rate,61,/min\n"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool")
    yield made
    made.close()


def run(
    spool: Spool, *paths: Path, until: date = UNTIL
) -> tuple[Counts, list[FileCount]]:
    made = WearableRun(paths, spool, clock=BERLIN, until=until)
    return made.run(), made.by_file()


def test_the_examples_are_counted_to_the_last_row(spool: Spool) -> None:
    counts, files = run(spool, EXAMPLES / "night.csv", EXAMPLES / "night.json")
    assert counts.used + sum(counts.refused.values()) == counts.resources == 15
    # the first heart rate, the night and the day's steps stand in both files
    assert counts.refused == {
        "duplicate": 3,
        "implausible": 1,
        "no-time-of-day": 1,
        "no-value": 4,
        "unknown-code": 1,
    }
    assert counts.types[ROW]["used"] + counts.types[POINT]["used"] == counts.used == 5
    assert {key: row["entries"] for key, row in counts.concepts.items()} == {
        "active-minutes": 1,
        "heart-rate": 2,
        "sleep-duration": 1,
        "sleep-rem": 1,
        "steps": 1,
        "steps-daily": 1,
    }
    assert counts.patients == 1
    assert sum(one.points for one in files) == 15
    assert sum(one.used for one in files) == 5


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ROWS, ROW),
        (f"\ufeff{ROWS}", ROW),
        ('\ufeff [{"header": {}, "body": {}}]', POINT),
        ('{"header": {}, "body": {}}', POINT),
    ],
)
def test_the_content_tells_the_kind(
    tmp_path: Path, content: str, kind: str, *, packed: bool
) -> None:
    raw = content.encode()
    path = tmp_path / "data.txt"  # the name says nothing
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert [one for one, _ in read_file(path, BERLIN)] == [kind]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (None, "cannot be opened"),
        (gzip.compress(ROWS.encode() * 999)[:-9], "end early or are damaged"),
        (b"\x1f\x8bnonsense", "end early or are damaged"),
        (b"", "no column"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, raw: bytes | None, says: str, spool: Spool
) -> None:
    path = tmp_path / "a.csv"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(NotRead, match=says):
        list(read_file(path, BERLIN))
    counts, (file,) = run(spool, path)
    assert [says in fault for _, fault in counts.faults] == [True]
    assert counts.types["(not readable)"]["refused"] == {"malformed": 1}
    assert file.points == counts.resources


def test_one_bad_file_or_object_does_not_stop_the_others(
    tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wearable_files, "_AT_ONCE", 2)
    broken, good = tmp_path / "a.json", tmp_path / "b.csv"
    broken.write_text('{"a": 1, "a": 2} {"header": {}} x', encoding="utf-8")
    good.write_text(ROWS + ROWS.splitlines()[1].replace("61", "62"), encoding="utf-8")
    counts, files = run(spool, broken, good)
    assert set(counts.faults) == {
        (0, "names a key twice"),
        (0, "not JSON: something else stands between its objects"),
    }
    assert counts.refused == {"malformed": 3}
    assert files == [FileCount(3, 0), FileCount(2, 2)]
    assert counts.standing.places["malformed"] == [(0, 1), (0, 2), (0, 3)]


def test_what_is_later_than_today_is_in_the_future(
    tmp_path: Path, spool: Spool
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ROWS, encoding="utf-8")
    counts, _ = run(spool, path, until=date(2025, 6, 30))
    assert counts.refused == {"in-future": 1}


def test_a_newer_copy_of_a_data_point_counts_once(tmp_path: Path, spool: Spool) -> None:
    text = (EXAMPLES / "night.json").read_text(encoding="utf-8")
    copy = tmp_path / "copy.json"
    copy.write_text(text, encoding="utf-8")
    counts, _ = run(spool, EXAMPLES / "night.json", copy)
    assert (counts.used, counts.refused) == (3, {"duplicate": 4, "no-value": 1})


@pytest.mark.parametrize(("name", "most"), [("_AT_ONCE", 2), ("_HELD", 3)])
def test_what_is_held_in_memory_is_bounded(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(wearable_files, name, most)
    written: list[int] = []
    add = spool.add
    monkeypatch.setattr(
        spool, "add", lambda rows: (written.append(len(rows)), add(rows))
    )
    counts, _ = run(spool, EXAMPLES / "night.csv")
    assert sum(written) == counts.resources == 11
    assert max(written) == most


def test_progress_is_told_all_the_while(spool: Spool) -> None:
    told: list[Progress] = []
    made = WearableRun([EXAMPLES / "night.csv"], spool, clock=BERLIN, until=UNTIL)
    made.run(told.append)
    assert {one.stage for one in told} == {"reading", "counting"}
    assert told[-1].resources == 11


def test_a_spool_that_cannot_be_written_is_said_in_words(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(spool, "add", full)
    with pytest.raises(SpoolFailed, match="cannot be kept"):
        run(spool, EXAMPLES / "night.csv")


def test_the_spool_holds_no_values_and_no_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "time,measure,value,unit,patient\n2025-07-01T08:00Z,heart-rate,61.625,/min,Smith\n",
        encoding="utf-8",
    )
    spool = Spool(tmp_path / "spool")
    run(spool, path)
    spool.close()
    kept = b"".join(one.read_bytes() for one in tmp_path.glob("spool*"))
    assert b"heart-rate" in kept
    assert b"61.625" not in kept
    assert b"Smith" not in kept
