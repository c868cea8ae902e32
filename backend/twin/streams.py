"""A wearable's values as columns: thousands of them cost little and stay ordered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from backend.twin.measures import Measure

NO_OFFSET = -32768


class Rows(NamedTuple):
    """Values as they were delivered, in any order: the columns of a `Stream`.

    `of` numbers the resource of each; `micros` is its start in microseconds.
    """

    micros: list[int]
    seconds: list[float]
    day: list[int]
    offset: list[int]
    value: list[float]
    source: list[str]
    of: list[int]


@dataclass(frozen=True, eq=False)
class Stream:
    """All values of one patient and one measure, in order of time; n rows.

    `start` int64[n]: seconds since 1970 UTC at which the value's window begins, a
    fraction cut off; where only a day was stated, midnight of that day as if in UTC.
    `seconds` float64[n]: the window's length, 0 for a moment. `day` int32[n]: the local
    calendar day, as days since 1970, of the window's end. `offset` int16[n]: minutes
    east of UTC that the source stated, `NO_OFFSET` where it stated a day only. `value`
    float64[n] in the measure's unit. `sources`: the EHR's references, n of them.
    """

    measure: Measure
    start: np.ndarray
    seconds: np.ndarray
    day: np.ndarray
    offset: np.ndarray
    value: np.ndarray
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.value)

    def __eq__(self, other: object) -> bool:
        """Equal measure, columns and sources."""
        return isinstance(other, Stream) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """sha256 over the measure and every column."""
        hashed = hashlib.sha256(f"{self.measure.key}|{len(self)}|".encode())
        for column in (self.start, self.seconds, self.day, self.offset, self.value):
            hashed.update(np.ascontiguousarray(column).tobytes())
        hashed.update("\n".join(self.sources).encode())
        return hashed.hexdigest()


def stream(measure: Measure, rows: Rows) -> tuple[Stream, list[str]]:
    """The rows in order of time, each value once; and the references of repeats.

    A repeat has the start to the microsecond, window and value of a row of another
    resource; the first by reference counts. Rows of one resource are none: a device may
    measure twice within a second.
    """
    micros = np.array(rows.micros, np.int64)
    seconds = np.array(rows.seconds, np.float64)
    value = np.array(rows.value, np.float64)
    order = np.lexsort((value, seconds, micros))
    runs = _runs(order, micros, seconds, value)
    again = [number for run in runs for number in _repeats(rows, run)]
    if again:
        order = order[~np.isin(order, again)]
    made = Stream(
        measure,
        micros[order] // 1_000_000,
        seconds[order],
        np.array(rows.day, np.int32)[order],
        np.array(rows.offset, np.int16)[order],
        value[order],
        tuple(map(rows.source.__getitem__, order.tolist())),
    )
    repeated = {rows.of[number]: rows.source[number] for number in again}
    return made, list(repeated.values())


def _runs(order: np.ndarray, *columns: np.ndarray) -> Iterator[list[int]]:
    """Numbers of the rows that are equal in these columns, two or more at a time."""
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    ends = np.flatnonzero(np.diff(same, prepend=False, append=False))
    for first, last in ends.reshape(-1, 2).tolist():
        yield order[first : last + 1].tolist()


def _repeats(rows: Rows, run: list[int]) -> Iterator[int]:
    """Those of the run that are not of the resource that comes first."""
    ranks = {
        number: (rows.source[number], rows.offset[number], rows.day[number])
        for number in run
    }
    first = rows.of[min(run, key=ranks.__getitem__)]
    yield from (number for number in run if rows.of[number] != first)
