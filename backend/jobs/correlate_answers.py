"""One person's links out of files, as the service computes them; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from backend.jobs.correlate_files import Asked, FilesRead
from backend.predictions.days import today_of
from backend.predictions.link_network import approved_network, judge
from backend.predictions.remarks import Remarks, remarks
from backend.twin.correlation.correlation_json import to_dict
from backend.twin.correlation.examination import examine
from backend.twin.correlation.from_record import MAX_LAG_HOURS, from_record
from backend.twin.correlation.report import CorrelationReport, correlation_report
from backend.twin.ports import ModelServer
from backend.twin.record import PatientRecord
from backend.twin.trajectory import ModelUse

NO_GATE = (
    "Files carry no consent, no opt-out and no age, so none was heeded; "
    "nothing was stored and nothing was sent."
)


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """One person's answer; `models` are none where the engine answered alone."""

    label: str
    as_of: date
    days: int
    report: CorrelationReport
    models: tuple[ModelUse, ...]
    method: str
    remarks: Remarks

    @property
    def notices(self) -> tuple[str, ...]:
        """Whole sentences: on the record, and on who answered if not the network."""
        return (*self.remarks.notices, *([self.method] if self.method else []))

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "person": self.label,
            "as_of": self.as_of.isoformat(),
            "days": self.days,
            "report": to_dict(self.report),
            "models": [asdict(use) for use in self.models],
            "notices": list(self.notices),
            "urgent_findings": [one.text for one in self.remarks.urgent_findings],
        }


def answers(
    read: FilesRead,
    asked: Asked,
    *,
    models: ModelServer,
    now: datetime,
    timeout_s: float,
) -> Iterator[FileAnswer]:
    """Each person of the diary, by label; who has no wearable gets a silence."""
    uses = approved_network()
    for label, record in read.people.items():
        found = from_record(
            record,
            as_of := read.ends[label],
            days=asked.days,
            max_lag_hours=MAX_LAG_HOURS,
            zone=asked.zone if isinstance(asked.zone, ZoneInfo) else None,
            today=_today(record, asked, now),
        )
        made = judge(examine(found.window), uses, models, timeout_s=timeout_s)
        report = correlation_report(
            found.window,
            made.links,
            left_out=found.left_out,
            by_day=found.by_day,
            clock=found.clock,
        )
        said = remarks(record, as_of)
        yield FileAnswer(
            label, as_of, asked.days, report, made.models, made.method, said
        )


def counted(read: FilesRead) -> Mapping[str, Any]:
    """What became of every row of the files, as plain data."""
    counts = read.counts
    return {
        "wearables": {
            "values": counts.total,
            "used": counts.used,
            "refused": _by_reason(counts.refused),
            "of_other_days": counts.outside,
            "of_nobody_in_the_diary": counts.strangers,
            "faults": {str(number): why for number, why in counts.faults.items()},
        },
        "diary": {
            "people": len(read.people),
            "refused": _by_reason(read.diary.refused),
        },
    }


def _by_reason(refused: Mapping[Any, int]) -> dict[str, int]:
    return {str(why): count for why, count in sorted(refused.items())}


def _today(record: PatientRecord, asked: Asked, now: datetime) -> date:
    """The person's day that is not over."""
    return now.astimezone(asked.zone).date() if asked.zone else today_of(record, now)
