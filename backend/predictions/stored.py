"""A stored forecast as callers see it: the answer, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from backend.predictions.answer import Answer, Instrument
from backend.predictions.models import OutboxItem, Prediction, StaleReason
from backend.predictions.policy import ServicePolicy
from backend.predictions.remarks import UrgentFinding
from backend.predictions.taken_back import records_of

NOT_SENT = "not-sent"  # a historical forecast, or a site that takes no writes
OUTDATED = "older than it is given again for"
UNAVAILABLE = "models-unavailable"  # given because nothing newer could be made
STALE_REASONS = (OUTDATED, UNAVAILABLE, *map(str, StaleReason.labels))


@dataclass(frozen=True, slots=True)
class Summary:
    """A stored answer of any service in a list: what can be said without opening it.

    `stale` when older than a stored answer is given again for, when an entry that it
    used was taken back, or when it stands in for one that no model could make;
    `stale_reason` says which, and is empty while it is fresh. `historical`: it is of a
    day that is over, which no correlation says of itself.
    """

    id: UUID
    patient_id: UUID
    as_of: date
    created: datetime
    age_seconds: float
    stale: bool
    stale_reason: str
    historical: bool


@dataclass(frozen=True, slots=True)
class StoredForecast(Summary):
    """One prediction, opened for somebody who may see the patient.

    `reused` when asking for a forecast gave this stored one. `delivery` has a state per
    identifier. `no_longer_standing` are identifiers of the patient's forecasts, this
    one or others, that the EHR got before an entry they used was taken back: it still
    shows them, since nothing here withdraws what was written. Forecasts of records that
    were merged into the patient's are among them.
    """

    reused: bool
    instruments: tuple[Instrument, ...]
    refused: Mapping[str, int]
    urgent_findings: tuple[UrgentFinding, ...]
    notices: tuple[str, ...]
    delivery: Mapping[UUID, str]
    no_longer_standing: tuple[UUID, ...]


def stored_forecast(
    prediction: Prediction,
    answer: Answer,
    *,
    now: datetime,
    policy: ServicePolicy,
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
        delivery=delivery_of(item.identifier for item in answer.instruments),
        no_longer_standing=no_longer_standing(prediction),
    )


def summary(prediction: Prediction, *, now: datetime, policy: ServicePolicy) -> Summary:
    """The row alone, seen at the time `now`."""
    age = now - prediction.created
    reason = stale_reason(prediction, outdated=age >= policy.fresh_for)
    return Summary(
        id=prediction.pk,
        patient_id=prediction.patient_id,
        as_of=prediction.as_of,
        created=prediction.created,
        age_seconds=age.total_seconds(),
        stale=reason != "",
        stale_reason=reason,
        historical=prediction.historical,
    )


def stale_reason(prediction: Prediction, *, outdated: bool) -> str:
    """Why it is stale, else an empty text.

    The graver reason first: age says nothing against what an answer rests on.
    """
    if prediction.stale_reason:
        return str(StaleReason(prediction.stale_reason).label)
    return OUTDATED if outdated else ""


def no_longer_standing(prediction: Prediction) -> tuple[UUID, ...]:
    """What the patient's EHR got of us and rests on an entry that was taken back."""
    items = OutboxItem.objects.filter(
        patient__in=records_of(prediction.patient),
        state=OutboxItem.State.DELIVERED,
        stands=False,
    )
    return tuple(items.order_by("created", "pk").values_list("pk", flat=True))


def delivery_of(identifiers: Iterable[UUID]) -> dict[UUID, str]:
    """States by identifier: an equal answer made before shares its delivery."""
    wanted = list(identifiers)
    known = dict(OutboxItem.objects.filter(pk__in=wanted).values_list("pk", "state"))
    return {one: str(known.get(one, NOT_SENT)) for one in wanted}
