"""How much there is of everything, for whoever watches; no patient in any of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q

from backend.predictions.models import Alert, OutboxItem, Prediction, PredictionModel

WINDOWS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class UseCount:
    """How many stored predictions a release contributed to, by WINDOWS."""

    model: str
    version: int
    channel: str
    predictions: dict[str, int]


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many answers of a service are stored, by WINDOWS; `by` models or without."""

    service: str
    by: str
    predictions: dict[str, int]


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """Deliveries by state, and the age of the oldest pending one; 0.0 without any."""

    states: dict[str, int]
    oldest_s: float


def use_counts(*, now: datetime) -> list[UseCount]:
    """Every release and channel that a prediction of the longest window used."""
    recent = PredictionModel.objects.filter(
        prediction__created__gte=now - max(WINDOWS.values())
    )
    counts = {
        f"in_{name}": Count("pk", filter=Q(prediction__created__gte=now - window))
        for name, window in WINDOWS.items()
    }
    rows = (
        recent.values("model", "version", "channel")
        .annotate(**counts)
        .order_by("model", "version", "channel")
        .values_list("model", "version", "channel", *counts)
    )
    return [
        UseCount(model, version, channel, dict(zip(WINDOWS, numbers, strict=True)))
        for model, version, channel, *numbers in rows
    ]


def answer_counts(*, now: datetime) -> list[AnswerCount]:
    """Every service with an answer in the longest window."""
    uses = PredictionModel.objects.filter(prediction=OuterRef("pk"))
    counts = {
        f"in_{name}": Count("pk", filter=Q(created__gte=now - window))
        for name, window in WINDOWS.items()
    }
    rows = (
        Prediction.objects.filter(created__gte=now - max(WINDOWS.values()))
        .annotate(by_models=Exists(uses))
        .values("service", "by_models")
        .annotate(**counts)
        .order_by("service", "by_models")
        .values_list("service", "by_models", *counts)
    )
    return [
        AnswerCount(
            service,
            "models" if by_models else "no model",
            dict(zip(WINDOWS, numbers, strict=True)),
        )
        for service, by_models, *numbers in rows
    ]


def outbox_count(*, now: datetime) -> OutboxCount:
    """The outbox as it stands."""
    rows = OutboxItem.objects.order_by().values_list("state").annotate(Count("pk"))
    states = dict.fromkeys(OutboxItem.State.values, 0) | dict(rows)
    pending = OutboxItem.objects.filter(state=OutboxItem.State.PENDING)
    oldest = pending.aggregate(oldest=Min("created"))["oldest"]
    return OutboxCount(states, (now - oldest).total_seconds() if oldest else 0.0)


def open_alerts() -> int:
    """Urgent findings that nobody has acknowledged yet."""
    return Alert.objects.filter(acknowledged_at=None).count()
