"""The sealed part of a correlation: its report, models, identifiers and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

from backend.people.models import Patient
from backend.predictions.correlation_digests import Pair
from backend.predictions.models import Prediction
from backend.predictions.payload import open_payload, seal_payload, where_it_opens
from backend.predictions.remarks import Remarks, remarks_of
from backend.twin.correlation.correlation_json import from_dict, to_dict
from backend.twin.correlation.report import CorrelationReport
from backend.twin.trajectory import ModelUse


@dataclass(frozen=True, slots=True)
class CorrelationAnswer:
    """One patient's correlations, and what else the record says.

    `models` are those that answered. `method` is a sentence on who answered, where it
    was not the network, else empty. `identifiers` are in the order of the insights;
    `sources` has the EHR's references of each symptom's reports, oldest first.
    """

    report: CorrelationReport
    models: tuple[ModelUse, ...]
    method: str
    identifiers: Mapping[Pair, UUID]
    sources: Mapping[str, tuple[str, ...]]
    remarks: Remarks


def links_to_deliver(answer: CorrelationAnswer) -> dict[UUID, int]:
    """Identifier and position of each insight: links without words go nowhere."""
    return {one: position for position, one in enumerate(answer.identifiers.values())}


def seal_correlation(
    patient: Patient, prediction_id: UUID, answer: CorrelationAnswer
) -> bytes:
    """The answer as JSON, encrypted for this patient and this row."""
    return seal_payload(
        patient,
        prediction_id,
        {
            "report": to_dict(answer.report),
            "models": [asdict(use) for use in answer.models],
            "method": answer.method,
            "identifiers": [[*pair, one] for pair, one in answer.identifiers.items()],
            "sources": dict(answer.sources),
            **asdict(answer.remarks),
        },
    )


def open_correlation(patient: Patient, prediction: Prediction) -> CorrelationAnswer:
    """What `seal_correlation` sealed; raises as `payload.open_payload` does."""
    data = open_payload(patient, prediction)
    return CorrelationAnswer(
        report=from_dict(data["report"]),
        models=tuple(ModelUse(**use) for use in data["models"]),
        method=data["method"],
        identifiers={(b, s): UUID(one) for b, s, one in data["identifiers"]},
        sources={name: tuple(found) for name, found in data["sources"].items()},
        remarks=remarks_of(data),
    )


def openable_correlation(
    patient: Patient, prediction: Prediction
) -> CorrelationAnswer | None:
    """The same, or None where it does not open."""
    return where_it_opens(open_correlation, patient, prediction)
