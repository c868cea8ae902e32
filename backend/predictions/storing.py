"""Storing an answer: the same for every service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from uuid import UUID

from django.db import transaction

from backend.predictions import outbox
from backend.predictions.models import Prediction, PredictionModel
from backend.twin.trajectory import ModelUse


def store(
    prediction: Prediction, uses: Iterable[ModelUse], deliveries: Mapping[UUID, int]
) -> None:
    """Prediction, models and deliveries in one transaction: all of it or nothing."""
    with transaction.atomic():
        prediction.save(force_insert=True)
        PredictionModel.objects.bulk_create(
            PredictionModel(prediction=prediction, **asdict(use)) for use in uses
        )
        outbox.enqueue(prediction.patient, prediction, deliveries)
