"""A stored correlation as callers see it: the report, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from backend.predictions.correlation_answer import CorrelationAnswer
from backend.predictions.correlation_digests import Pair
from backend.predictions.models import Prediction
from backend.predictions.policy import ServicePolicy
from backend.predictions.remarks import UrgentFinding
from backend.predictions.stored import Summary, delivery_of, no_longer_standing, summary
from backend.twin.correlation.report import CorrelationReport
from backend.twin.trajectory import ModelUse


@dataclass(frozen=True, slots=True)
class StoredCorrelation(Summary):
    """One correlation, opened for somebody who may see the patient.

    `reused` and `no_longer_standing` as with a forecast.
    `models` are those whose answer it rests on, none where the classical engine
    answered alone. `identifiers` has one per insight, `delivery` a state for each.
    """

    reused: bool
    report: CorrelationReport
    models: tuple[ModelUse, ...]
    identifiers: Mapping[Pair, UUID]
    delivery: Mapping[UUID, str]
    refused: Mapping[str, int]
    urgent_findings: tuple[UrgentFinding, ...]
    notices: tuple[str, ...]
    no_longer_standing: tuple[UUID, ...]


def stored_correlation(
    prediction: Prediction,
    answer: CorrelationAnswer,
    *,
    now: datetime,
    policy: ServicePolicy,
    reused: bool = False,
) -> StoredCorrelation:
    """Row and answer together, seen at the time `now`."""
    said = answer.remarks
    return StoredCorrelation(
        **asdict(summary(prediction, now=now, policy=policy)),
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
