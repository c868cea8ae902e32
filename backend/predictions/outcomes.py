"""Stored forecasts against what was entered since: they score themselves at each pull.

Only days after the one a forecast was made on count (UTC), each as the window counts
it: the mean of its entries. A day that is taken back or amended later changes its score
at the next pull, because all of a forecast's days are looked up anew. Days without an
entry say nothing: who stops answering when unwell is missing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db import transaction

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions.answer import Instrument, openable
from backend.predictions.erasure import kept
from backend.predictions.models import OutcomeScore, Prediction
from backend.predictions.taken_back import records_of
from backend.twin.calibration import ROUNDING
from backend.twin.record import PatientRecord
from backend.twin.trajectory import HORIZON, INTERVALS, LEVELS, MEDIAN

LATE = timedelta(days=30)  # how long after a forecast's last day entries may arrive
REACH = timedelta(days=HORIZON) + LATE
IN_SDS = frozenset({"ensemble", "climatology"})  # the others have too few entries

Means = Mapping[date, float]


class Outcome(NamedTuple):
    """One day: inside which intervals the report was, and how wrong the forecast.

    `error` of the median and `loss` are in units of the window's sd for the methods
    IN_SDS, in shares of the scale's width for the others.
    """

    inside_80: bool
    inside_95: bool
    error: float
    loss: float


def score_outcomes(
    patient: Patient, record: PatientRecord, *, until: date, now: datetime
) -> int:
    """Score the patient's recent forecasts by `record`; returns how many it touched.

    `until` is the last day the record was read for: one of the past shows too little
    and scores nothing. Forecasts that rest on an entry which was taken back are left
    as they are, as is one that nobody can open any more. Only those are opened whose
    days show something else than when they were scored last. Raises DatabaseError: do
    it beside the answer.
    """
    if until < now.date():
        return 0
    owners = {one.pk: one for one in records_of(patient)}
    recent = Prediction.objects.filter(
        patient__in=owners,
        service="forecast",
        historical=False,
        stale_since=None,
        created__range=(now - REACH, now),
    )
    means = _daily_means(record)
    changed = {
        pk: digest
        for pk, created, before in recent.values_list("pk", "created", "scored_with")
        if (digest := _digest(means, created.date())) != before
    }
    if changed:
        found = Prediction.objects.filter(pk__in=changed).defer("evidence")
        _score(found.order_by("pk"), owners, means, digests=changed, now=now)
    return len(changed)


def _score(
    found: Iterable[Prediction],
    owners: Mapping[UUID, Patient],
    means: Mapping[str, Means],
    *,
    digests: Mapping[UUID, str],
    now: datetime,
) -> None:
    """Rows and digests in one transaction; always in one order, so no deadlock.

    None of a patient who was erased since the answer was opened.
    """
    columns = ("days", "inside_80", "inside_95", "error", "loss", "updated")
    rows: list[OutcomeScore] = []
    scored: list[Prediction] = []
    for prediction in found:
        rows += _rows(owners[prediction.patient_id], prediction, means, now)
        prediction.scored_with = digests[prediction.pk]
        scored.append(prediction)
    with transaction.atomic():
        mine = kept(owners)
        OutcomeScore.objects.bulk_create(
            [row for row in rows if row.prediction.patient_id in mine],
            update_conflicts=True,
            unique_fields=["prediction", "position"],
            update_fields=columns,
        )
        still = [one for one in scored if one.patient_id in mine]
        Prediction.objects.bulk_update(still, ["scored_with"])


def _daily_means(record: PatientRecord) -> dict[str, Means]:
    """By scale, then by day; score units."""
    found: dict[str, Means] = {}
    for series in record.series:
        days: dict[date, list[float]] = defaultdict(list)
        for entry in series.entries:
            days[entry.day].append(entry.value)
        found[series.scale.key] = {d: sum(v) / len(v) for d, v in days.items()}
    return found


def _digest(means: Mapping[str, Means], made: date) -> str:
    """Keyed, as all digests of a record are; empty while nothing was reported.

    Of all days that a forecast of the day `made` may speak of: its entries may be of
    the next day already, where the patient is.
    """
    days = [made + timedelta(days=ahead) for ahead in range(1, HORIZON + 2)]
    lines = [
        f"{scale}|{day}|{of_scale[day]!r}"
        for scale, of_scale in sorted(means.items())
        for day in days
        if day in of_scale
    ]
    return crypto.keyed("\n".join(("outcomes", *lines))) if lines else ""


def _rows(
    patient: Patient, prediction: Prediction, means: Mapping[str, Means], now: datetime
) -> Iterator[OutcomeScore]:
    """One row per instrument that can be scored; nothing where it does not open."""
    answer = openable(patient, prediction)
    if answer is None:
        return
    made = prediction.created.date()
    for position, item in enumerate(answer.instruments):
        if (unit := _unit(item)) is None:
            continue
        reported = means.get(item.forecast.scale.key, {})
        days = list(_outcomes(item, reported, made=made, unit=unit))
        yield OutcomeScore(
            prediction=prediction,
            position=position,
            method=item.forecast.method,
            versions=versions_of(item),
            days=len(days),
            inside_80=sum(day.inside_80 for day in days),
            inside_95=sum(day.inside_95 for day in days),
            error=sum(day.error for day in days),
            loss=sum(day.loss for day in days),
            updated=now,
        )


def versions_of(item: Instrument) -> str:
    """The models that made it, as one word: "model:version model:version"."""
    return " ".join(sorted(f"{u.model}:{u.version}" for u in item.forecast.models))


def _unit(item: Instrument) -> float | None:
    """What errors are divided by, score units; None where it was not kept."""
    if item.forecast.method in IN_SDS:
        return item.sd
    return item.forecast.scale.high - item.forecast.scale.low


def _outcomes(
    item: Instrument, reported: Means, *, made: date, unit: float
) -> Iterator[Outcome]:
    forecast = item.forecast
    for day, quantiles in zip(forecast.days, forecast.quantiles, strict=True):
        if day > made and day in reported:
            yield _outcome(np.array(quantiles), reported[day], unit=unit)


def _outcome(quantiles: np.ndarray, y: float, *, unit: float) -> Outcome:
    """The loss is twice the pinball loss, each level weighted by the stretch of
    probability nearest to it: an approximation of the CRPS (Gneiting & Raftery 2007,
    doi:10.1198/016214506000001437).
    """
    near = ROUNDING * (1 + abs(y))  # models answer in single precision
    inside = {
        level: bool(quantiles[low] - near <= y <= quantiles[high] + near)
        for level, (low, high) in INTERVALS.items()
    }
    gap, levels = y - quantiles, np.array(LEVELS)
    pinball = np.maximum(levels * gap, (levels - 1) * gap)
    return Outcome(
        inside_80=inside[0.80],
        inside_95=inside[0.95],
        error=abs(float(gap[MEDIAN])) / unit,
        loss=2 * float(pinball @ _stretches()) / unit,
    )


@cache
def _stretches() -> np.ndarray:
    levels = np.array(LEVELS)
    return np.diff(np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]]))
