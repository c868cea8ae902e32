"""A wearable's values as columns: thousands of them cost little and stay ordered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.twin.measures import Measure


@dataclass(frozen=True, eq=False)
class Stream:
    """All values of one patient and one measure, in order of time; n rows.

    `start` int64[n]: seconds since 1970 UTC at which the value's window begins; where
    only a day was stated, midnight of that day as if in UTC. `seconds` float64[n]: the
    window's length, 0 for a moment. `day` int32[n]: the local calendar day, as days
    since 1970, of the window's end. `offset` int16[n]: minutes east of UTC that the
    source stated, `NO_OFFSET` where it stated a day only. `value` float64[n] in the
    measure's unit. `sources`: the EHR's references, n of them.
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

    @cached_property
    def digest(self) -> str:
        """sha256 over the measure and every column."""
        hashed = hashlib.sha256(f"{self.measure.key}|{len(self)}|".encode())
        for column in (self.start, self.seconds, self.day, self.offset, self.value):
            hashed.update(np.ascontiguousarray(column).tobytes())
        hashed.update("\n".join(self.sources).encode())
        return hashed.hexdigest()


NO_OFFSET = -32768
