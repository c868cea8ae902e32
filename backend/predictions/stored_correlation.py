"""A stored correlation as callers see it: the report, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from backend.predictions.correlation_answer import CorrelationAnswer
from backend.predictions.correlation_digests import Pair
from backend.predictions.models import Prediction
from backend.predictions.policy import CorrelationPolicy
from backend.predictions.remarks import UrgentFinding
from backend.predictions.stored import delivery_of, no_longer_standing, stale_reason
from backend.twin.correlation.report import CorrelationReport
from backend.twin.trajectory import ModelUse


@dataclass(frozen=True, slots=True)
class StoredCorrelation:
    """One correlation, opened for somebody who may see the patient.

    `stale`, `stale_reason`, `reused` and `no_longer_standing` as with a forecast.
    `models` are those whose answer it rests on, none where the classical engine
    answered alone. `identifiers` has one per insight, `delivery` a state for each.
    """

    id: UUID
    patient_id: UUID
    as_of: date
    created: datetime
    age_seconds: float
    stale: bool
    stale_reason: str
    reused: bool
    report: CorrelationReport
    models: tuple[ModelUse, ...]
    identifiers: Mapping[Pair, UUID]
    delivery: Mapping[UUID, str]
    refused: Mapping[str, int]
    urgent_findings: tuple[UrgentFinding, ...]
    notices: tuple[str, ...]
    no_longer_standing: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class CorrelationSummary:
    """A stored correlation in a list: what can be said without opening it."""

    id: UUID
    patient_id: UUID
    as_of: date
    created: datetime
    age_seconds: float
    stale: bool
    stale_reason: str


def stored_correlation(
    prediction: Prediction,
    answer: CorrelationAnswer,
    *,
    now: datetime,
    policy: CorrelationPolicy,
    reused: bool = False,
) -> StoredCorrelation:
    """Row and answer together, seen at the time `now`."""
    said = answer.remarks
    return StoredCorrelation(
        **asdict(correlation_summary(prediction, now=now, policy=policy)),
        reused=reused,
        report=answer.report,
        models=answer.models,
        identifiers=answer.identifiers,
        delivery=delivery_of(answer.identifiers.values()),
        refused=said.refused,
        urgent_findings=said.urgent_findings,
        notices=(*said.notices, *([answer.method] if answer.method else [])),
        no_longer_standing=no_longer_standing(prediction),
    )


def correlation_summary(
    prediction: Prediction, *, now: datetime, policy: CorrelationPolicy
) -> CorrelationSummary:
    """The row alone, seen at the time `now`."""
    age = now - prediction.created
    reason = stale_reason(prediction, outdated=age >= policy.fresh_for)
    return CorrelationSummary(
        id=prediction.pk,
        patient_id=prediction.patient_id,
        as_of=prediction.as_of,
        created=prediction.created,
        age_seconds=age.total_seconds(),
        stale=reason != "",
        stale_reason=reason,
    )
