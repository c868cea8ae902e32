"""Sentences about a link. They say what goes with what, and never what causes what.

Everything is told towards better or worse, so a scale turned round, with its polarity,
gives the same words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from backend.twin.correlation.insight_table import InsightTable, SignalWords
from backend.twin.correlation.link import Link
from backend.twin.scales import known_scales

Direction = Literal["worsens", "improves"]
Order = Literal["precedes", "follows", "goes with"]
NOT_CAUSE = "This is an association, not a cause"
_NIGHTS_AGO = ("last night", "two nights ago", "three nights ago")
_DAY = 24.0


def symptom_words(table: InsightTable, scale: str) -> tuple[str, str]:
    """What it is called when it is worse, and when it is better."""
    words = table.symptoms.get(scale)
    if words is not None:
        return words.worse, words.better
    known = known_scales().get(scale)
    name = known.title if known else scale
    return f"worse “{name}”", f"better “{name}”"


def order_of(link: Link) -> Order:
    """What the biometric does, in time, to the symptom; "goes with" where unclear."""
    if link.follows is None:
        return "goes with"
    return "precedes" if link.follows else "follows"


def headline(
    link: Link, signal: SignalWords, symptom: tuple[str, str], direction: Direction
) -> str:
    """What more of the signal goes with, and when."""
    after = symptom[0] if direction == "worsens" else symptom[1]
    more = signal.more[0].upper() + signal.more[1:]
    if link.lag_unit == "nights":
        return f"{more} {_night(link.lag_hours)} {order_of(link)} {after}{_when(link)}."
    return f"{more} {order_of(link)} {after}{_when(link)}."


def evidence(link: Link, direction: Direction) -> str:
    """Size with its interval, how much it rests on, and how sure."""
    sign = 1 if ((link.coefficient or 0.0) > 0) else -1
    low, high = sorted(sign * end for end in link.ci or (0.0, 0.0))
    size = f"{abs(link.coefficient or 0.0):.2f} (90 % interval {low:.2f} to {high:.2f})"
    towards = "worse" if direction == "worsens" else "better"
    worth = math.floor(link.n_eff or 0)
    begin, end = link.window[0], link.window[1] - np.timedelta64(1, "s")
    return (
        f"One standard deviation more of the signal goes with {size} of the symptom's "
        f"towards {towards}. {link.n} reports from {begin.astype('datetime64[D]')} to "
        f"{end.astype('datetime64[D]')} are worth {worth} independent "
        f"ones; probability of a direct link {_percent(link.p_link or 0.0)}."
    )


def caveat(link: Link, others: Sequence[str]) -> str:
    """Direct or not, what else goes with the symptom, and what is not known."""
    named = f" ({', '.join(others)})" if others else ""
    if not link.direct:
        return f"{NOT_CAUSE}; other signals of this window explain it{named}."
    beside = f" Other signals go with the symptom too{named}." if others else ""
    return (
        f"{NOT_CAUSE}: it stands beside the other signals measured, but what was not "
        f"measured may move both.{beside}"
    )


def _when(link: Link) -> str:
    low, high = link.lag_interval or (0.0, 0.0)
    if link.lag_unit == "nights":
        return f" (90 % interval {_nights(low + _DAY / 2, high - _DAY / 2)})"
    if link.follows is None:
        apart = f"from {_hours(abs(low))} before to {_hours(high)} after"
        apart = apart if low < high else "in the same hour"
        return f"; which comes first cannot be told: the symptom lies {apart}"
    near, far = sorted((abs(low), abs(high)))
    about = abs(link.lag_hours or 0.0)
    if link.lag_unit == "days":
        return (
            f" by about {_days(about)} "
            f"(90 % interval {near / _DAY:g} to {far / _DAY:g} days)"
        )
    within = f"{near:g} to {far:g}" if near < far else "that hour"
    return f" by about {_hours(about)} (90 % interval {within})"


def _hours(count: float) -> str:
    return f"{count:g} hour{'' if count == 1 else 's'}"


def _days(hours: float) -> str:
    count = hours / _DAY
    return f"{count:g} day{'' if count == 1 else 's'}"


def _nights(low: float, high: float) -> str:
    if low == high:
        return "that night; no hour can be told"
    return f"{_night(high)} to {_night(low)}; no hour can be told"


def _night(lag_hours: float | None) -> str:
    """A night by its lag: zero is the one before the report."""
    night = round((lag_hours or 0.0) / _DAY)
    if night < 0:
        return "the next night" if night == -1 else f"{-night} nights later"
    return _NIGHTS_AGO[night] if night < len(_NIGHTS_AGO) else f"{night + 1} nights ago"


def _percent(share: float) -> str:
    if share > 0.99:
        return "above 99 %"
    return "below 1 %" if share < 0.01 else f"{100 * share:.0f} %"
