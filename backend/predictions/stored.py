"""A stored forecast as callers see it: the answer, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from backend.predictions.answer import Answer, Instrument
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.policy import ForecastPolicy
from backend.predictions.remarks import UrgentFinding

NOT_SENT = "not-sent"  # a historical forecast, or a site that takes no writes


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """One prediction, opened for somebody who may see the patient.

    `stale` when older than a stored answer is given again for; `reused` when asking
    for a forecast gave this stored one. `delivery` has a state per identifier.
    """

    id: UUID
    patient_id: UUID
    as_of: date
    created: datetime
    age_seconds: float
    stale: bool
    reused: bool
    historical: bool
    instruments: tuple[Instrument, ...]
    refused: Mapping[str, int]
    urgent_findings: tuple[UrgentFinding, ...]
    notices: tuple[str, ...]
    delivery: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class ForecastSummary:
    """A stored forecast in a list: what can be said without opening it."""

    id: UUID
    patient_id: UUID
    as_of: date
    created: datetime
    age_seconds: float
    stale: bool
    historical: bool


def stored_forecast(
    prediction: Prediction,
    answer: Answer,
    *,
    now: datetime,
    policy: ForecastPolicy,
    reused: bool = False,
) -> StoredForecast:
    """Row and answer together, seen at the time `now`."""
    return StoredForecast(
        **asdict(summary(prediction, now=now, policy=policy)),
        reused=reused,
        instruments=answer.instruments,
        refused=answer.remarks.refused,
        urgent_findings=answer.remarks.urgent_findings,
        notices=answer.remarks.notices,
        delivery=_delivery(answer),
    )


def summary(
    prediction: Prediction, *, now: datetime, policy: ForecastPolicy
) -> ForecastSummary:
    """The row alone, seen at the time `now`."""
    age = now - prediction.created
    return ForecastSummary(
        id=prediction.pk,
        patient_id=prediction.patient_id,
        as_of=prediction.as_of,
        created=prediction.created,
        age_seconds=age.total_seconds(),
        stale=age >= policy.fresh_for,
        historical=prediction.historical,
    )


def _delivery(answer: Answer) -> dict[UUID, str]:
    """States by identifier: an equal answer made before shares its delivery."""
    identifiers = [item.identifier for item in answer.instruments]
    known = dict(
        OutboxItem.objects.filter(pk__in=identifiers).values_list("pk", "state")
    )
    return {one: str(known.get(one, NOT_SENT)) for one in identifiers}
