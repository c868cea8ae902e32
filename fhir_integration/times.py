"""FHIR dates and times: the local day they state, and the span of time they cover."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from backend.twin.record import Reason

_PARTIAL = re.compile(r"[0-9]{4}(-[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONE = r"Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"
# R4's dateTime, and times without seconds, as some servers send them.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2})"
    rf"(?::([0-5][0-9]|60)(?:\.([0-9]+))?)?({_ZONE})"
)

# What `datetime` reads as FHIR means it: nearly all times of real servers.
_USUAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    rf"(?:\.[0-9]+)?(?:{_ZONE})"
)

_SHORT = 40  # characters; what is longer is read, but not remembered
DAY = 86_400  # seconds
_START = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = _START.toordinal()


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, and the instant within it where the source stated one (else None)."""

    day: date
    instant: datetime | None = None

    @property
    def number(self) -> int:
        """The day as days since 1970."""
        return self.day.toordinal() - _EPOCH

    @property
    def offset(self) -> int | None:
        """Minutes east of UTC that the source stated; None for a plain day."""
        stated = None if self.instant is None else self.instant.utcoffset()
        return None if stated is None else int(stated.total_seconds()) // 60

    @property
    def micros(self) -> int:
        """Microseconds since 1970 UTC; a plain day counts from midnight as if in UTC.

        Whole numbers, so that equal times are equal.
        """
        if self.instant is None:
            return self.number * DAY * 1_000_000
        since = self.instant.replace(tzinfo=UTC) - _START
        clock = (since.days * DAY + since.seconds) * 1_000_000 + since.microseconds
        return clock - (self.offset or 0) * 60_000_000

    @property
    def at(self) -> str:
        """ISO text of the instant with its stated offset; empty for a plain day."""
        return "" if self.instant is None else self.instant.isoformat()

    @property
    def utc(self) -> str:
        """Text that sorts by time: the instant in UTC, or the day itself."""
        if self.instant is None:
            return self.day.isoformat()
        try:
            return self.instant.astimezone(UTC).isoformat()
        except OverflowError:  # the first and last day of the calendar
            return self.instant.isoformat()


def moment(text: object) -> Moment | Reason:
    """Read a FHIR date, dateTime or instant.

    The day is the one the text states, in the offset the text states: a diary filled in
    at 23:30 belongs to that evening wherever the server keeps its clock. Years and
    months alone are refused, and so is a time without a zone, which R4 forbids.
    """
    if not isinstance(text, str):
        return Reason.MALFORMED
    return _remembered(text) if len(text) <= _SHORT else _moment(text)


@lru_cache(maxsize=4096)  # each reader of a resource asks for its times anew
def _remembered(text: str) -> Moment | Reason:
    return _moment(text)


def _moment(text: str) -> Moment | Reason:
    if _PARTIAL.fullmatch(text):
        return Reason.PARTIAL_DATE
    try:
        if _USUAL.fullmatch(text):
            usual = datetime.fromisoformat(text)
            return Moment(usual.date(), usual)
        if _DATE.fullmatch(text):
            return Moment(date.fromisoformat(text))
        instant = _instant(text)
    except ValueError:
        return Reason.MALFORMED
    return Moment(instant.date(), instant)


def _instant(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("not a FHIR time")
    day, hour, minute, second, fraction, offset = found.groups()
    start = date.fromisoformat(day)
    return datetime(
        start.year,
        start.month,
        start.day,
        int(hour),
        int(minute),
        min(int(second or 0), 59),  # R4 allows the leap second 60
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=_zone(offset),
    )


def _zone(offset: str) -> timezone:
    if offset == "Z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


def span(text: object) -> tuple[float, float] | None:
    """First and last moment that a FHIR date can mean, as seconds since 1970 UTC.

    "2024" covers the year, "2024-01" the month, a date its day, a time itself. For the
    sandbox's date search, where a text without a zone counts as UTC.
    """
    if isinstance(text, str) and _PARTIAL.fullmatch(text):
        year, month = int(text[:4]), int(text[5:] or 1)
        months = 1 if len(text) > 4 else 12
        return _between(year, month, months=months)
    read = moment(text)
    if isinstance(read, Reason):
        return None
    if read.instant is not None:
        seconds = read.instant.timestamp()
        return seconds, seconds
    start = datetime(read.day.year, read.day.month, read.day.day, tzinfo=UTC)
    return start.timestamp(), start.timestamp() + 86_400 - 1e-3


def _between(year: int, month: int, *, months: int) -> tuple[float, float] | None:
    if not (1 <= year < 9999 and 1 <= month <= 12):
        return None
    later = month - 1 + months
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + later // 12, later % 12 + 1, 1, tzinfo=UTC)
    return start.timestamp(), end.timestamp() - 1e-3
