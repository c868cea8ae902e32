"""What `manage.py import_wearables` does: read files, say what is usable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from backend import wiring
from backend.jobs.imports import Pulse, Report, Say, named_report
from backend.twin.measures import measures
from backend.twin.record import Reason
from fhir_integration.files.local_clock import Clock
from fhir_integration.files.spool import Spool
from fhir_integration.files.wearable_files import FileCount, WearableRun

NO_MEASURE = "   other measures than these are unknown-code: " + ", ".join(measures())
NO_ZONE = "rows without a time zone, or days told by UTC alone: name it by --zone"


@dataclass(frozen=True, slots=True)
class Wearables:
    """The report of all files, and `files`: what each holds, in their order.

    `faulty` are the numbers of files that could not be read, or not to their end.
    """

    report: Report
    files: tuple[FileCount, ...]
    faulty: frozenset[int]


@contextmanager
def reading(
    paths: Sequence[Path], *, clock: Clock, today: date, say: Say
) -> Iterator[Wearables]:
    """Read and count everything; nothing of it is kept. Raises SpoolFailed, OSError."""
    folder = wiring.var() / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=folder) as own:
        spool = Spool(Path(own) / "spool")
        try:
            run = WearableRun(paths, spool, clock=clock, until=today)
            counts = run.run(Pulse(say))
            faulty = frozenset(number for number, _ in counts.faults)
            files = tuple(run.by_file())
        finally:
            spool.close()
        yield Wearables(
            named_report(counts, [str(path) for path in paths]), files, faulty
        )


def hints(found: Wearables, clock: Clock) -> Iterator[str]:
    """What would help, where something would."""
    if clock.zone is None and Reason.NO_TIME in found.report.counts.refused:
        yield f"   {NO_ZONE}"
    if Reason.UNKNOWN_CODE in found.report.counts.refused:
        yield from wrap(
            NO_MEASURE, 78, subsequent_indent="     ", break_on_hyphens=False
        )
