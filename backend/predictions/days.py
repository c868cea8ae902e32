"""Which day it is where the patient is, as far as that can be known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from backend.predictions.errors import DayOutOfRange

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
