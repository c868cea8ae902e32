"""Reads of stored forecasts, through the gate; they work while the EHR is down.

Forecasts of a patient who opted out, or whose record is restricted, are closed; those
of a patient who died, or whose record was merged, stay readable. Beside them is what is
known of models and names no patient: shadows, scores, drift.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people.access import Actor, open_patient
from backend.people.eligibility import PRIVATE
from backend.predictions.answer import open_answer
from backend.predictions.drift import drift
from backend.predictions.live_scores import live_scores
from backend.predictions.models import Prediction
from backend.predictions.policy import ForecastPolicy
from backend.predictions.shadow import shadow_summary
from backend.predictions.stored import (
    ForecastSummary,
    StoredForecast,
    stored_forecast,
    summary,
)
from backend.twin.errors import NotVisible

__all__ = [
    "drift",
    "get_forecast",
    "latest_forecast",
    "list_forecasts",
    "live_scores",
    "shadow_summary",
]


def list_forecasts(
    actor: Actor,
    patient_id: UUID,
    *,
    now: datetime,
    policy: ForecastPolicy,
    limit: int = 20,
) -> list[ForecastSummary]:
    """A patient's stored forecasts, newest first. Raises NotVisible, RecordClosed."""
    patient = open_patient(actor, patient_id, action=Action.LIST, unless=PRIVATE)
    rows = patient.predictions.filter(service="forecast").order_by("-created", "pk")
    return [summary(row, now=now, policy=policy) for row in rows[:limit]]


def get_forecast(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: ForecastPolicy
) -> StoredForecast:
    """One stored forecast with its age.

    Raises NotVisible when there is none of that id or its patient is not the actor's,
    RecordClosed when the patient opted out or is restricted,
    PatientErased when nobody can open it any more, SealBroken after tampering.
    """
    prediction = Prediction.objects.filter(pk=prediction_id).first()
    if prediction is None:
        ledger.record(action=Action.READ, actor=actor.name, outcome=Outcome.DENIED)
        raise NotVisible
    patient = open_patient(
        actor, prediction.patient_id, action=Action.READ, unless=PRIVATE
    )
    return stored_forecast(
        prediction, open_answer(patient, prediction), now=now, policy=policy
    )


def latest_forecast(
    actor: Actor, patient_id: UUID, *, now: datetime, policy: ForecastPolicy
) -> StoredForecast | None:
    """The patient's newest stored forecast, or None; raises as `get_forecast` does."""
    patient = open_patient(actor, patient_id, action=Action.READ, unless=PRIVATE)
    prediction = patient.predictions.order_by("-created", "pk").first()
    if prediction is None:
        return None
    return stored_forecast(
        prediction, open_answer(patient, prediction), now=now, policy=policy
    )
