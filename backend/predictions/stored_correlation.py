"""A stored correlation as callers see it: the report, its age, its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from backend.predictions.remarks import UrgentFinding
from backend.twin.correlation.report import CorrelationReport
from backend.twin.trajectory import ModelUse

Pair = tuple[str, str]  # names of a biometric and of a symptom


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
