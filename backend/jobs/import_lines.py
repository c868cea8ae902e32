"""An import on the command line: its paths, and its report as text."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.twin.record import Reason
from fhir_integration.files.local_clock import NoSuchZone, zone_of

if TYPE_CHECKING:
    from backend.jobs.imports import Report

SHOWN = 20  # files with faults, and files that cannot be read


def lines(report: Report) -> Iterator[str]:
    """The report as text; the last line adds up to everything that was read."""
    counts = report.counts
    yield from _files(report)
    yield from ("", "Resources by type: used, refused")
    for kind, row in counts.types.items():
        refused = row["refused"]
        yield f"  {kind:28}{row['used']:>9}{sum(refused.values()):>9}  {why(refused)}"
    yield from ("", "Used facts by concept: entries, patients")
    for concept, numbers in counts.concepts.items():
        yield f"  {concept:28}{numbers['entries']:>9}{numbers['patients']:>9}"
    yield f"Refused parts of used resources:  {why(counts.beside)}"
    yield from _closed(report)
    yield ""
    yield f"Refused:  {why(counts.refused)}"
    for reason, places in report.places.items():
        yield f"  {reason}: {', '.join(places)}{_more(report, reason)}"
    yield summary(report)


def summary(report: Report) -> str:
    """One line that adds up."""
    counts = report.counts
    refused = sum(counts.refused.values())
    return (
        f"{counts.resources} resources: {counts.used} used + "
        f"{refused} refused = {counts.resources}"
    )


def outcome(report: Report) -> Iterator[str]:
    """What became of everything, in a line or two."""
    counts = report.counts
    yield f"{summary(report)} ({why(counts.refused)})"
    if counts.used == 0 and counts.refused.get(Reason.WRONG_VERSION):
        yield "nothing could be read: wrong FHIR version, only R4 is read"


def why(refused: dict[str, int]) -> str:
    """Reasons with their counts."""
    return ", ".join(f"{count} {reason}" for reason, count in refused.items()) or "none"


def _files(report: Report) -> Iterator[str]:
    yield f"{report.files} files read, {report.counts.patients} patients"
    for suffix, count in report.not_read.items():
        yield f"  not read: {count} files {suffix or 'without a suffix'}"
    for name, said in islice(report.unread.items(), SHOWN):
        yield f"  not read: {name}: {said}"
    if len(report.unread) > SHOWN:
        yield f"  and {len(report.unread) - SHOWN} more that could not be read"
    for name, faults in islice(report.faults.items(), SHOWN):
        yield f"  {name}: {why(faults)}"
    if len(report.faults) > SHOWN:
        yield f"  and {len(report.faults) - SHOWN} more files with faults"


def _closed(report: Report) -> Iterator[str]:
    """Whose record no forecast reads: the EHR's gate refuses them, not this import."""
    if report.counts.closed:
        yield (
            f"{report.counts.closed} patients are labelled as restricted or deny by a "
            "consent: what is theirs counts as restricted"
        )
        yield "  (--into-sandbox puts it in all the same; each forecast decides)"


def _more(report: Report, reason: str) -> str:
    rest = report.counts.refused[reason] - len(report.places[reason])
    return f" and {rest} more" if rest else ""


def shown(line: str, stream: Any) -> str:
    """Whatever a terminal or file can show of a line; a name may hold any letter."""
    known = getattr(stream, "encoding", None) or "utf-8"
    return line.encode(known, "backslashreplace").decode(known)


def a_path(text: str) -> Path:
    """A path of the command line. Raises ArgumentTypeError for an empty one, which
    would be the folder that one happens to be in.
    """
    if not text:
        raise ArgumentTypeError("the path is empty")
    return Path(text)


def a_zone(text: str) -> tzinfo:
    """A time zone of the command line. Raises ArgumentTypeError for any other word."""
    try:
        return zone_of(text)
    except NoSuchZone as error:
        raise ArgumentTypeError(str(error)) from error
