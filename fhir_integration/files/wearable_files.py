"""Files of wearables, told by their content, and what a run over them counts.

Uses the spool of the FHIR import, so that what is told twice counts once across files,
memory stays flat, and the counts add up in the same way.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple, cast

from backend.twin.record import Reason
from fhir_integration.dispatch import concept_of
from fhir_integration.facts import content_of, within
from fhir_integration.files.data_points import NotRead, Point, Result
from fhir_integration.files.documents import GONE, TORN
from fhir_integration.files.importing import Progress
from fhir_integration.files.local_clock import Clock
from fhir_integration.files.open_mhealth import read_points
from fhir_integration.files.rows import UNREADABLE
from fhir_integration.files.spool import PartRow, ResourceRow, Spool, failure
from fhir_integration.files.verdict import Counts, decide
from fhir_integration.files.wearable_csv import read_csv
from fhir_integration.kinds.refused import Refused

_AT_ONCE = 2_000  # points in one transaction
_HELD = 50_000  # values in memory: a data series may have thousands
_GZIP = b"\x1f\x8b"
_FIRST = 4096  # bytes that tell the kind of a file
ROW, POINT = "CSV row", "data point"
_BY_FILE = "SELECT file, count(*), sum(reason IS NULL) FROM verdict GROUP BY file"


_Binary = io.BufferedReader | gzip.GzipFile


class FileCount(NamedTuple):
    """What was read of one file, and how much of it is used."""

    points: int = 0
    used: int = 0


def read_file(path: Path, clock: Clock) -> Iterator[tuple[str, Point]]:
    """Each point with its kind, ROW or POINT. Raises NotRead for the file or its rest.

    JSON begins with a bracket, packed data with gzip's mark; all else is CSV.
    """
    try:
        with path.open("rb") as raw:
            if raw.peek(len(_GZIP)).startswith(_GZIP):
                with gzip.GzipFile(fileobj=raw) as packed:
                    yield from _read(packed, clock)
            else:
                yield from _read(raw, clock)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise NotRead(TORN) from None
    except OSError:
        raise NotRead(GONE) from None


def _read(file: _Binary, clock: Clock) -> Iterator[tuple[str, Point]]:
    first = file.peek(_FIRST)[:_FIRST].removeprefix(b"\xef\xbb\xbf").lstrip()
    if first[:1] in (b"{", b"["):
        yield from ((POINT, point) for point in read_points(file, clock))
        return
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        yield from ((ROW, point) for point in read_csv(text, clock))


class WearableRun:
    """One run over files: `run` reads and counts, then `by_file` tells them apart."""

    def __init__(
        self, paths: Sequence[Path], spool: Spool, *, clock: Clock, until: date
    ) -> None:
        self._paths, self._spool, self._clock = paths, spool, clock
        self._until = until
        self._seen = self._held = 0
        self._rows: list[tuple[ResourceRow, list[PartRow]]] = []

    def run(self, tick: Callable[[Progress], None] = lambda _: None) -> Counts:
        """Count every point once; `tick` is called all the while.

        Raises SpoolFailed where nothing can be noted, such as for a full disk.
        """
        last = len(self._paths)
        try:
            for number, path in enumerate(self._paths):
                self._file(number, path, tick)
            return decide(self._spool, tick=lambda: tick(self._at("counting", last)))
        except sqlite3.Error as error:
            raise failure(error) from error

    def by_file(self) -> list[FileCount]:
        """Of each file, in order, once `run` is done."""
        found = dict.fromkeys(range(len(self._paths)), FileCount())
        for number, points, used in self._spool.sql.execute(_BY_FILE):
            found[number] = FileCount(points, used)
        return list(found.values())

    def _at(self, stage: str, files: int) -> Progress:
        return Progress(stage, files, len(self._paths), self._seen)

    def _file(self, number: int, path: Path, tick: Callable[[Progress], None]) -> None:
        last = 0
        try:
            for kind, point in read_file(path, self._clock):
                last = point.place
                if point.fault:
                    self._fault(number, point.fault, place=point.place)
                else:
                    self._take(number, kind, point)
                self._seen += 1
                tick(self._at("reading", number))
        except NotRead as refusal:
            self._fault(number, str(refusal), place=last + 1)
        self._keep()

    def _fault(self, number: int, fault: str, *, place: int) -> None:
        self._spool.begin()
        self._spool.fault(number, fault)
        wrong = Point(place, "", "", (Refused(Reason.MALFORMED),))
        self._add(self._row(number, UNREADABLE, wrong), wrong.results)

    def _take(self, number: int, kind: str, point: Point) -> None:
        ever = date(1, 1, 1)
        results = [
            found
            for one in point.results
            if (found := within(one, since=ever, until=self._until)) is not None
        ]
        self._add(self._row(number, kind, point), cast(list[Result], results))

    def _row(self, number: int, kind: str, point: Point) -> ResourceRow:
        """Files of one run that name nobody are of one person."""
        hashed = self._spool.hashed
        used = sum(not isinstance(one, Refused) for one in point.results)
        content = repr([content_of(one) for one in point.results])
        return ResourceRow(
            kind=self._spool.word(kind),
            patient=hashed(point.patient),
            identity=hashed(point.identity) if point.identity else None,
            business=None,
            newness="",
            shape=f"{used:06}",
            used=used,
            digest=hashlib.blake2b(content.encode(), digest_size=8).digest(),
            closes=0,
            file=number,
            stands=point.place,
        )

    def _add(self, row: ResourceRow, results: Sequence[Result]) -> None:
        self._rows.append((row, [self._part(one) for one in results]))
        self._held += len(results)
        if len(self._rows) >= _AT_ONCE or self._held >= _HELD:
            self._keep()

    def _part(self, result: Result) -> PartRow:
        if isinstance(result, Refused):
            return PartRow(None, self._spool.word(result.reason), None, None)
        concept = self._spool.word(concept_of(result))
        return PartRow(
            concept, None, self._spool.hashed(repr(content_of(result))), None
        )

    def _keep(self) -> None:
        with self._spool:
            self._spool.add(self._rows)
        self._rows.clear()
        self._held = 0
