"""Daily and weekly courses and trends taken out, so that clocks alone make no link.

Everything of one window lies on an hourly grid of the patient's local clock. The hour
that a change to winter time repeats counts once, as the mean; the one that is skipped
in spring is an hour not worn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)

HOUR = np.timedelta64(3600, "s")
AHEAD_HOURS = 24  # how far the biometric may come after the symptom
WAKING_HOUR = 7  # a night counts from this hour of the day on which it ended
DAILY_SPACING = 20.0  # hours between values from which on a stream has days, not hours
_HARMONICS = (1, 2, 3)  # of the day: the shapes of waking, siesta and meals
_LEAST_SHARE = 0.1  # of the reports, for a part of the day to have its own mean
_PART_HOURS = 4


@dataclass(frozen=True)
class Hours:
    """Consecutive local hours: `first` counts from 1970-01-01T00, `count` of them."""

    first: int
    count: int

    @cached_property
    def of_day(self) -> np.ndarray:
        """Hour of the local day, 0 to 23."""
        return (self.first + np.arange(self.count)) % 24

    @cached_property
    def day(self) -> np.ndarray:
        """Local calendar day of each hour, counted from the first hour's."""
        return (self.first + np.arange(self.count)) // 24 - self.first // 24

    @cached_property
    def course(self) -> np.ndarray:
        """Columns [hour, k] of constant, trend and daily harmonics."""
        angle = 2 * np.pi * self.of_day / 24
        daily = [f(k * angle) for k in _HARMONICS for f in (np.cos, np.sin)]
        return np.column_stack([trend(self.count), *daily])

    def index(self, times: np.ndarray) -> np.ndarray:
        """Which of these hours each moment lies in; may be outside."""
        return times.astype("datetime64[h]").astype(np.int64) - self.first


@dataclass(frozen=True, eq=False)
class Reports:
    """One symptom on the grid: one value in two hours at most, a mean where needed.

    `at` int64[n] ascending hours of the grid, `values` float64[n].
    """

    at: np.ndarray
    values: np.ndarray


def hours_of(window: CorrelationWindow) -> Hours:
    """From the earliest hour a lag may reach back to, to the latest ahead."""
    reach = window.reports_from - window.max_lag_hours * HOUR
    first = int(min(window.history_from, reach).astype("datetime64[h]").astype(int))
    last = int((window.until + AHEAD_HOURS * HOUR).astype("datetime64[h]").astype(int))
    return Hours(first, last - first)


def hourly(stream: BiometricStream, window: CorrelationWindow, on: Hours) -> np.ndarray:
    """Means per hour, NaN where nothing was measured: float64[hour]."""
    inside = (stream.times >= window.history_from) & (stream.times < window.until)
    return _means(on.index(stream.times[inside]), stream.values[inside], on.count)


def per_day(
    stream: BiometricStream, window: CorrelationWindow, first: int, count: int
) -> np.ndarray:
    """Means per local day, days counted from 1970-01-01: float64[day], NaN absent."""
    inside = (stream.times >= window.history_from) & (stream.times < window.until)
    days = stream.times[inside].astype("datetime64[D]").astype(np.int64) - first
    return _means(days, stream.values[inside], count)


def reported(stream: SymptomStream, window: CorrelationWindow, on: Hours) -> Reports:
    """The reports inside the window; two in neighbouring hours are one.

    Who says the same twice within the hour has not said more, and a device that copies
    every report must not make a link surer.
    """
    inside = (stream.times >= window.reports_from) & (stream.times < window.until)
    means = _means(on.index(stream.times[inside]), stream.values[inside], on.count)
    at = np.flatnonzero(np.isfinite(means))
    begins = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    place = np.arange(len(at)) - np.repeat(begins, np.diff(begins, append=len(at)))
    first = place % 2 == 0
    values = _means(np.cumsum(first) - 1, means[at], int(first.sum()))
    return Reports(at[first], values)


def is_daily(stream: BiometricStream) -> bool:
    """Whether the stream has one value a day or a night; then its lags are days."""
    if stream.nightly or len(stream.times) < 2:
        return stream.nightly
    spacing = np.diff(np.sort(stream.times)) / HOUR
    return bool(np.median(spacing) >= DAILY_SPACING)


def trend(count: int) -> np.ndarray:
    """Constant and straight line over so many steps: [step, 2]."""
    return np.column_stack([np.ones(count), np.linspace(-0.5, 0.5, count)])


def without_course(rows: np.ndarray, course: np.ndarray) -> np.ndarray:
    """Rows [series, step] less their least-squares course; NaN stays NaN."""
    out = np.full_like(rows, np.nan)
    for into, row in zip(out, rows, strict=True):
        known = np.isfinite(row)
        design = course[known]
        gram = design.T @ design + 1e-6 * np.eye(design.shape[1])
        fit = np.linalg.solve(gram, design.T @ row[known])
        into[known] = row[known] - design @ fit
    return out


def without_weekdays(row: np.ndarray, day: np.ndarray) -> np.ndarray:
    """A row less the means of the days of the week, as far as they are sure.

    `day` numbers the calendar day of each step. Four weeks say little about a weekday:
    means taken out whole would take slow signal with them. They are shrunk by the share
    of their variance that days within a weekday explain (positive-part James & Stein
    1961), to nothing where weekdays are alike.
    """
    days = _means(day, row, int(day[-1]) + 1)
    weekday = np.arange(len(days)) % 7
    by_day = _means(weekday, days, 7)
    known = np.isfinite(days)
    effect = by_day - np.nanmean(by_day) if known.any() else by_day
    count, groups = int(known.sum()), int(np.isfinite(by_day).sum())
    if count < 14 or groups < 7:
        return row
    within = ((days - by_day[weekday])[known] ** 2).sum() / (count - groups)
    between = (effect[weekday][known] ** 2).sum() / (groups - 1)
    kept = max(0.0, 1 - within / between) if between > 0 else 0.0
    return np.asarray(row - kept * effect[day % 7])


def symptom_course(at: np.ndarray, on: Hours) -> np.ndarray:
    """What reports may owe to the clock: a mean per part of the day, and a trend.

    Columns [report, k]. Weekdays and slow courses are taken out of the biometrics
    alone: what one side lacks can make no link, and here every column costs a report.
    """
    parts = _parts(on.of_day[at])
    slots = [(parts == part) * 1.0 for part in np.unique(parts)[1:]]
    trend = (at - at.mean()) / on.count
    return np.column_stack([np.ones(len(at)), trend, *slots])


def _parts(hour: np.ndarray) -> np.ndarray:
    """Part of the day of each report; a part with few joins the nearest other."""
    part = (hour - WAKING_HOUR) % 24 // _PART_HOURS
    parts = 24 // _PART_HOURS
    share = np.bincount(part, minlength=parts) / len(part)
    kept = np.flatnonzero(share >= _LEAST_SHARE)
    away = np.abs(np.arange(parts)[:, None] - kept[None])
    nearest = np.minimum(away, parts - away).argmin(1)
    return np.asarray(kept[nearest][part])


def _means(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Mean of the finite values that share an index; NaN where there is none."""
    known = np.isfinite(values)
    index, values = index[known], values[known]
    number = np.bincount(index, minlength=count)[:count]
    total = np.bincount(index, weights=values, minlength=count)[:count]
    out = np.full(count, np.nan)
    np.divide(total, number, out=out, where=number > 0)
    return out
