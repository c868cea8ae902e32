"""What a delivery says, by the service that made it, and how the EHR is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.people import access
from backend.people.models import Patient
from backend.predictions.answer import open_answer
from backend.predictions.correlation_answer import open_correlation
from backend.predictions.models import OutboxItem
from backend.twin.ports import CorrelationDocument, Ehr, ForecastDocument, Receipt

Sender = Callable[[Ehr, OutboxItem, Patient], Receipt]


def send(ehr: Ehr, item: OutboxItem, patient: Patient) -> Receipt:
    """Write the item's part of its answer; raises what the EHR raises, SealBroken."""
    return _SENDERS[item.prediction.service](ehr, item, patient)


def _forecast(ehr: Ehr, item: OutboxItem, patient: Patient) -> Receipt:
    answer = open_answer(patient, item.prediction)
    return ehr.write_forecast(
        ForecastDocument(
            identifier=item.pk,
            ehr_patient=access.ehr_id_of(patient),
            forecast=answer.instruments[item.position].forecast,
            issued=item.prediction.created,
        )
    )


def _correlation(ehr: Ehr, item: OutboxItem, patient: Patient) -> Receipt:
    answer = open_correlation(patient, item.prediction)
    insight = answer.report.insights[item.position]
    return ehr.write_correlation(
        CorrelationDocument(
            identifier=item.pk,
            ehr_patient=access.ehr_id_of(patient),
            insight=insight,
            models=answer.models,
            sources=answer.sources[insight.link.symptom],
            clock=answer.report.clock,
            issued=item.prediction.created,
        )
    )


_SENDERS: Mapping[str, Sender] = {"forecast": _forecast, "correlation": _correlation}
