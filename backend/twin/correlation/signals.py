"""A window's biometrics, ready to be laid under reports at any lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.twin.correlation.decycling import (
    AHEAD_HOURS,
    HOUR,
    WAKING_HOUR,
    Hours,
    hourly,
    hours_of,
    is_daily,
    per_day,
    trend,
    without_course,
    without_weekdays,
)
from backend.twin.correlation.smoothing import (
    LEAST_NOISE,
    MEAN_HOURS,
    REACH,
    Memory,
    autocovariance,
    centred_mean,
    expected,
    memory,
)
from backend.twin.correlation.streams import BiometricStream, CorrelationWindow

LEAST_HOURS = 72  # measured hours, for an hourly biometric to be looked at
LEAST_DAYS = 10  # values, for a daily or nightly one
_DAILY_REACH = 6  # days of autocovariance
_SAME = 1e-9  # of a value, or of its variance: as good as nothing


@dataclass(frozen=True, eq=False)
class Signal:
    """One biometric. `reason` says why nothing can be said of it, or is empty.

    `row` [hour]: expectation of the signal without its course, in standard deviations
    of the signal; `raw` [hour]: as measured and de-cycled, NaN where absent. `memory`
    in steps of `step_hours`; `coverage`: share of the window's hours or days measured.
    """

    row: np.ndarray
    raw: np.ndarray
    memory: Memory
    step_hours: int
    coverage: float
    reason: str = ""

    def correlation(self, apart: np.ndarray) -> np.ndarray:
        """Autocorrelation of the signal so many hours apart."""
        return self.memory.correlation(apart / self.step_hours)


@dataclass(frozen=True, eq=False)
class Signals:
    """The biometrics of a window on its hourly grid; `lags` in hours, ascending."""

    on: Hours
    lags: np.ndarray
    each: tuple[Signal, ...]

    def under(
        self, at: np.ndarray, of: Sequence[int], *, raw: bool = False
    ) -> np.ndarray:
        """The signals `of` so many hours before each report: [report, biometric, lag].

        A daily value belongs to a whole day, so its lag is rounded to days.
        """
        back = at[:, None] - self.lags
        days = at[:, None] - 24 * ((self.lags + 12) // 24)
        made = np.empty((len(at), len(of), len(self.lags)))
        for k, one in enumerate(self.each[i] for i in of):
            row = one.raw if raw else one.row
            made[:, k] = row[days if one.step_hours == 24 else back]
        return made


def signals(window: CorrelationWindow) -> Signals:
    """Every biometric of the window, de-cycled and smoothed."""
    on = hours_of(window)
    lags = np.arange(-AHEAD_HOURS, window.max_lag_hours + 1)
    each: list[Signal | None] = [None] * len(window.biometrics)
    for daily in (False, True):
        chosen = [
            (i, stream)
            for i, stream in enumerate(window.biometrics)
            if is_daily(stream) == daily
        ]
        make = _daily if daily else _hourly
        if chosen:
            made = make(tuple(stream for _, stream in chosen), window, on)
            for (i, _), one in zip(chosen, made, strict=True):
                each[i] = one
    return Signals(on, lags, tuple(one for one in each if one is not None))


def _hourly(
    streams: tuple[BiometricStream, ...], window: CorrelationWindow, on: Hours
) -> list[Signal]:
    raw = np.stack([hourly(stream, window, on) for stream in streams])
    rows = without_course(_standard(raw), on.course)
    rows = np.stack([without_weekdays(row, on.day) for row in rows])
    covariances = autocovariance(rows, REACH)
    return [
        _hourly_signal(row, covariance, _span(window))
        for row, covariance in zip(rows, covariances, strict=True)
    ]


def _hourly_signal(row: np.ndarray, covariance: np.ndarray, span: float) -> Signal:
    coverage = float(np.isfinite(row).sum() / span)
    reason = _reason(row, LEAST_HOURS, "hours")
    if reason:
        return _silent(row, 1, coverage, reason)
    scaled = row / np.sqrt(covariance[0])
    found = memory(covariance)
    smooth = centred_mean(expected(scaled, found), MEAN_HOURS)
    smooth /= np.sqrt(found.mean_variance(MEAN_HOURS))
    return Signal(smooth, scaled, found, 1, coverage)


def _daily(
    streams: tuple[BiometricStream, ...], window: CorrelationWindow, on: Hours
) -> list[Signal]:
    made = []
    for stream in streams:
        start = WAKING_HOUR if stream.nightly else 0
        of_hour = (on.first + np.arange(on.count) - start) // 24
        first = int(of_hour[0])
        values = per_day(stream, window, first, int(of_hour[-1]) - first + 1)
        level = without_course(_standard(values)[None], trend(len(values)))[0]
        row = without_weekdays(level, np.arange(len(level)))
        covariance = autocovariance(row[None], _DAILY_REACH, least=LEAST_DAYS)[0]
        unit = "nights" if stream.nightly else "days"
        coverage = float(np.isfinite(row).sum() / (_span(window) / 24))
        given = coverage, _reason(row, LEAST_DAYS, unit)
        made.append(_daily_signal(row, covariance, of_hour - first, given=given))
    return made


def _daily_signal(
    row: np.ndarray,
    covariance: np.ndarray,
    day_of_hour: np.ndarray,
    *,
    given: tuple[float, str],
) -> Signal:
    """A day's value is taken as it is: noise and a short memory look alike in days."""
    coverage, reason = given
    if reason:
        return _silent(row[day_of_hour], 24, coverage, reason)
    scaled = row / np.sqrt(covariance[0])
    found = memory(covariance)
    total = sum(share for share, _ in found.parts)
    parts = tuple(
        (share / total * (1 - LEAST_NOISE), steps) for share, steps in found.parts
    )
    whole = Memory(LEAST_NOISE, parts)
    smooth = expected(scaled, whole)
    return Signal(smooth[day_of_hour], scaled[day_of_hour], whole, 24, coverage)


def _silent(row: np.ndarray, step: int, coverage: float, reason: str) -> Signal:
    nothing = Memory(LEAST_NOISE, ((1 - LEAST_NOISE, 1.0),))
    return Signal(np.zeros(len(row)), row, nothing, step, coverage, reason)


def _span(window: CorrelationWindow) -> float:
    """Hours from the first that a biometric may have to the last."""
    return float((window.until - window.history_from) / HOUR)


def _standard(rows: np.ndarray) -> np.ndarray:
    """Rows [.., step] in their own units of spread; all zero where nothing changes."""
    known = np.isfinite(rows)
    count = np.maximum(known.sum(-1, keepdims=True), 1)
    mean = np.where(known, rows, 0.0).sum(-1, keepdims=True) / count
    away = rows - mean
    spread = np.sqrt(np.where(known, away**2, 0.0).sum(-1, keepdims=True) / count)
    flat = spread <= _SAME * (np.abs(mean) + spread)
    return np.where(
        known, np.where(flat, 0.0, away / np.where(flat, 1.0, spread)), rows
    )


def _reason(row: np.ndarray, least: int, unit: str) -> str:
    """Why a de-cycled row says nothing, or an empty text."""
    known = row[np.isfinite(row)]
    if len(known) < least:
        return f"too little measured: {len(known)} {unit}, at least {least} are needed"
    if known @ known < _SAME * len(known):
        return "the biometric does not change, but by the clock"
    return ""
