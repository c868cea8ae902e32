"""Makes the ensemble's intervals hold what they promise, in two steps.

For everyone: the distance of each quantile from the median is multiplied by a factor,
one for the ends of the 95 % interval and one for all levels between. The factors are
fitted on real diaries until the intervals cover their nominal share: split conformal
calibration of quantile forecasts (Romano, Patterson & Candès 2019, arXiv:1905.03222)
with a factor in place of an offset, so that it holds in every unit. A quantile that
lies on or beyond an end of the scale stays there: drawn in by a hair's breadth it would
declare the commonest answer, the lowest, improbable.

For one person: the same models are asked again as of earlier days of the same window,
and the share of days reported since that lay in their 80 % intervals widens or narrows
today's spread; few outcomes move it little. That is the proportional step of adaptive
conformal inference (Gibbs & Candès 2021, arXiv:2106.00170; Angelopoulos, Candès &
Tibshirani 2023, arXiv:2307.16895) without any state that must be kept.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from backend.twin.answer_grid import on_steps, sure_step
from backend.twin.features import MIN_ENTRIES, ForecastWindow, forecast_window
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS, MEDIAN

EVERYONE = "all"  # the table's constants that serve; the others leave one fold out
STEP = 7  # days between the earlier days that the models are asked for again
ORIGINS = 6  # how many of them at most
ROUNDING = 1e-5  # models answer in single precision: an answer on an end is inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What was fitted: shares and factors without unit, and one number of outcomes."""

    middle: float  # spread factor of the levels between the outermost two
    ends: float  # spread factor of the outermost two levels
    fortnight_middle: float  # the same two for the mean of the fortnight
    fortnight_ends: float
    gain: float  # change of the log spread per share of days missed or too many
    outcomes: float  # outcomes at which a person's own record counts half


@dataclass(frozen=True)
class Backtest:
    """Earlier forecasts of one series and what was reported since, score units.

    `quantiles` [origin, HORIZON, level], `reported` [origin, HORIZON] with NaN where
    nothing was, or where the day lies beyond the window.
    """

    quantiles: np.ndarray
    reported: np.ndarray


UNFITTED = Constants(
    middle=1.0,
    ends=1.0,
    fortnight_middle=1.0,
    fortnight_ends=1.0,
    gain=0.0,
    outcomes=1.0,
)  # for models that nobody has calibrated yet: nothing is moved


def constants(versions: Mapping[str, int], fold: str = EVERYONE) -> Constants:
    """What was fitted for these very versions together; UNFITTED for any others.

    Raises KeyError for a fold that the table does not have.
    """
    fitted = _table()
    known = dict(versions) == fitted["versions"]
    return Constants(**fitted["constants"][fold]) if known else UNFITTED


@cache
def _table() -> dict[str, Any]:
    table = files("backend.twin.tables").joinpath("calibration.toml")
    return tomllib.loads(table.read_text("utf-8"))


def calibrated(
    quantiles: np.ndarray,
    *,
    low: np.ndarray | float,
    high: np.ndarray | float,
    fitted: Constants,
    step: np.ndarray | float = 0.0,
    widening: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Calibrated quantiles inside the scale: [.., row, level] in, the same shape out.

    The first HORIZON rows are days; one more, where there is one, is the mean of the
    fortnight, which `widening` (see there) and `step` leave as it is. Ascending. The
    scale's ends `low` and `high`, and the `step` between two answers (0: none known)
    are in the quantiles' unit; they broadcast, as does `widening`.
    """
    rows = quantiles.shape[-2]
    factors = np.tile(_factors(fitted.middle, fitted.ends), (rows, 1))
    factors[HORIZON:] = _factors(fitted.fortnight_middle, fitted.fortnight_ends)
    own = np.where(np.arange(rows)[:, None] < HORIZON, widening, 1.0)
    given = np.sort(quantiles, axis=-1)
    median = given[..., MEDIAN, None]
    moved = median + (given - median) * factors * own
    moved = np.where(given <= low, low, np.where(given >= high, high, moved))
    stepped = on_steps(moved, low=low, step=step)
    moved = np.where(np.arange(rows)[:, None] < HORIZON, stepped, moved)
    return _outwards(np.clip(moved, low, high))


def earlier_windows(window: ForecastWindow) -> tuple[ForecastWindow, ...]:
    """The window as it was one week ago, two weeks ago ...: latest first.

    Each has MIN_ENTRIES days at least, and nothing that lies before the first day of
    `window`, so that the answer rests on nothing else. At most ORIGINS; may be none.
    """
    first = window.last_day - timedelta(days=len(window.values) - 1)
    entries = tuple(e for e in window.series.entries if e.day >= first)
    inside = replace(window.series, entries=entries)
    seen = np.isfinite(window.values)
    back = range(STEP, STEP * ORIGINS + 1, STEP)
    enough = [days for days in back if seen[:-days].sum() >= MIN_ENTRIES]
    return tuple(
        forecast_window(
            inside,
            window.last_day - timedelta(days=days),
            medications=window.medications,
        )
        for days in enough
    )


def backtest(
    window: ForecastWindow,
    earlier: Sequence[ForecastWindow],
    quantiles: np.ndarray,
) -> Backtest:
    """The earlier windows' forecasts [earlier, HORIZON, level] beside what came then.

    A forecast starts after its window's last entry, which may lie before the day asked
    for; the days in between are empty, so nothing is lost by it.
    """
    reported = np.full((len(earlier), HORIZON), np.nan)
    for row, before in zip(reported, earlier, strict=True):
        since = (window.last_day - before.last_day).days
        came = window.values[len(window.values) - since :][:HORIZON]
        row[: len(came)] = came
    return Backtest(quantiles, reported)


def widening(found: Backtest, fitted: Constants) -> float:
    """By what to multiply a person's spread, given how the earlier forecasts did.

    `found` holds calibrated quantiles. 1.0 where nothing was reported since.
    """
    low, high = INTERVALS[0.80]
    seen = np.isfinite(found.reported)
    near = ROUNDING * (1 + np.abs(found.reported))
    inside = (found.reported >= found.quantiles[..., low] - near) & (
        found.reported <= found.quantiles[..., high] + near
    )
    return float(own_factor(inside.sum(), seen.sum(), fitted))


def answer_step(window: ForecastWindow) -> float:
    """The step between the person's answers, score units; 0 where none is sure."""
    return sure_step(
        window.values,
        low=window.low,
        guessed=window.step,
        stated=window.series.scale.step,
    )


def adapts(step: np.ndarray | float, sd: np.ndarray | float = 1.0) -> np.ndarray:
    """Whether a person's own record may move the spread at all.

    Not where one answer is further from the next than the person's days usually are:
    there the smallest widening takes in a whole answer, and a narrowing none.
    """
    return np.asarray(step) < np.asarray(sd)


def own_factor(
    inside: np.ndarray | int, seen: np.ndarray | int, fitted: Constants
) -> np.ndarray:
    """The same from counts: days inside the 80 % interval, and days reported."""
    surplus = 0.80 * seen - inside  # days that should have been inside and were not
    answer: np.ndarray = np.exp(fitted.gain * surplus / (seen + fitted.outcomes))
    return answer


def _outwards(quantiles: np.ndarray) -> np.ndarray:
    """Ascending, by moving outer levels out to their inner neighbours.

    Sorting would move inner ones in: off an answer on which they lie together.
    """
    below = np.minimum.accumulate(quantiles[..., MEDIAN::-1], axis=-1)[..., ::-1]
    above = np.maximum.accumulate(quantiles[..., MEDIAN:], axis=-1)
    return np.concatenate([below, above[..., 1:]], axis=-1)


def _factors(middle: float, ends: float) -> np.ndarray:
    factors = np.full(len(LEVELS), middle)
    factors[[0, -1]] = ends
    return factors
