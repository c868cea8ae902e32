"""Which day it is where the patient is, as far as that can be known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np

from backend.predictions.errors import DayOutOfRange
from backend.twin.record import PatientRecord
from backend.twin.streams import NO_OFFSET

EARLIEST = date(1900, 1, 1)  # before it there is no record, and soon no calendar
EARLIEST_ZONE = timedelta(hours=14)  # UTC+14, the first place to begin a new day


def latest_day(moment: datetime) -> date:
    """The latest calendar day anywhere on Earth at `moment` (with its time zone).

    A diary's day is the patient's own and their time zone is not known: no entry up to
    this day is one of the future.
    """
    return (moment.astimezone(UTC) + EARLIEST_ZONE).date()


def last_day_read(as_of: date | None, moment: datetime) -> date:
    """The day up to which a record is read: `as_of`, or else the latest day.

    Raises DayOutOfRange for a day before EARLIEST and for one of the future: nobody
    knows tomorrow's record.
    """
    latest = latest_day(moment)
    until = latest if as_of is None else as_of
    if not EARLIEST <= until <= latest:
        raise DayOutOfRange(EARLIEST, latest)
    return until


def today_of(record: PatientRecord, moment: datetime) -> date:
    """The patient's own calendar day at `moment`.

    By the offset that their newest value states; in UTC where none does. Offset zero is
    none, as for `local_clock`: "Z" states the instant alone. A day that is not over
    must not be taken for a whole one.
    """
    _, minutes = max(_stated(record), default=(0, 0))
    return (moment.astimezone(UTC) + timedelta(minutes=minutes)).date()


def _stated(record: PatientRecord) -> Iterator[tuple[float, float]]:
    """The newest instant of each series, and its offset in minutes, where stated."""
    for stream in record.streams:
        known = np.flatnonzero((stream.offset != NO_OFFSET) & (stream.offset != 0))
        for last in known[-1:]:
            yield float(stream.start[last]), float(stream.offset[last])
    for series in record.series:
        for entry in series.entries:
            at = datetime.fromisoformat(entry.at) if entry.at else None
            offset = at.utcoffset() if at else None
            if at is not None and offset:
                yield at.timestamp(), offset.total_seconds() / 60
