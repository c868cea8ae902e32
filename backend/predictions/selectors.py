"""Reads of stored answers, through the gate; they work while the EHR is down.

Answers for a patient who opted out, or whose record is restricted, are closed; those
for one who died, or whose record was merged, stay readable. Beside them is what is
known of models and names no patient: shadows, scores, drift.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people.access import Actor, open_patient
from backend.people.eligibility import PRIVATE
from backend.people.models import Patient
from backend.predictions.answer import open_answer
from backend.predictions.correlation import SERVICE as CORRELATION
from backend.predictions.correlation_answer import open_correlation
from backend.predictions.drift import drift
from backend.predictions.live_scores import live_scores
from backend.predictions.models import Prediction
from backend.predictions.pharmacogenomics import SERVICE as PHARMACOGENOMICS
from backend.predictions.policy import (
    AdvicePolicy,
    CorrelationPolicy,
    ForecastPolicy,
)
from backend.predictions.services import SERVICE
from backend.predictions.shadow import shadow_summary
from backend.predictions.stored import (
    ForecastSummary,
    StoredForecast,
    stored_forecast,
    summary,
)
from backend.predictions.stored_advice import (
    AdviceSummary,
    StoredAdvice,
    advice_summary,
    stored_advice,
)
from backend.predictions.stored_correlation import (
    CorrelationSummary,
    StoredCorrelation,
    correlation_summary,
    stored_correlation,
)
from backend.predictions.treatment_answer import open_advice
from backend.twin.errors import NotVisible

__all__ = [
    "drift",
    "get_forecast",
    "latest_forecast",
    "list_advice",
    "list_correlations",
    "list_forecasts",
    "live_scores",
    "read_advice",
    "read_correlation",
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
    rows = patient.predictions.filter(service=SERVICE).order_by("-created", "pk")
    return [summary(row, now=now, policy=policy) for row in rows[:limit]]


def get_forecast(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: ForecastPolicy
) -> StoredForecast:
    """One stored forecast with its age.

    Raises NotVisible when there is none of that id or its patient is not the actor's,
    RecordClosed when the patient opted out or is restricted,
    PatientErased when nobody can open it any more, SealBroken after tampering.
    """
    patient, prediction = _opened(actor, prediction_id, service=SERVICE)
    return stored_forecast(
        prediction, open_answer(patient, prediction), now=now, policy=policy
    )


def latest_forecast(
    actor: Actor, patient_id: UUID, *, now: datetime, policy: ForecastPolicy
) -> StoredForecast | None:
    """The patient's newest stored forecast, or None; raises as `get_forecast` does."""
    patient = open_patient(actor, patient_id, action=Action.READ, unless=PRIVATE)
    made = patient.predictions.filter(service=SERVICE)
    prediction = made.order_by("-created", "pk").first()
    if prediction is None:
        return None
    return stored_forecast(
        prediction, open_answer(patient, prediction), now=now, policy=policy
    )


def list_correlations(
    actor: Actor,
    patient_id: UUID,
    *,
    now: datetime,
    policy: CorrelationPolicy,
    limit: int = 20,
) -> list[CorrelationSummary]:
    """A patient's stored correlations, newest first; raises as `list_forecasts`."""
    patient = open_patient(actor, patient_id, action=Action.LIST, unless=PRIVATE)
    rows = patient.predictions.filter(service=CORRELATION).order_by("-created", "pk")
    return [
        correlation_summary(row, now=now, policy=policy)
        for row in rows.defer("payload", "evidence")[:limit]
    ]


def read_correlation(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: CorrelationPolicy
) -> StoredCorrelation:
    """One stored correlation with its age; raises as `get_forecast` does."""
    patient, prediction = _opened(actor, prediction_id, service=CORRELATION)
    return stored_correlation(
        prediction, open_correlation(patient, prediction), now=now, policy=policy
    )


def list_advice(
    actor: Actor,
    patient_id: UUID,
    *,
    now: datetime,
    policy: AdvicePolicy,
    limit: int = 20,
) -> list[AdviceSummary]:
    """A patient's stored advice on medicines, newest first; as `list_forecasts`."""
    patient = open_patient(actor, patient_id, action=Action.LIST, unless=PRIVATE)
    rows = patient.predictions.filter(service=PHARMACOGENOMICS)
    return [
        advice_summary(row, now=now, policy=policy)
        for row in rows.order_by("-created", "pk").defer("payload", "evidence")[:limit]
    ]


def read_advice(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: AdvicePolicy
) -> StoredAdvice:
    """Stored advice with its age; raises as `get_forecast` does."""
    patient, prediction = _opened(actor, prediction_id, service=PHARMACOGENOMICS)
    return stored_advice(
        prediction, open_advice(patient, prediction), now=now, policy=policy
    )


def _opened(
    actor: Actor, prediction_id: UUID, *, service: str
) -> tuple[Patient, Prediction]:
    """The stored row of this service, through the gate; NotVisible where is none."""
    prediction = Prediction.objects.filter(pk=prediction_id, service=service).first()
    if prediction is None:
        ledger.record(action=Action.READ, actor=actor.name, outcome=Outcome.DENIED)
        raise NotVisible
    patient = open_patient(
        actor, prediction.patient_id, action=Action.READ, unless=PRIVATE
    )
    return patient, prediction
