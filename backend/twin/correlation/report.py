"""What was looked at, what was found, and what is left unsaid: one patient's answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.twin.correlation.decycling import HOUR, is_daily
from backend.twin.correlation.engine import NAMED
from backend.twin.correlation.insights import (
    Insight,
    InsightRule,
    Silence,
    polarity,
    said,
)
from backend.twin.correlation.link import Link
from backend.twin.correlation.record_streams import LeftOut
from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    WorseWhen,
)

_DAY_HOURS = 24.0


@dataclass(frozen=True)
class SignalSeen:
    """A biometric that was examined: `n` values, in `unit`, and the wear coverage.

    `coverage`: share of the hours, or of the days or nights, that have a value.
    """

    name: str
    unit: str
    n: int
    coverage: float
    nightly: bool


@dataclass(frozen=True)
class SymptomSeen:
    """A symptom that was examined: `n` reports; `by_day`: of days, not of hours."""

    name: str
    n: int
    worse_when: WorseWhen | None
    by_day: bool


@dataclass(frozen=True)
class CorrelationReport:
    """The whole answer. `window`: begin of the reports and the end, exclusive.

    `links` has every pair, published or not; `insights` those in words; `silences` why
    there are no words for each other pair; `left_out` what never got into the window.
    `message` is what to say where there is no insight, else empty. `clock` says whose
    clock all times are of.
    """

    window: tuple[np.datetime64, np.datetime64]
    max_lag_hours: int
    clock: str
    biometrics: tuple[SignalSeen, ...]
    symptoms: tuple[SymptomSeen, ...]
    links: tuple[Link, ...]
    insights: tuple[Insight, ...]
    silences: tuple[Silence, ...]
    left_out: tuple[LeftOut, ...]
    message: str


def correlation_report(
    window: CorrelationWindow,
    links: Sequence[Link],
    *,
    left_out: Sequence[LeftOut] = (),
    by_day: Collection[str] = (),
    clock: str = "",
    rule: InsightRule | None = None,
) -> CorrelationReport:
    """The answer made of a window's links; the others as `FromRecord` gives them."""
    told = tuple(in_days(one) if one.symptom in by_day else one for one in links)
    insights, silences = said(told, polarity(window.symptoms), rule=rule)
    return CorrelationReport(
        window=(window.reports_from, window.until),
        max_lag_hours=window.max_lag_hours,
        clock=clock,
        biometrics=tuple(_seen(one, window) for one in window.biometrics),
        symptoms=tuple(
            SymptomSeen(
                one.name,
                reports_in(one.times, window),
                one.worse_when,
                one.name in by_day,
            )
            for one in window.symptoms
        ),
        links=told,
        insights=insights,
        silences=silences,
        left_out=tuple(left_out),
        message="" if insights else _message(window, told),
    )


def in_days(link: Link) -> Link:
    """The link of a symptom of which only the day is known: its lag has no hour."""
    if link.lag_unit != "hours":
        return link
    if link.lag_hours is None or link.lag_interval is None:
        return replace(link, lag_unit="days")
    lag, low, high = (
        _DAY_HOURS * float(np.floor((hours + _DAY_HOURS / 2) / _DAY_HOURS))
        for hours in (link.lag_hours, *link.lag_interval)
    )
    ends = low - _DAY_HOURS / 2, high + _DAY_HOURS / 2
    return replace(link, lag_unit="days", lag_hours=lag, lag_interval=ends)


def coverage(stream: BiometricStream, window: CorrelationWindow) -> float:
    """Share of the window's hours, or days, in which something was measured."""
    inside = stream.times[_within(stream.times, window.history_from, window.until)]
    step = "D" if is_daily(stream) else "h"
    hours = float((window.until - window.history_from) / HOUR)
    steps = hours / (_DAY_HOURS if step == "D" else 1)
    return len(np.unique(inside.astype(f"datetime64[{step}]"))) / steps


def reports_in(times: np.ndarray, window: CorrelationWindow) -> int:
    """How many reports the window holds."""
    return int(_within(times, window.reports_from, window.until).sum())


def _seen(stream: BiometricStream, window: CorrelationWindow) -> SignalSeen:
    count = int(_within(stream.times, window.history_from, window.until).sum())
    share = coverage(stream, window)
    return SignalSeen(stream.name, stream.unit, count, share, stream.nightly)


def _within(times: np.ndarray, first: np.datetime64, end: np.datetime64) -> np.ndarray:
    return np.asarray((times >= first) & (times < end))


def _message(window: CorrelationWindow, links: Sequence[Link]) -> str:
    """Why there is nothing to say, and what would be needed."""
    if not window.biometrics:
        return "No biometric data in the window: nothing can be compared."
    if not window.symptoms:
        return "No symptom reports in the window that can be compared."
    needed = [one.reports_needed for one in links if one.reports_needed is not None]
    if not needed:
        return "Too little data to look for links; see each pair for what is missing."
    most = max(one.n for one in links)
    about = " to ".join(map(str, sorted({min(needed), max(needed)})))
    enough = all((one.reports_needed or 0) <= one.n for one in links)
    return (
        "No link is sure enough to be put into words. "
        f"This window has {most} reports of a symptom; "
        f"to find a link of {NAMED} takes about {about}."
        f"{' So one would probably have been found.' * enough}"
        f" ({NAMED} standard deviations of the symptom for one of the signal.)"
    )
