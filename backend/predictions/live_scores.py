"""What came of the forecasts that were given, per set of model versions.

Days of one patient resemble each other, and several forecasts predict the same day, so
plain intervals would be much too narrow. Here the number of days is first divided by
the design effect, the variance of the share with patients as clusters over that of as
many independent days (Kish 1965), and what is left goes into Wilson's interval (Wilson
1927, doi:10.1080/01621459.1927.10502953), as Dean & Pagano (2015,
doi:10.1093/jssam/smv024) and Franco et al. (2019, PMC6690503) recommend; from few
patients it still covers a little less than it says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db.models import QuerySet, Sum

from backend.predictions.models import OutcomeScore
from backend.predictions.outcomes import IN_SDS

RECENT = timedelta(days=90)
Z = 1.959964  # of a 95 % interval


class Share(NamedTuple):
    """A share with its 95 % interval; no interval from fewer than two patients."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class LiveScore:
    """All outcomes of one method and set of versions; coverage as shares of days.

    `days` are pairs of a forecast and a day it was right or wrong about. `error` (of
    the median) and `loss` are means over them, in `unit`: "sd" of the window or "width"
    of the scale.
    """

    method: str
    versions: str
    unit: str
    patients: int
    days: int
    coverage_80: Share
    coverage_95: Share
    error: float
    loss: float


def live_scores(*, now: datetime) -> list[LiveScore]:
    """One per method and set of versions, of what was scored within RECENT."""
    sums = ("days", "inside_80", "inside_95", "error", "loss")
    rows = (
        _recent(now)
        .values("method", "versions", "prediction__patient")
        .annotate(**{f"all_{name}": Sum(name) for name in sums})
        .order_by("method", "versions")
        .values_list("method", "versions", *(f"all_{name}" for name in sums))
    )
    groups: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for method, versions, *totals in rows:
        groups[method, versions].append(totals)
    return [_score(*key, np.array(found)) for key, found in groups.items()]


def _recent(now: datetime) -> QuerySet[OutcomeScore]:
    """What rests on an entry that was taken back is no model's fault."""
    return OutcomeScore.objects.filter(
        updated__gte=now - RECENT, days__gt=0, prediction__stale_since=None
    )


def _score(method: str, versions: str, by_patient: np.ndarray) -> LiveScore:
    days, inside_80, inside_95, error, loss = by_patient.T
    total = days.sum()
    return LiveScore(
        method=method,
        versions=versions,
        unit="sd" if method in IN_SDS else "width",
        patients=len(days),
        days=int(total),
        coverage_80=share(inside_80, days),
        coverage_95=share(inside_95, days),
        error=float(error.sum() / total),
        loss=float(loss.sum() / total),
    )


def share(hits: Iterable[Any] | np.ndarray, days: np.ndarray) -> Share:
    """The share of `days` that are `hits`, both per patient, with its interval.

    Where all days or none are hits nothing can be said of the design effect, and each
    patient counts as one day.
    """
    inside = np.asarray(hits, dtype=float)
    n, patients = float(days.sum()), len(days)
    value = float(inside.sum()) / n
    if patients < 2:
        return Share(value, None, None)
    if 0.0 < value < 1.0:
        spread = ((inside - value * days) ** 2).sum() / n**2
        clustered = spread * patients / (patients - 1)
        effect = max(float(clustered / (value * (1 - value) / n)), 1.0)
        n = n / effect
    else:
        n = float(patients)
    return Share(value, *_wilson(value, n))


def _wilson(value: float, n: float) -> tuple[float, float]:
    middle = (value + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = np.sqrt(value * (1 - value) / n + Z**2 / (4 * n**2)) * Z / (1 + Z**2 / n)
    return max(middle - float(half), 0.0), min(middle + float(half), 1.0)
