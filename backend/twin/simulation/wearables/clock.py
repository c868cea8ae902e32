"""The local clock: days, weekends, and the change of the clock.

Series run on physical hours: `LEAD` hours that nobody sees (for lags and kernels),
then the window, and one hour more for the change of the clock. What is seen stands on
local hours: in spring one of them does not exist; of the one that autumn has twice
only the first is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.simulation.wearables.family import (
    MAX_LAG,
    Family,
    chance,
    signs,
)

LEAD = 96  # hours: the longest lag and half of the widest kernel before the history
FIRST_DAY = np.datetime64("2023-01-01", "D")
START_DAYS = 730
SUNDAY = 3  # days since 1970-01-01, a Thursday, modulo 7
NEVER = 10**6


@dataclass(frozen=True, slots=True)
class Clock:
    """The local clock of each patient.

    `start` [patient] datetime64[D]: the history begins at its midnight. `local`
    [patient, physical hour] int: local hours since `start`, below 0 in the lead.
    `change` [patient]: local hour at which the clock changes (`NEVER`: it does not);
    `step`: +1 spring, -1 autumn, 0 none. `wakes` [patient]: hour at which the night
    ends.
    """

    days: int
    start: np.ndarray
    local: np.ndarray
    change: np.ndarray
    step: np.ndarray
    wakes: np.ndarray

    @property
    def hours(self) -> int:
        """Local hours of the window, the history included."""
        return 24 * self.days + MAX_LAG

    @property
    def weekend(self) -> np.ndarray:
        """[patient, physical hour] 1.0 on Saturdays and Sundays."""
        day = self.start.astype(int)[:, None] + self.local // 24
        weekend: np.ndarray = np.isin((day - SUNDAY) % 7, (0, 6))
        return weekend.astype(np.float32)

    def since(self, patient: np.ndarray, begins: np.ndarray) -> np.ndarray:
        """[row, physical hour] hours since the lead's first `begins` o'clock, minus 24.

        `patient` and `begins` [row]; begins is an hour of the day. So // 24 numbers
        days that begin then, from 0 on, and % 24 are the hours since.
        """
        since: np.ndarray = self.local[patient] + (LEAD + 24 - begins[:, None])
        return since

    def seen(self, series: np.ndarray) -> np.ndarray:
        """[patient, ..., physical hour] on local hours of the window; NaN: no hour."""
        window: np.ndarray = series[..., LEAD : LEAD + self.hours].copy()
        for row in np.flatnonzero(self.step):
            at, shift = int(self.change[row]), int(self.step[row])
            after = LEAD + at + (shift < 0)
            count = self.hours - at - (shift > 0)
            window[row, ..., at + (shift > 0) :] = series[row, ..., after:][..., :count]
            if shift > 0:
                window[row, ..., at] = np.nan
        return window


def draw_clock(
    rng: np.random.Generator, family: Family, *, people: int, days: int
) -> Clock:
    """Clocks of `people` windows of `days` days after a history of 72 hours."""
    hours = 24 * days + MAX_LAG
    start = FIRST_DAY + rng.integers(0, START_DAYS, people)
    first_sunday = (SUNDAY - start.astype(int)) % 7
    sunday = first_sunday + 7 * rng.integers(0, days // 7 + 1, people)
    step = signs(rng, (people,)) * chance(rng, family.clock_change, (people,))
    step = np.where(24 * sunday + 3 < hours, step, 0).astype(int)
    change = np.where(step == 0, NEVER, 24 * sunday + 2 + (step < 0))
    physical = np.arange(-LEAD, hours + 1)[None]
    since = physical - change[:, None]
    local = physical + np.where(since >= 0, step[:, None], 0)
    return Clock(days, start, local, change, step, wakes=rng.integers(5, 11, people))
