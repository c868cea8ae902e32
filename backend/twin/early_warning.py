"""How probable it is that the coming fortnight is worse than a person's own days.

What is asked is about the mean of the fourteen days after the last entry: single days
are mostly noise. The answer is read off the forecast's distribution of that mean. It
says what followed patterns like these in the past: no cause, and no alarm. Where it
cannot be said it is None with a reason, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp
from typing import Literal

import numpy as np

from backend.twin.control_chart import (
    LEAST_SD,
    ControlChart,
    control_chart,
    observed_days,
)
from backend.twin.scales import Scale

SHIFT = 0.5  # of the person's own sd: the change that the benchmark's AUC is about
LEAST_DAYS = 7  # as many as a model asks for; fewer say little of a spread
FORTNIGHT_DAYS = 14
TIE = float(np.finfo(float).tiny)  # scores nearer than this are equal: no slope exists

Event = Literal["worse", "up", "down", "worse-band"]
Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of one event, 0 to 1, or None and in `reason` why.

    The event is that the mean of the next fourteen days lies on `side` of `threshold`
    (score units). A band's own end counts as inside it; `band` is its name.
    """

    event: Event
    probability: float | None = None
    side: Side | None = None
    threshold: float | None = None
    band: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """What the forecast says of the next fortnight, beside a chart of the days before.

    `mean` and `sd` are of the window's observed `days`, score units. `chances` holds
    "worse", or "up" and "down" where the scale's direction is unknown, and
    "worse-band". `chart` is None where `no_chart` says why.
    """

    mean: float
    sd: float
    days: int
    chances: tuple[Chance, ...]
    chart: ControlChart | None
    no_chart: str


def early_warning(
    values: np.ndarray,
    *,
    fortnight: Sequence[float],
    levels: Sequence[float],
    scale: Scale,
    last_day: date,
    historical: bool,
) -> EarlyWarning:
    """The warning of a window's daily values (NaN = absent), which end on `last_day`.

    `fortnight` are the quantiles at `levels` of the mean of the fourteen days after.
    """
    seen = values[np.isfinite(values)]
    mean, sd = float(seen.mean()), float(seen.std())
    unfit = _unfit(len(seen), scale, historical=historical)
    events = _shifts(mean, sd, scale, unfit=unfit)
    band = _worse_band(values[-FORTNIGHT_DAYS:], scale, unfit=unfit)
    chart = unfit or control_chart(values, last_day=last_day, scale=scale)
    return EarlyWarning(
        mean=mean,
        sd=sd,
        days=len(seen),
        chances=tuple(_answered(one, fortnight, levels) for one in (*events, band)),
        chart=None if isinstance(chart, str) else chart,
        no_chart=chart if isinstance(chart, str) else "",
    )


def probability_above(
    quantiles: Sequence[float], levels: Sequence[float], threshold: float
) -> float:
    """P(X > threshold) of a forecast by its ascending quantiles, 0.0 to 1.0.

    The distribution function runs straight between quantiles; where several are equal
    that score holds all their probability (as if they differ by a denormal number).
    Outside the outermost quantiles it falls off exponentially, as steep at first as the
    line beside it: it has no end of its own, so two people far out are still told
    apart. Where the outermost two are equal, as at a scale's end, nothing lies beyond.
    Raises ValueError for quantiles that descend.
    """
    scores, shares = np.asarray(quantiles, float), np.asarray(levels, float)
    if (np.diff(scores) < 0).any():
        raise ValueError("quantiles must ascend")
    at = int(np.searchsorted(scores, threshold, side="right"))
    if at == 0:
        return 1.0 - _tail(shares[:2], scores[:2], out=scores[0] - threshold)
    if at == len(scores):
        return _tail(1 - shares[:-3:-1], scores[:-3:-1], out=threshold - scores[-1])
    stretch = scores[at] - scores[at - 1]
    if stretch < TIE:
        return float(1.0 - shares[at])
    part = (threshold - scores[at - 1]) / stretch
    return float(1.0 - shares[at - 1] - part * (shares[at] - shares[at - 1]))


def probability_below(
    quantiles: Sequence[float], levels: Sequence[float], threshold: float
) -> float:
    """P(X < threshold), by the same rules: the mirror image of `probability_above`."""
    mirrored = -np.asarray(quantiles, float)[::-1]
    return probability_above(
        mirrored.tolist(), (1 - np.asarray(levels, float)[::-1]).tolist(), -threshold
    )


def _tail(shares: np.ndarray, scores: np.ndarray, *, out: float) -> float:
    """Probability further out than `out` beyond the outermost of two quantiles.

    `shares` are the probabilities beyond each, the outermost first.
    """
    outermost, next_to_it = (float(share) for share in shares)
    stretch = abs(float(scores[1] - scores[0]))
    if stretch < TIE:
        return 0.0
    steepness = (next_to_it - outermost) / stretch / outermost
    return outermost * exp(-steepness * float(out))


def _unfit(days: int, scale: Scale, *, historical: bool) -> str:
    """Why nothing at all can be said; empty where something can."""
    if historical:
        return "historical: the last entry is too old to speak of the present"
    if days < LEAST_DAYS:
        return f"{days} {observed_days(scale)}; {LEAST_DAYS} or more are needed"
    return ""


def _shifts(mean: float, sd: float, scale: Scale, *, unfit: str) -> Iterator[Chance]:
    """The events of a mean more than half an sd away, without their probabilities."""
    still = f"the entries hardly differ: sd below {LEAST_SD:.0%} of the scale's width"
    unfit = unfit or (still if sd < LEAST_SD * scale.width else "")
    if scale.higher_is_worse is None:
        events: tuple[tuple[Event, int], ...] = (("up", 1), ("down", -1))
    else:
        events = (("worse", 1 if scale.higher_is_worse else -1),)
    for event, sign in events:
        threshold = mean + sign * SHIFT * sd
        beyond = not scale.low < threshold < scale.high
        end = "the scale ends before half an sd is reached" if beyond else ""
        if unfit or end:
            yield Chance(event, reason=unfit or end)
        else:
            yield Chance(
                event, side="above" if sign > 0 else "below", threshold=threshold
            )


def _worse_band(recent: np.ndarray, scale: Scale, *, unfit: str) -> Chance:
    """The event of a worse band than that of the last days' mean.

    Whichever band comes after: a mean that passes over it has entered a worse one too.
    """
    now = scale.band(float(np.nanmean(recent)))
    if unfit or now is None:
        return Chance("worse-band", reason=unfit or "the scale has no severity bands")
    for band in scale.bands:
        if band.rank == now.rank + 1:
            above = scale.higher_is_worse is True
            return Chance(
                "worse-band",
                side="above" if above else "below",
                threshold=band.low if above else now.low,
                band=band.name,
            )
    return Chance("worse-band", reason="the last 14 days are in the worst band")


def _answered(
    chance: Chance, quantiles: Sequence[float], levels: Sequence[float]
) -> Chance:
    """The same event with its probability, where it can have one."""
    if chance.threshold is None:
        return chance
    if chance.side == "below":
        found = probability_below(quantiles, levels, chance.threshold)
    elif chance.band:
        found = 1.0 - probability_below(quantiles, levels, chance.threshold)
    else:
        found = probability_above(quantiles, levels, chance.threshold)
    return replace(chance, probability=found)
