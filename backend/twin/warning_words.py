"""An early warning in sentences: numbers with their units, no cause and no advice.

Nothing is called worse where the scale's direction is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.twin.control_chart import observed_days
from backend.twin.early_warning import Chance, EarlyWarning
from backend.twin.scales import Scale
from backend.twin.trajectory import HORIZON, Forecast

NOT_COMPUTED = "Early warning: not computed when this forecast was made."
CAVEAT = "What has followed such patterns: no cause, no alarm."
UNCOMPARED = (
    "For questionnaires and for bands the probability is read off the forecast and has "
    "not been compared with outcomes: no cause, no alarm."
)
_SHIFTS = {"worse": "worse than", "up": "above", "down": "below"}
_SIDES = {
    "inside": "inside",
    "above": "above",
    "below": "below",
    "worse": "on the worse side of",
    "better": "on the better side of",
}


def warning_words(forecast: Forecast) -> Iterator[str]:
    """The whole warning: a sentence for each event, then the chart's state."""
    warning = forecast.warning
    if warning is None:
        yield NOT_COMPUTED
        return
    for chance in warning.chances:
        yield f"Early warning: {chance_words(chance, warning, of=forecast)}"
    yield from _caveats(warning, scale=forecast.scale)
    yield chart_words(warning, scale=forecast.scale)


def _caveats(warning: EarlyWarning, *, scale: Scale) -> Iterator[str]:
    """What the probabilities rest on: only a diary's shifts were held against days."""
    said = [chance for chance in warning.chances if chance.probability is not None]
    daily = scale.cadence == "daily"
    compared = [daily and chance.event != "worse-band" for chance in said]
    if any(compared):
        yield CAVEAT
    if not all(compared):
        yield UNCOMPARED


def chance_words(chance: Chance, warning: EarlyWarning, *, of: Forecast) -> str:
    """How probable the event is, or why that is not said; one sentence."""
    event = event_words(chance, warning, of=of)
    if chance.probability is None:
        return f"no probability of {event}: {chance.reason}."
    return f"a probability of {_percent(chance.probability)} that {event}."


def event_words(chance: Chance, warning: EarlyWarning, *, of: Forecast) -> str:
    """What the probability is of: where the coming mean lies, and what that means."""
    scale, named = of.scale, f" (“{chance.band}”)" if chance.band else ""
    scored = "" if scale.cadence == "daily" else "the scores of "
    if chance.event == "worse-band":
        event = f"a worse band{named} than that of {scored}the last {HORIZON} days"
    else:
        days = _days(warning.days, scale)
        event = (
            f"a mean half an sd {_SHIFTS[chance.event]} that of {days} "
            f"({points(scale, warning.mean)}, sd {points(scale, warning.sd)})"
        )
    if chance.threshold is None:
        return event
    at = "at or " if chance.band and chance.side == "above" else ""
    return (
        f"the mean of the {HORIZON} days after {of.last_entry} lies "
        f"{at}{chance.side} {points(scale, chance.threshold)}: {event}"
    )


def chart_words(warning: EarlyWarning, *, scale: Scale) -> str:
    """Where the moving average of the days before stands; one sentence."""
    chart = warning.chart
    if chart is None:
        return f"No control chart: {warning.no_chart}."
    since = f" since {chart.since}" if chart.since else ""
    days = _days(chart.baseline_days, scale)
    return (
        f"Control chart: the moving average of {points(scale, chart.average)} is "
        f"{_SIDES[chart.state]} its limits{since} ({points(scale, chart.lower)} to "
        f"{points(scale, chart.upper)}, from the first {days})."
    )


def _days(number: int, scale: Scale) -> str:
    """How many days an average is of; of a questionnaire only those with a score."""
    days = "days" if scale.cadence == "daily" else observed_days(scale)
    return f"{number} {days}"


def points(scale: Scale, score: float) -> str:
    """A score with its unit; UCUM's annotation {score} reads as points."""
    number = f"{score:.2f}".rstrip("0").rstrip(".")
    return f"{number} {'points' if scale.unit == '{score}' else scale.unit}"


def _percent(probability: float) -> str:
    """Whole percent, but neither none nor all: nothing ahead is certain."""
    if probability < 0.01:
        return "under 1 %"
    return (
        "over 99 %" if probability > 0.99 else f"{probability:.0%}".replace("%", " %")
    )
