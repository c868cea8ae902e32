"""A chart of a person's own days: has their average left where it used to be?

An exponentially weighted moving average with control limits (Roberts 1959,
doi:10.1080/00401706.1959.10489860), as Smit & Snippe (2022,
doi:10.1017/S0033291722002069) kept one per person to see symptoms come back. It looks
at days that were, forecasts nothing, and knows of no cause. Its limits are those of
independent days; diaries have some memory, so it leaves them somewhat too often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from backend.twin.scales import Scale

# NIST/SEMATECH e-Handbook, section 6.3.2.4: weights of .2 to .3 are usual, limits of 3.
WEIGHT = 0.2  # of the newest day
LIMIT = 3.0  # standard deviations of the average
# Ours: the earlier half of the observed days, but no fewer and no more than these.
LEAST_BASELINE, MOST_BASELINE = 14, 28
LEAST_SD = 0.02  # of the scale's width: below it the benchmark takes no window either

State = Literal["inside", "above", "below", "worse", "better"]


@dataclass(frozen=True, slots=True)
class ControlChart:
    """Where the moving average stands on the last day, in score units.

    `centre` and `sd` are those of the first `baseline_days` observed days, `since` the
    first day of the present stay outside the limits, None inside them. `state` says
    worse or better where the scale's direction is known, above or below where not.
    """

    state: State
    since: date | None
    average: float
    lower: float
    upper: float
    centre: float
    sd: float
    baseline_days: int
    days: int  # observed days after the baseline


def control_chart(
    values: np.ndarray, *, last_day: date, scale: Scale
) -> ControlChart | str:
    """The chart of daily values (NaN = absent) up to `last_day`, or why there is none.

    Absent days are skipped: neither average nor limits move on them. The variance is
    the exact one of the t-th average, w / (2 - w) (1 - (1 - w)^2t) times that of a day.
    """
    seen = np.flatnonzero(np.isfinite(values))
    baseline_days = min(len(seen) // 2, MOST_BASELINE)
    if baseline_days < LEAST_BASELINE:
        counted = f"{len(seen)} {observed_days(scale)}"
        return f"{counted}; a chart takes {2 * LEAST_BASELINE} or more"
    baseline = values[seen[:baseline_days]]
    centre, sd = float(baseline.mean()), float(baseline.std(ddof=1))
    if sd < LEAST_SD * scale.width:
        return (
            f"the first {baseline_days} {observed_days(scale)} hardly differ: sd "
            f"below {LEAST_SD:.0%} of the scale's width"
        )
    averages = _averages(values[seen[baseline_days:]], start=centre)
    reach = LIMIT * sd * _spread(len(averages))
    sides = np.sign(averages - centre) * (np.abs(averages - centre) > reach)
    stay = len(sides) - int(np.flatnonzero(np.append(1, np.diff(sides)))[-1])
    since = last_day - timedelta(days=int(len(values) - 1 - seen[-stay]))
    return ControlChart(
        state=_state(int(sides[-1]), higher_is_worse=scale.higher_is_worse),
        since=since if sides[-1] else None,
        average=float(averages[-1]),
        lower=float(centre - reach[-1]),
        upper=float(centre + reach[-1]),
        centre=centre,
        sd=sd,
        baseline_days=baseline_days,
        days=len(averages),
    )


def observed_days(scale: Scale) -> str:
    """What a number of days with entries counts; a questionnaire's lie weeks apart."""
    return "observed days" if scale.cadence == "daily" else "days with scores"


def _averages(values: np.ndarray, *, start: float) -> np.ndarray:
    """The moving average after each value (day,)."""
    averages = np.empty(len(values))
    for at, value in enumerate(values):
        start += WEIGHT * (value - start)
        averages[at] = start
    return averages


def _spread(days: int) -> np.ndarray:
    """Standard deviation of each average, in standard deviations of a day (day,)."""
    kept = (1 - WEIGHT) ** (2 * np.arange(1, days + 1))
    spread: np.ndarray = np.sqrt(WEIGHT / (2 - WEIGHT) * (1 - kept))
    return spread


def _state(side: int, *, higher_is_worse: bool | None) -> State:
    if side == 0:
        return "inside"
    if higher_is_worse is None:
        return "above" if side > 0 else "below"
    return "worse" if (side > 0) == higher_is_worse else "better"
