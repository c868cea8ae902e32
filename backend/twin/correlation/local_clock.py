"""One local clock for everything of one patient.

Times of a record are instants with the offset that their source stated. "Z" states the
instant alone (RFC 9557, section 2) and reads as offset zero, so zero is believed only
where nothing else of the record says otherwise: a lag between a watch at +02:00 and a
diary in UTC must not be two hours off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from backend.twin.streams import NO_OFFSET

_STEP = 900  # seconds: no zone has changed its offset off a quarter of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class LocalClock:
    """`zone` where it is known; else offsets as stated, zero as the nearest other one.

    `at` int64[n] ascending: seconds since 1970 UTC of values with another offset than
    zero; `offset` int64[n]: theirs, minutes east.
    """

    zone: ZoneInfo | None
    at: np.ndarray
    offset: np.ndarray

    def local(self, instants: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """int64[n] seconds since 1970 of the local clock.

        `instants` seconds since 1970 UTC, `offsets` minutes east or `NO_OFFSET`, where
        the instant is local already.
        """
        seen = np.asarray(instants, np.int64)
        stated = np.asarray(offsets, np.int64)
        if self.zone is not None:
            east = self._of_zone(seen, self.zone)
        else:
            east = np.where(stated == 0, self._nearest(seen), stated)
        return np.asarray(seen + 60 * np.where(stated == NO_OFFSET, 0, east))

    def says(self) -> str:
        """Whose clock it is, in words."""
        if self.zone is not None:
            return f"the clock of {self.zone.key}"
        if len(self.at):
            return "the local offsets that the sources state"
        return "UTC: no source states another local offset"

    def _nearest(self, instants: np.ndarray) -> np.ndarray:
        """The stated offset nearest in time; zero where nobody states any."""
        if not len(self.at):
            return np.zeros(len(instants), np.int64)
        after = np.searchsorted(self.at, instants).clip(max=len(self.at) - 1)
        before = np.maximum(after - 1, 0)
        nearer = instants - self.at[before] < self.at[after] - instants
        return np.asarray(self.offset[np.where(nearer, before, after)])

    @staticmethod
    def _of_zone(instants: np.ndarray, zone: ZoneInfo) -> np.ndarray:
        """Minutes east, looked up once a quarter of an hour."""
        quarters, which = np.unique(instants // _STEP, return_inverse=True)
        moments = [_EPOCH + timedelta(seconds=int(q) * _STEP) for q in quarters]
        east = [m.astimezone(zone).utcoffset() or timedelta() for m in moments]
        minutes = np.array([e // timedelta(minutes=1) for e in east], np.int64)
        return np.asarray(minutes[which])


def local_clock(
    stated: Sequence[tuple[np.ndarray, np.ndarray]], zone: ZoneInfo | None
) -> LocalClock:
    """Of everything that the record states: (instants, offsets) of each series."""
    instants = np.concatenate([np.zeros(0, np.int64), *(at for at, _ in stated)])
    offsets = np.concatenate([np.zeros(0, np.int64), *(by for _, by in stated)])
    telling = (offsets != 0) & (offsets != NO_OFFSET)
    at, by = instants[telling], offsets[telling]
    order = np.argsort(at, kind="stable")
    return LocalClock(zone, at[order], by[order])
