"""What `manage.py correlate` reads: a diary, and the wearables of its people.

Everything of the days looked at is held in memory; nothing is stored. Each value of the
files is counted once: used, refused under a reason, of other days, or of nobody of the
diary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

from backend.jobs.diary import Diary, read_diary
from backend.predictions.days import last_day_read, latest_day
from backend.predictions.errors import DaysOutOfRange, TooManySamples
from backend.predictions.policy import CorrelationPolicy
from backend.twin.correlation.from_record import MAX_LAG_HOURS
from backend.twin.record import PatientRecord, Reason
from fhir_integration.facts import within
from fhir_integration.files.data_points import NotRead, Point, streams
from fhir_integration.files.local_clock import Clock
from fhir_integration.files.wearable_files import read_file
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.wearable import Sample

_EVER = date(1, 1, 1)
_ZONES = timedelta(days=1)  # by which the days of two clocks may differ
_BEFORE = timedelta(hours=MAX_LAG_HOURS)  # signals that early reports may follow


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: `days` days to `as_of`, or to each diary's last day."""

    wearables: Sequence[Path]
    diary: Path
    zone: tzinfo | None
    as_of: date | None
    days: int


@dataclass(slots=True)
class ValueCounts:
    """What became of the wearables' values.

    `outside` are of days not looked at, `strangers` of nobody of the diary. `faults`:
    by number of the file, why it could not be read, or not to its end.
    """

    used: int = 0
    outside: int = 0
    strangers: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    faults: dict[int, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All values that were read."""
        return self.used + self.outside + self.strangers + self.refused.total()


@dataclass(frozen=True, slots=True)
class FilesRead:
    """Records and last days by the diary's labels, and what was not used."""

    diary: Diary
    people: Mapping[str, PatientRecord]
    ends: Mapping[str, date]
    counts: ValueCounts


def read_files(asked: Asked, *, now: datetime, policy: CorrelationPolicy) -> FilesRead:
    """Diary and wearables together, one record a label.

    Values that name nobody are of the diary's person where it has only one; in a diary
    of several they are nobody's. Raises DiaryUnreadable, OSError, DayOutOfRange,
    DaysOutOfRange, and TooManySamples for one person's values.
    """
    if not 1 <= asked.days <= policy.max_days:
        raise DaysOutOfRange(policy.max_days)
    latest = last_day_read(asked.as_of, now)
    diary = read_diary(asked.diary, today=now.date(), zone=asked.zone)
    ends = {
        label: asked.as_of or min(_last_day(record), latest)
        for label, record in diary.patients.items()
    }
    kept = _Kept(ends, days=asked.days, most=policy.max_samples, today=latest_day(now))
    for number, path in enumerate(asked.wearables):
        kept.add_file(number, path, Clock(asked.zone))
    return FilesRead(diary, kept.records(diary), ends, kept.counts)


def _last_day(record: PatientRecord) -> date:
    return max(series.entries[-1].day for series in record.series)


class _Kept:
    """The points of the diary's people and days, and the counts of all others."""

    def __init__(
        self, ends: Mapping[str, date], *, days: int, most: int, today: date
    ) -> None:
        before = timedelta(days=days) + _BEFORE + _ZONES
        self._spans = {who: (end - before, end + _ZONES) for who, end in ends.items()}
        self._only = next(iter(ends)) if len(ends) == 1 else ""
        self._most, self._today = most, today
        self._held: Counter[str] = Counter()
        self._points: list[Point] = []
        self._named: dict[tuple[str, str], int] = {}
        self.counts = ValueCounts()

    def add_file(self, number: int, path: Path, clock: Clock) -> None:
        """Everything up to the file's end, or to where it cannot be read on."""
        try:
            for _, point in read_file(path, clock):
                if point.fault:
                    self.counts.faults[number] = point.fault
                self._add(point._replace(patient=point.patient or self._only))
        except NotRead as refusal:
            self.counts.faults[number] = str(refusal)

    def records(self, diary: Diary) -> dict[str, PatientRecord]:
        """The diary's records with their streams; what was told twice is counted."""
        made = streams(self._points)
        for found, repeats in made.values():
            self.counts.used += sum(map(len, found))
            self.counts.refused.update(one.reason for one in repeats)
        return {
            label: replace(record, streams=made[label][0] if label in made else ())
            for label, record in sorted(diary.patients.items())
        }

    def _add(self, point: Point) -> None:
        kept = tuple(self._of_interest(point))
        if not kept:
            return
        self._held[point.patient] += len(kept)
        if self._held[point.patient] > self._most:
            raise TooManySamples(self._most)
        self._keep(point._replace(results=kept))

    def _of_interest(self, point: Point) -> Iterator[Sample]:
        """The samples of the diary's people and days; all others are counted."""
        span = self._spans.get(point.patient)
        for result in point.results:
            one = within(result, since=_EVER, until=self._today)
            if isinstance(one, Refused):
                self.counts.refused[one.reason] += 1
            elif span is None:
                self.counts.strangers += 1
            elif isinstance(one, Sample) and isinstance(
                within(one, since=span[0], until=span[1]), Sample
            ):
                yield one
            else:
                self.counts.outside += 1

    def _keep(self, point: Point) -> None:
        """Of versions of one data point the fullest counts, the first of equal ones."""
        name = point.patient, point.identity
        if not point.identity or name not in self._named:
            self._named[name] = len(self._points)
            self._points.append(point)
            return
        place = self._named[name]
        other = self._points[place]
        if len(point.results) > len(other.results):
            self._points[place], other = point, self._points[place]
        else:
            other = point
        self.counts.refused[Reason.DUPLICATE] += len(other.results)
