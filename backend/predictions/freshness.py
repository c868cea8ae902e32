"""When a stored answer is given again instead of asking the models."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from backend.predictions.answer import Answer, openable
from backend.predictions.correlation_answer import (
    CorrelationAnswer,
    openable_correlation,
)
from backend.predictions.correlation_evidence import LookedAt
from backend.predictions.models import Prediction
from backend.predictions.policy import (
    AdvicePolicy,
    CorrelationPolicy,
    ForecastPolicy,
    ServicePolicy,
)
from backend.predictions.remarks import Remarks
from backend.predictions.treatment_answer import (
    Asked,
    TreatmentAnswer,
    openable_advice,
)


def find_fresh(
    draft: Prediction,
    *,
    historical: tuple[bool, ...],
    remarks: Remarks,
    policy: ForecastPolicy,
) -> tuple[Prediction, Answer] | None:
    """The newest stored answer that `draft` would repeat, or None.

    Equal are patient, record (medicines too), approved models and all that was fitted
    around them, and what depends on the day or on what could not be read: the mark
    "historical" of each instrument and all remarks. An answer made for another day than
    the draft's or the day before is not given again: its grade counts the days since
    the last entry. Nor is one that rests on an entry which was taken back since, or
    that was made before there were early warnings, or that does not open.
    """
    days = (draft.as_of - timedelta(days=1), draft.as_of)
    prediction = _equal(draft, policy).filter(as_of__range=days).first()
    answer = openable(draft.patient, prediction) if prediction else None
    if prediction is None or answer is None:
        return None
    stored = tuple(item.forecast.historical for item in answer.instruments)
    if stored != historical or answer.remarks != remarks:
        return None
    if any(item.forecast.warning is None for item in answer.instruments):
        return None
    return prediction, answer


def fresh_correlation(
    draft: Prediction, looked: LookedAt, *, policy: CorrelationPolicy
) -> tuple[Prediction, CorrelationAnswer] | None:
    """The newest stored correlation that `draft` would repeat, or None.

    As with forecasts; but the very day and the very window must be equal.
    """
    window = looked.found.window
    for prediction in _equal(draft, policy).filter(as_of=draft.as_of):
        answer = openable_correlation(draft.patient, prediction)
        if (
            answer is not None
            and answer.report.window == (window.reports_from, window.until)
            and answer.remarks == looked.remarks
        ):
            return prediction, answer
    return None


def fresh_advice(
    draft: Prediction, asked: Asked, remarks: Remarks, *, policy: AdvicePolicy
) -> tuple[Prediction, TreatmentAnswer] | None:
    """The newest stored advice that `draft` would repeat, or None.

    As with correlations; what was asked, and what the clinician said, must be equal.
    """
    for prediction in _equal(draft, policy).filter(as_of=draft.as_of):
        answer = openable_advice(draft.patient, prediction)
        if answer is not None and (answer.asked, answer.remarks) == (asked, remarks):
            return prediction, answer
    return None


def _equal(draft: Prediction, policy: ServicePolicy) -> QuerySet[Prediction]:
    """Fresh rows of an equal record and equal models that still stand, newest first."""
    return Prediction.objects.filter(
        patient=draft.patient,
        service=draft.service,
        record_digest=draft.record_digest,
        models_digest=draft.models_digest,
        created__gt=draft.created - policy.fresh_for,
        created__lte=draft.created,
        stale_since=None,
    ).order_by("-created")
