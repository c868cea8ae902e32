"""What `manage.py import_fhir` does: read files, report, or fill the sandbox EHR."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from backend import wiring
from backend.jobs.sandbox_process import sandbox
from fhir_integration.files.importing import Import, Options, Progress
from fhir_integration.files.loading import Loaded, load
from fhir_integration.files.verdict import Counts

EVERY_S = 1.0  # between two lines of progress
SHOWN = 20  # files with faults

Say = Callable[[str], object]


@dataclass(slots=True)
class Pulse:
    """Says how far a run is, at most once a second, whatever the run's pace."""

    say: Say
    begun: float = 0.0
    last: float = 0.0

    def __post_init__(self) -> None:
        self.begun = self.last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """One line with files, resources and rate, if it is time."""
        if not self.is_due():
            return
        rate = progress.resources / max(self.last - self.begun, 1e-9)
        self.say(
            f"   {progress.stage}: {progress.files} of {progress.of_files} files, "
            f"{progress.resources} resources, {rate:,.0f} a second"
        )

    def is_due(self) -> bool:
        """True once a second."""
        now = time.monotonic()
        if now - self.last < EVERY_S:
            return False
        self.last = now
        return True


@dataclass(frozen=True, slots=True)
class Report:
    """What a run counted, and the names of the files that have faults."""

    counts: Counts
    files: int
    not_read: dict[str, int]
    faults: dict[str, dict[str, int]]

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        counts = self.counts
        return {
            "files": {"read": self.files, "not_read": self.not_read},
            "faults": self.faults,
            "resources": counts.resources,
            "used": counts.used,
            "refused": counts.refused,
            "patients": counts.patients,
            "types": counts.types,
            "concepts": counts.concepts,
            "refused_parts_of_used": counts.beside,
        }


@contextmanager
def reading(
    path: Path, *, today: date, options: Options, fresh: bool, say: Say
) -> Iterator[Report]:
    """Read and count everything; when the block ends well, the spool is taken away.

    Until then the same call goes on where it stopped, or counts again what was read.
    Raises NothingToRead, SpoolMismatch and OSError.
    """
    run = Import(path, spool_of(path), until=today, options=options, fresh=fresh)
    with closing(run):
        if run.resumed:
            say("   going on where the last run of these files stopped")
        yield report_of(run, run.run(Pulse(say)))
        run.finish()


def report_of(run: Import, counts: Counts) -> Report:
    """The counts with the files' own names."""
    faults: dict[str, dict[str, int]] = {}
    for (number, fault), count in counts.faults.items():
        faults.setdefault(run.listing.sources[number].name, {})[fault] = count
    others = dict(run.listing.others)
    return Report(counts, len(run.listing.sources), others, faults)


def spool_of(path: Path) -> Path:
    """Where a run over this path keeps what it has seen; its name tells nothing."""
    digest = hashlib.sha256(path.resolve().as_posix().encode()).hexdigest()
    return wiring.var() / "imports" / f"{digest[:32]}.sqlite"


def fill_sandbox(path: Path, *, today: date, say: Say) -> Loaded:
    """Put the files' resources into the sandbox EHR of `make demo`."""
    with sandbox(wiring.var() / "sandbox.ndjson") as url:
        return filled(path, url, today=today, say=say)


def filled(path: Path, url: str, *, today: date, say: Say) -> Loaded:
    """Put the files' resources into the EHR at `url`, saying how far it is."""
    pulse = Pulse(say)
    done = Loaded()
    for done in load(path, url, until=today):
        if pulse.is_due():
            say(f"   {done.sent} resources in the EHR")
    return done


def totals(report: Report) -> dict[str, int]:
    """What an audit row says of a run."""
    counts = report.counts
    return {
        "files": report.files,
        "patients": counts.patients,
        "resources": counts.resources,
        "used": counts.used,
    }


def lines(report: Report) -> Iterator[str]:
    """The report as text; the last line adds up to everything that was read."""
    counts = report.counts
    yield from _files(report)
    yield from ("", "Resources by type: used, refused")
    for kind, row in counts.types.items():
        refused = row["refused"]
        yield f"  {kind:28}{row['used']:>9}{sum(refused.values()):>9}{_why(refused)}"
    yield from ("", "Used facts by concept: entries, patients")
    for concept, numbers in counts.concepts.items():
        yield f"  {concept:28}{numbers['entries']:>9}{numbers['patients']:>9}"
    yield f"Refused parts of used resources:{_why(counts.beside)}"
    yield ""
    yield f"Refused:{_why(counts.refused)}"
    yield (
        f"{counts.resources} resources: {counts.used} used + "
        f"{sum(counts.refused.values())} refused = {counts.resources}"
    )


def _files(report: Report) -> Iterator[str]:
    yield f"{report.files} files read, {report.counts.patients} patients"
    for suffix, count in report.not_read.items():
        yield f"  not read: {count} files {suffix or 'without a suffix'}"
    for name, faults in list(report.faults.items())[:SHOWN]:
        yield f"  {name}: " + ", ".join(f"{n} {fault}" for fault, n in faults.items())
    if len(report.faults) > SHOWN:
        yield f"  and {len(report.faults) - SHOWN} more files with faults"


def _why(refused: dict[str, int]) -> str:
    counted = ", ".join(f"{count} {reason}" for reason, count in refused.items())
    return f"  {counted or 'none'}"


def write_json(report: Report, output: Path) -> None:
    """The report as JSON, in order of names. Raises OSError."""
    sorted_text = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    output.write_bytes(orjson.dumps(report.as_json(), option=sorted_text) + b"\n")
