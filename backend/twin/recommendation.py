"""What a clinician may want to know of a forecast, each with its reason and source.

Sentences state numbers with their units; they advise a look, they never order anything.
Where there is nothing to say, that is said, and why. What is urgent comes from the
record, not from the forecast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import fmean
from typing import Literal, NamedTuple

from backend.twin.features import CONTEXT
from backend.twin.findings import Finding, Kind, urgent_findings
from backend.twin.grade import ONE_DAY
from backend.twin.record import PatientRecord
from backend.twin.scales import Band, Scale
from backend.twin.trajectory import Forecast

__all__ = ["Finding", "Kind", "Recommendation", "from_forecast", "urgent_findings"]

Code = Literal[
    "URGENT_FINDING", "BAND_CROSSED", "IMPORTANT_CHANGE", "NO_RECOMMENDATION"
]
Urgency = Literal["urgent", "routine", "none"]

REFERENCE_DAYS = 7  # a single diary day is mostly noise: lag-1 autocorrelation ~0.2
BAND_SHARE = 0.5  # of the important change: a smaller move into a band is not said
PRINTED = 0.1  # score units; sentences show one decimal


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to say: `text` is the sentence, `reason` and `source` its backing.

    `day` is the day it is about; None where it is about none.
    """

    code: Code
    text: str
    reason: str
    urgency: Urgency
    source: str
    day: date | None


class _Own(NamedTuple):
    """Scores now and on average over the window; beside `urgent` nothing is better."""

    now: float
    level: float
    urgent: bool


def from_forecast(
    forecast: Forecast, record: PatientRecord, as_of: date
) -> tuple[Recommendation, ...]:
    """What to say about one instrument, urgent first; never empty.

    The forecast's median from `as_of` on is compared with the last score of a
    questionnaire, or with the mean of a diary's last seven days.
    """
    said = [
        _urgent(forecast.scale, finding)
        for finding in urgent_findings(record, as_of)
        if finding.scale == forecast.scale.key
    ]
    own = _own(forecast, record, urgent=bool(said))
    why_not = _unfit(forecast, own, as_of)
    if own is not None and not why_not:
        ahead = _ahead(forecast, as_of)
        said += _band_crossed(ahead, own)
        said += _important_change(ahead, own)
    return tuple(said) or (_nothing(forecast, why_not or _calm(forecast.scale)),)


def _urgent(scale: Scale, finding: Finding) -> Recommendation:
    score = _points(scale, finding.value)
    if finding.kind == "self-harm" and scale.safety_item is not None:
        meaning = scale.safety_item.meaning(finding.value)
        text = (
            f"Answer above {scale.safety_item.above:g} to the item "
            f"“{scale.safety_item.title}” on {finding.day} "
            f"({f'{meaning}, ' if meaning else ''}{score})."
        )
        reason = "An answer to this item is for a clinician to assess promptly."
    else:
        entered = "is in" if finding.first else "entered"
        text = f"{scale.title} {entered} a severe band on {finding.day} ({score})."
        reason = "A score in a severe band is for a clinician to assess promptly."
    return Recommendation(
        code="URGENT_FINDING",
        text=text,
        reason=reason,
        urgency="urgent",
        source=finding.source,
        day=finding.day,
    )


def _own(forecast: Forecast, record: PatientRecord, *, urgent: bool) -> _Own | None:
    """Where the person stands; None where the record has no entry."""
    daily = forecast.scale.cadence == "daily"
    recent = _scores(forecast, record, days=REFERENCE_DAYS if daily else 1)
    if not recent:
        return None
    level = fmean(_scores(forecast, record, days=CONTEXT))
    return _Own(fmean(recent), level, urgent)


def _scores(forecast: Forecast, record: PatientRecord, *, days: int) -> list[float]:
    """The instrument's scores of the days that end with the last entry's."""
    since = forecast.last_entry - timedelta(days=days - 1)
    return [
        entry.value
        for series in record.series
        if (series.scale.system, series.scale.code)
        == (forecast.scale.system, forecast.scale.code)
        for entry in series.entries
        if since <= entry.day <= forecast.last_entry
    ]


def _unfit(forecast: Forecast, own: _Own | None, as_of: date) -> str:
    """Why this forecast supports no advice at all; empty where it does."""
    if forecast.historical:
        return f"The last entry is of {forecast.last_entry}: this is history."
    if forecast.days[-1] < as_of:
        return f"All forecast days are past: the last one is {forecast.days[-1]}."
    return _incomparable(forecast) or (
        "The record holds no entry to compare with." if own is None else ""
    )


def _incomparable(forecast: Forecast) -> str:
    """Why a difference from now would say nothing; empty where it says something.

    Where a climatology differs from now, that is the averaging: it would call every
    rise an improvement to come. A questionnaire's return towards the own level was
    held against real scores (docs/methods/questionnaires.md), a diary's was not.
    """
    not_compared = f"so it is not compared with the {_now(forecast)}."
    if forecast.method == "prior":
        return f"The forecast rests on {ONE_DAY}, {not_compared}"
    if forecast.method == "climatology":
        return f"The forecast averages past scores and follows no trend, {not_compared}"
    if forecast.method == "irregular" and forecast.scale.cadence == "daily":
        return (
            f"The diary has {forecast.entries} days with an entry in the last "
            f"{CONTEXT} days, too few to tell a change."
        )
    return ""


def _ahead(forecast: Forecast, as_of: date) -> Forecast:
    """The same forecast from `as_of` on: nothing is said about a day that is past."""
    past = sum(day < as_of for day in forecast.days)
    return replace(
        forecast, days=forecast.days[past:], quantiles=forecast.quantiles[past:]
    )


def _band_crossed(forecast: Forecast, own: _Own) -> Iterator[Recommendation]:
    """The first day on which the median has moved well into another severity band."""
    now = forecast.scale.band(own.now)
    for at, median in _medians(forecast, own):
        if abs(median - own.now) < _least_move(forecast.scale):
            continue
        then = forecast.scale.band(median)
        if now is not None and then is not None and then.rank != now.rank:
            band = "a more severe band" if then.rank > now.rank else "a milder band"
            yield Recommendation(
                code="BAND_CROSSED",
                text=(
                    f"{_subject(forecast, median, own)} enters {band}: from "
                    f"{_band(now)} to {_band(then)}. {_numbers(forecast, at, own.now)} "
                    "It may be worth a look at the next contact."
                ),
                reason=_backing(forecast),
                urgency="routine",
                source=forecast.scale.source,
                day=forecast.days[at],
            )
            return


def _medians(forecast: Forecast, own: _Own) -> Iterator[tuple[int, float]]:
    """Each day's position and median, but for what must not be said of it."""
    for at, median in enumerate(forecast.median()):
        better = (median < own.now) == forecast.scale.higher_is_worse
        if not (own.urgent and better):
            yield at, median


def _least_move(scale: Scale) -> float:
    """Half the important change; without one a step, or what a sentence can show."""
    if scale.important_change is not None:
        return BAND_SHARE * scale.important_change
    return PRINTED if scale.step is None else scale.step


def _important_change(forecast: Forecast, own: _Own) -> Iterator[Recommendation]:
    """The first day on which the median has moved by a clinically important change."""
    scale = forecast.scale
    if scale.important_change is None:
        return
    for at, median in _medians(forecast, own):
        if abs(median - own.now) >= scale.important_change:
            yield Recommendation(
                code="IMPORTANT_CHANGE",
                text=(
                    f"{_subject(forecast, median, own)} moves"
                    f"{_direction(scale, median - own.now)} by "
                    f"{_points(scale, abs(median - own.now))}; "
                    f"{_points(scale, scale.important_change)} count as clinically "
                    f"important. {_numbers(forecast, at, own.now)} "
                    "It may be worth a look at the next contact."
                ),
                reason=_backing(forecast),
                urgency="routine",
                source=scale.change_source or scale.source,
                day=forecast.days[at],
            )
            return


def _subject(forecast: Forecast, median: float, own: _Own) -> str:
    """Who moves: without a model mostly a return after an unusual score, no trend."""
    low, high = sorted((own.now, own.level))
    if forecast.method == "irregular" and low <= median <= high:
        return "The forecast returns towards the person's own level and"
    return "The forecast"


def _direction(scale: Scale, change: float) -> str:
    """Better or worse; up or down where nobody knows which of them is better."""
    if scale.higher_is_worse is None:
        return " up" if change > 0 else " down"
    worse = (change > 0) == scale.higher_is_worse
    return " for the worse" if worse else " for the better"


def _numbers(forecast: Forecast, at: int, reference: float) -> str:
    low, high = forecast.interval(0.80)[at]
    now = _points(forecast.scale, reference)
    median = _points(forecast.scale, forecast.median()[at])
    return (
        f"{_now(forecast).capitalize()} {now}, median on {forecast.days[at]} {median} "
        f"(80 % interval {low:.1f} to {high:.1f})."
    )


def _now(forecast: Forecast) -> str:
    """What stands for the present, as words."""
    daily = forecast.scale.cadence == "daily"
    return "mean of the last seven days" if daily else "last score"


def _backing(forecast: Forecast) -> str:
    return f"Reliability {forecast.grade}: {'; '.join(forecast.reasons)}."


def _nothing(forecast: Forecast, why: str) -> Recommendation:
    return Recommendation(
        code="NO_RECOMMENDATION",
        text=f"No recommendation from the forecast of {forecast.scale.title}.",
        reason=why,
        urgency="none",
        source=forecast.scale.source,
        day=None,
    )


def _calm(scale: Scale) -> str:
    """Why a usable forecast gives nothing to say."""
    if not scale.bands and scale.important_change is None:
        return "No severity bands and no sourced important change exist for this scale."
    kept = []
    if scale.bands:
        within = _points(scale, _least_move(scale))
        kept.append(f"stays in its severity band or moves by less than {within}")
    if scale.important_change is not None:
        kept.append(f"moves by less than {_points(scale, scale.important_change)}")
    return f"On all days ahead the median {' and '.join(kept)}."


def _band(band: Band) -> str:
    return f"“{band.name}” ({band.low:g} to {band.high:g})"


def _points(scale: Scale, score: float) -> str:
    """A score with its unit; UCUM's annotation {score} reads as points."""
    number = f"{score:.1f}".removesuffix(".0")
    points = "point" if number == "1" else "points"
    return f"{number} {points if scale.unit == '{score}' else scale.unit}"
