"""Which day it is where the patient is, as far as that can be known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EARLIEST_ZONE = timedelta(hours=14)  # UTC+14, the first place to begin a new day


def latest_day(moment: datetime) -> date:
    """The latest calendar day anywhere on Earth at `moment` (with its time zone).

    A diary's day is the patient's own and their time zone is not known: no entry up to
    this day is one of the future.
    """
    return (moment.astimezone(UTC) + EARLIEST_ZONE).date()
