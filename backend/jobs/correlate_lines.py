"""What `manage.py correlate` prints: counts first, then each person's links."""

from __future__ import annotations

from collections.abc import Iterator

from backend.jobs.correlate_answers import NO_GATE, FileAnswer
from backend.jobs.correlate_files import Asked, FilesRead
from backend.jobs.diary import remarks
from backend.jobs.import_lines import why
from backend.jobs.link_report import (
    asked_lines,
    insight_lines,
    numbers_lines,
    silence_lines,
    wrapped,
)
from backend.jobs.wearables import NO_MEASURE, NO_ZONE
from backend.twin.record import Reason
from fhir_integration.files.listing import printable

DIARY_IN_UTC = (
    "times of the diary without an offset were read as UTC; if they are of a local "
    "clock, name it by --zone, or lags are wrong by hours"
)


def file_lines(read: FilesRead, asked: Asked) -> Iterator[str]:
    """What was used, what not and why, and what would help."""
    counts = read.counts
    refused = {str(reason): n for reason, n in sorted(counts.refused.items())}
    yield f"{len(read.people)} people in the diary"
    yield from wrapped(
        f"wearables: {counts.total} values: {counts.used} used + "
        f"{counts.refused.total()} refused + {counts.outside} of other days + "
        f"{counts.strangers} of nobody in the diary (refused: {why(refused)})",
        indent=0,
    )
    for number, fault in counts.faults.items():
        yield f"  {printable(str(asked.wearables[number]))}: {fault}"
    for said in (*remarks(read.diary), *_hints(read, asked)):
        yield from wrapped(said, indent=0)
    yield from wrapped(NO_GATE, indent=0)


def _hints(read: FilesRead, asked: Asked) -> Iterator[str]:
    refused = read.counts.refused
    if asked.zone is None and Reason.NO_TIME in refused:
        yield NO_ZONE
    if asked.zone is None and _has_utc(read):
        yield DIARY_IN_UTC
    if Reason.UNKNOWN_CODE in refused:
        yield NO_MEASURE.strip()


def _has_utc(read: FilesRead) -> bool:
    return any(
        entry.at.endswith("+00:00")
        for record in read.people.values()
        for series in record.series
        for entry in series.entries
    )


def answer_lines(answer: FileAnswer) -> Iterator[str]:
    """One person: what calls for a human, links in words, why not of the others."""
    report = answer.report
    yield ""
    yield f"{printable(answer.label)}, {answer.days} days to {answer.as_of}"
    for finding in answer.remarks.urgent_findings:
        yield from wrapped(f"URGENT: {finding.text}", indent=2)
    for insight in report.insights:
        yield from insight_lines(insight)
    yield from silence_lines(report)
    told = {(one.link.biometric, one.link.symptom) for one in report.insights}
    for link in report.links:
        if link.published and (link.biometric, link.symptom) not in told:
            yield f"    link without words: {link.biometric} and {link.symptom}"
            yield from numbers_lines(link)
    for one in report.left_out:
        yield from wrapped(
            f"left out: {one.name}, {one.count} values: {one.why}", indent=4
        )
    yield from wrapped(f"times are of {report.clock}", indent=4)
    yield from asked_lines(answer.models, answer.notices)
