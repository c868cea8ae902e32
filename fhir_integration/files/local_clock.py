"""Clock times of wearable files: which instant they mean, and on which local clock.

An offset says both. "Z" says the instant and not the clock (RFC 9557 section 2 gives it
that meaning), and a time without either says neither: both need the person's zone. A
clock that is put back shows an hour twice: there only an offset tells which it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from backend.twin.measures import Window
from backend.twin.record import Reason
from fhir_integration.strict_json import Json
from fhir_integration.times import Moment, moment

_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4]):?([0-5][0-9])")
_UTC = ("Z", "-00:00")  # RFC 3339 section 4.3: the clock is unknown
_LOCAL_DAY = ("day", "night")
_MOST_OF_A_DAY = timedelta(hours=20)  # as measures.toml has it for the day's steps


class NoSuchZone(ValueError):
    """The text is neither a zone of the tz database nor an offset."""


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str) -> tzinfo:
    """The zone of a name such as Europe/Berlin, or of an offset such as +02:00.

    Raises NoSuchZone.
    """
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        sign, hours, minutes = offset.groups()
        size = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-size if sign == "-" else size)
    if name not in _names():
        raise NoSuchZone("no such time zone: names are like Europe/Berlin")
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Clock:
    """The local clock of a file's person; without a zone only offsets tell it.

    `bare`: times without an offset are of the zone. IEEE 1752.1 reads them as UTC and
    exporters write them of the local clock, so in data points they are nobody's.
    """

    zone: tzinfo | None = None
    bare: bool = True

    def effective(self, start: object, end: object, window: Window) -> Json | Reason:
        """FHIR's effective[x] of a stated time, for a measure of that window.

        `end` is None for a moment. Times without offset and zone are NO_TIME, and so is
        a day or a night that nothing but UTC tells, or that the clock shows twice. A
        time that the clock skips is MALFORMED. A day of UTC is NO_WINDOW where the
        local clock has another.
        """
        if end is None:
            return self._point(start, window)
        ends = [self._stated(one, window) for one in (start, end)]
        texts = [one for one in ends if not isinstance(one, Reason)]
        if len(texts) < len(ends):
            return next(one for one in ends if isinstance(one, Reason))
        is_utc = _is_utc(start) or _is_utc(end)
        if window == "day" and is_utc and _is_other_day(*texts):
            return Reason.NO_WINDOW
        return {"effectivePeriod": dict(zip(("start", "end"), texts, strict=True))}

    def moved(self, text: object, seconds: float) -> str | Reason:
        """The time so much later, in the same terms; MALFORMED beyond the calendar."""
        stated = self._stated(text, "instant")
        read = stated if isinstance(stated, Reason) else moment(stated)
        if isinstance(read, Reason):
            return read
        if read.instant is None:
            return Reason.NO_TIME
        try:
            later = read.instant + timedelta(seconds=seconds)
        except OverflowError:
            return Reason.MALFORMED
        return later.isoformat() if _has_offset(text) else self._on_clock(later)

    def _point(self, start: object, window: Window) -> Json | Reason:
        text = self._stated(start, window)
        if isinstance(text, Reason):
            return text
        if self.zone is None or not _DATE.fullmatch(text) or window not in _LOCAL_DAY:
            return {"effectiveDateTime": text}
        try:
            day = date.fromisoformat(text)
            begin, end = (self._midnight(day + timedelta(days)) for days in (0, 1))
        except (ValueError, OverflowError):
            return Reason.MALFORMED
        if window == "night":
            return {"effectiveDateTime": begin}
        return {"effectivePeriod": {"start": begin, "end": end}}

    def _midnight(self, day: date) -> str:
        """When the day begins; where the clock skips midnight, its first moment."""
        begun = datetime.combine(day, time.min, tzinfo=self.zone)
        return self._on_clock(begun.astimezone(UTC))

    def _stated(self, text: object, window: Window) -> str | Reason:
        """The time with its offset; what is no time stays as it is."""
        if text is None or text == "":
            return Reason.NO_DATE
        if not isinstance(text, str):
            return Reason.MALFORMED
        word = text.strip()
        found = _TIME.fullmatch(word)
        if found is None:
            is_day = _DATE.fullmatch(word) is not None
            return Reason.NO_TIME if is_day and self.zone is None else word
        day, clock, offset = found.groups()
        if offset is None:
            return self._told(f"{day}T{clock}")
        if _is_utc(word):
            return self._of_utc(f"{day}T{clock}Z", window)
        return f"{day}T{clock}{offset[:3]}:{offset[-2:]}"

    def _of_utc(self, text: str, window: Window) -> str | Reason:
        """An instant on the zone's clock; without a zone it has no local day."""
        if self.zone is None:
            return Reason.NO_TIME if window in _LOCAL_DAY else text
        read = moment(text)
        if isinstance(read, Reason) or read.instant is None:
            return Reason.MALFORMED
        return self._on_clock(read.instant)

    def _told(self, text: str) -> str | Reason:
        """A clock time without an offset, on the zone's clock."""
        if self.zone is None or not self.bare:
            return Reason.NO_TIME
        read = moment(f"{text}Z")
        if isinstance(read, Reason) or read.instant is None:
            return Reason.MALFORMED
        local = read.instant.replace(tzinfo=self.zone)
        first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
        if first == second:
            return local.isoformat()
        is_twice = first is not None and second is not None and first > second
        return Reason.NO_TIME if is_twice else Reason.MALFORMED

    def _on_clock(self, instant: datetime) -> str:
        try:
            if self.zone is not None:
                return instant.astimezone(self.zone).isoformat()
            return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except OverflowError:  # the first and last day of the calendar
            return instant.isoformat()


def _has_offset(text: object) -> bool:
    """True where the text says its own clock: an offset, and not UTC."""
    found = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    return found is not None and found[3] is not None and not _is_utc(text)


def _is_utc(text: object) -> bool:
    return isinstance(text, str) and text.strip().endswith(_UTC)


def _is_other_day(start: str, end: str) -> bool:
    """True for most of a day that does not begin with a local one."""
    ends = [moment(one) for one in (start, end)]
    begun, ended = (one.instant if isinstance(one, Moment) else None for one in ends)
    if begun is None or ended is None:
        return False
    return ended - begun >= _MOST_OF_A_DAY and begun.time() != time.min
