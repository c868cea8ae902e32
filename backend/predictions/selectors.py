"""Reads of stored answers, through the gate; they work while the EHR is down.

Answers for a patient who opted out, or whose record is restricted, are closed; those
for one who died, or whose record was merged, stay readable. Beside them is what is
known of models and names no patient: shadows, scores, drift.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

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
    StoredForecast,
    Summary,
    stored_forecast,
    summary,
)
from backend.predictions.stored_advice import StoredAdvice, stored_advice
from backend.predictions.stored_correlation import (
    StoredCorrelation,
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

NEWEST = 20  # stored answers that a list has


def list_forecasts(
    actor: Actor,
    patient_id: UUID,
    *,
    now: datetime,
    policy: ForecastPolicy,
    limit: int = NEWEST,
) -> list[Summary]:
    """A patient's stored forecasts, newest first. Raises NotVisible, RecordClosed."""
    rows = _newest(actor, patient_id, service=SERVICE, limit=limit)
    return [summary(row, now=now, policy=policy) for row in rows]


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
    actor: Actor, patient_id: UUID, *, now: datetime, policy: CorrelationPolicy
) -> list[Summary]:
    """A patient's stored correlations, newest first; raises as `list_forecasts`."""
    rows = _newest(actor, patient_id, service=CORRELATION)
    return [summary(row, now=now, policy=policy) for row in rows]


def read_correlation(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: CorrelationPolicy
) -> StoredCorrelation:
    """One stored correlation with its age; raises as `get_forecast` does."""
    patient, prediction = _opened(actor, prediction_id, service=CORRELATION)
    return stored_correlation(
        prediction, open_correlation(patient, prediction), now=now, policy=policy
    )


def list_advice(
    actor: Actor, patient_id: UUID, *, now: datetime, policy: AdvicePolicy
) -> list[Summary]:
    """A patient's stored advice on medicines, newest first; as `list_forecasts`."""
    rows = _newest(actor, patient_id, service=PHARMACOGENOMICS)
    return [summary(row, now=now, policy=policy) for row in rows]


def read_advice(
    actor: Actor, prediction_id: UUID, *, now: datetime, policy: AdvicePolicy
) -> StoredAdvice:
    """Stored advice with its age; raises as `get_forecast` does."""
    patient, prediction = _opened(actor, prediction_id, service=PHARMACOGENOMICS)
    return stored_advice(
        prediction, open_advice(patient, prediction), now=now, policy=policy
    )


def _newest(
    actor: Actor, patient_id: UUID, *, service: str, limit: int = NEWEST
) -> QuerySet[Prediction]:
    """The patient's newest rows of this service, unopened, through the gate."""
    patient = open_patient(actor, patient_id, action=Action.LIST, unless=PRIVATE)
    rows = patient.predictions.filter(service=service).order_by("-created", "pk")
    return rows.defer("payload", "evidence")[:limit]


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
