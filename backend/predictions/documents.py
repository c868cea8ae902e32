"""What a delivery says, by the service that made it, and how the EHR is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.people import access
from backend.people.models import Patient
from backend.predictions.answer import open_answer
from backend.predictions.correlation_answer import open_correlation
from backend.predictions.models import OutboxItem
from backend.predictions.treatment_answer import TreatmentAnswer, open_advice
from backend.twin.pharmacogenomics.response import Response
from backend.twin.ports import (
    CorrelationDocument,
    Ehr,
    ForecastDocument,
    Receipt,
    TreatmentDocument,
)

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


def _treatment(ehr: Ehr, item: OutboxItem, patient: Patient) -> Receipt:
    answer = open_advice(patient, item.prediction)
    told = answer.told[item.position]
    response = _response(answer, told.medication)
    return ehr.write_treatment(
        TreatmentDocument(
            identifier=item.pk,
            ehr_patient=access.ehr_id_of(patient),
            medication=told.medication,
            rxnorm=told.rxnorm,
            advice=answer.advice_on(told.medication),
            stops=answer.stops_of(told.medication),
            current_order=told.current_order,
            genotype_sources=told.sources,
            response=_shares(response) if response else None,
            models=answer.models if response else (),
            issued=item.prediction.created,
            results=told.results,
        )
    )


def _response(answer: TreatmentAnswer, medication: str) -> Response | None:
    """What the report tells of the model's answer: nothing where it is withheld."""
    words = answer.report.recommendations
    return next(one.response for one in words if one.medication == medication)


def _shares(response: Response) -> dict[str, object]:
    return {
        "efficacy": response.efficacy,
        "percentile": response.percentile,
        "confidence": response.confidence,
        "side_effects": {one.name: one.risk for one in response.side_effects},
    }


_SENDERS: Mapping[str, Sender] = {
    "forecast": _forecast,
    "correlation": _correlation,
    "pharmacogenomics": _treatment,
}
