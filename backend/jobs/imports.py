"""What `manage.py import_fhir` does: read files, report, or fill the sandbox EHR."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from backend import wiring
from backend.jobs import import_lines
from backend.jobs.sandbox_process import sandbox
from fhir_integration.files.importing import Import, Options, Progress
from fhir_integration.files.listing import printable
from fhir_integration.files.loading import Loaded, load
from fhir_integration.files.rows import UNREADABLE
from fhir_integration.files.verdict import Counts

EVERY_S = 1.0  # between two lines of progress

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
    """What a run counted, and where: names of files are paths below the folder.

    `not_read`: by suffix, files of other kinds. `unread`: by name, why it could not be
    read. `faults`: by file, what is wrong with it as a file. `by_file`: by file, the
    count of each reason. `places`: by reason, the first few as file:line, or file:nth
    resource where the file has no lines.
    """

    counts: Counts
    files: int
    not_read: dict[str, int]
    unread: dict[str, str]
    faults: dict[str, dict[str, int]]
    by_file: dict[str, dict[str, int]]
    places: dict[str, list[str]]

    @property
    def is_only_faults(self) -> bool:
        """True if no file held anything that can be read as JSON."""
        kinds = self.counts.types.keys()
        return kinds == {UNREADABLE}

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        counts = self.counts
        return {
            "files": {
                "read": self.files,
                "not_read": self.not_read,
                "could_not_be_read": self.unread,
            },
            "faults": self.faults,
            "refused_by_file": self.by_file,
            "refused_at": self.places,
            "resources": counts.resources,
            "used": counts.used,
            "refused": counts.refused,
            "patients": counts.patients,
            "patients_closed": counts.closed,
            "types": counts.types,
            "concepts": counts.concepts,
            "refused_parts_of_used": counts.beside,
        }


@contextmanager
def reading(
    path: Path,
    *,
    today: date,
    options: Options,
    fresh: bool,
    say: Say,
    spool: Path | None = None,
) -> Iterator[Report]:
    """Read and count everything; when the block ends well, the spool is taken away.

    Until then the same call goes on where it stopped, or counts again what was read.
    Raises NothingToRead, SpoolMismatch and OSError, SpoolFailed among them.
    """
    run = Import(
        path, spool or spool_of(path), until=today, options=options, fresh=fresh
    )
    with closing(run):
        if run.resumed:
            say("   going on where the last run of these files stopped")
        yield report_of(run, run.run(Pulse(say)))
        run.finish()


def outcome(path: Path, *, today: date) -> list[str]:
    """What becomes of these files, in a line or two; apart from any other run."""
    with (
        TemporaryDirectory() as folder,
        reading(
            path,
            today=today,
            options=Options(),
            fresh=False,
            say=lambda _: None,
            spool=Path(folder) / "spool",
        ) as report,
    ):
        return list(import_lines.outcome(report))


def report_of(run: Import, counts: Counts) -> Report:
    """The counts with the files' own names."""
    return named_report(
        counts,
        [source.name for source in run.listing.sources],
        not_read=run.listing.others,
        unread=run.listing.unread,
    )


def named_report(
    counts: Counts,
    files: Sequence[str],
    *,
    not_read: Mapping[str, int] | None = None,
    unread: Mapping[str, str] | None = None,
) -> Report:
    """The counts with the names of `files`, by whose numbers they were counted."""
    names = [printable(name) for name in files]
    faults: dict[str, dict[str, int]] = {}
    for (number, fault), count in counts.faults.items():
        faults.setdefault(names[number], {})[fault] = count
    found = counts.standing
    return Report(
        counts=counts,
        files=len(names),
        not_read=dict(not_read or {}),
        unread=dict(unread or {}),
        faults=faults,
        by_file={names[number]: why for number, why in found.by_file.items()},
        places={
            reason: [f"{names[number]}:{place}" for number, place in places]
            for reason, places in found.places.items()
        },
    )


def spool_of(path: Path) -> Path:
    """Where a run over this path keeps what it has seen; its name tells nothing."""
    digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
    return wiring.var() / "imports" / f"{digest[:32]}.sqlite"


def check_output(output: Path, path: Path) -> None:
    """Before a long run: can the report be written there? Raises OSError."""
    if not output.parent.is_dir():
        raise OSError(f"no folder for the report: {printable(str(output.parent))}")
    if output.is_dir() or output.resolve() == path.resolve():
        raise OSError("the report needs a file of its own")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise OSError("the report cannot be written there")


def fill_sandbox(path: Path, *, today: date, options: Options, say: Say) -> Loaded:
    """Put the files' resources into the sandbox EHR of `make demo`."""
    with sandbox(wiring.var() / "sandbox.ndjson") as url:
        return filled(path, url, today=today, options=options, say=say)


def filled(
    path: Path, url: str, *, today: date, say: Say, options: Options | None = None
) -> Loaded:
    """Put the files' resources into the EHR at `url`, saying how far it is."""
    pulse = Pulse(say)
    done = Loaded()
    for done in load(path, url, until=today, options=options):
        if pulse.is_due():
            say(f"   {done.sent} resources in the EHR")
    return done


def loaded(done: Loaded) -> str:
    """One line on what the EHR holds now, and why not the rest."""
    count = sum(done.left_out.values())
    why = import_lines.why(dict(sorted(done.left_out.items())))
    return (
        f"In the sandbox EHR: {done.sent} resources of {len(done.patients)} patients; "
        f"{count} left out{f' ({why})' if count else ''}"
    )


def totals(report: Report) -> dict[str, int]:
    """What an audit row says of a run."""
    counts = report.counts
    return {
        "files": report.files,
        "patients": counts.patients,
        "resources": counts.resources,
        "used": counts.used,
    }


def write_json(report: Report, output: Path) -> None:
    """The report as JSON, in order of names. Raises OSError."""
    sorted_text = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    output.write_bytes(orjson.dumps(report.as_json(), option=sorted_text) + b"\n")
