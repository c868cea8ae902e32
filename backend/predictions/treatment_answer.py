"""The sealed part of advice on medicines: its report, models and what the EHR gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from backend.people.models import Patient
from backend.predictions.models import Prediction
from backend.predictions.payload import open_payload, seal_payload, where_it_opens
from backend.predictions.remarks import Remarks, remarks_of
from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.gene_result import GeneResult, Warned
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.report import Report
from backend.twin.pharmacogenomics.report_json import from_dict, to_dict
from backend.twin.pharmacogenomics.response_inputs import Person
from backend.twin.pharmacogenomics.safety import Stop
from backend.twin.trajectory import ModelUse


@dataclass(frozen=True, slots=True)
class Told:
    """What the EHR gets of one medicine, beside the report's words on it.

    `rxnorm`, `current_order`, `sources` and `results` as in `TreatmentDocument`.
    """

    identifier: UUID
    medication: str
    rxnorm: str
    current_order: str | None
    sources: tuple[str, ...]
    results: tuple[GeneResult, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: medicines as they were named, () for the usual ones, and what
    the clinician said of the patient, for the rules and for the response model.
    """

    medications: tuple[str, ...]
    given: Population
    person: Person


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The tables that were used: a digest over all, versions by source and gene."""

    digest: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TreatmentAnswer:
    """One patient's advice, and what else the record says.

    `models` are those that answered. `method` is a sentence on why none did, where one
    could have. `current`: the medicines that were counted as taken, None where nobody
    knows. `told`: what the EHR gets; `kept`: medicines in conflict with an order that
    it cannot be told of.
    """

    report: Report
    asked: Asked
    current: tuple[str, ...] | None
    models: tuple[ModelUse, ...]
    method: str
    knowledge: Knowledge
    told: tuple[Told, ...]
    kept: tuple[str, ...]
    remarks: Remarks

    def advice_on(self, medication: str) -> tuple[Advice, ...]:
        """What the sources say of one of the medicines."""
        return tuple(m for m in self.report.advice if m.medication == medication)

    def stops_of(self, medication: str) -> tuple[Stop, ...]:
        """What is to be heeded of one of the medicines."""
        return tuple(one for one in self.report.stops if one.drug == medication)


def seal_advice(
    patient: Patient, prediction_id: UUID, answer: TreatmentAnswer
) -> bytes:
    """The answer as JSON, encrypted for this patient and this row."""
    given, person = answer.asked.given, answer.asked.person
    return seal_payload(
        patient,
        prediction_id,
        {
            "report": to_dict(answer.report),
            "medications": answer.asked.medications,
            "given": {  # by name: `asdict` copies no read-only mapping
                "age_years": given.age_years,
                "prior_use": dict(given.prior_use),
                "alternatives_available": given.alternatives_available,
                "pregnant": given.pregnant,
                "child_bearing_potential": given.child_bearing_potential,
            },
            "person": {
                "age_years": person.age_years,
                "female": person.female,
                "severity": person.severity,
                "episode_months": person.episode_months,
                "failures": person.failures,
                "conditions": dict(person.conditions),
                "trials": None if person.trials is None else dict(person.trials),
            },
            "current": answer.current,
            "models": [asdict(use) for use in answer.models],
            "method": answer.method,
            "tables": answer.knowledge.digest,
            "versions": dict(answer.knowledge.versions),
            "told": [asdict(one) for one in answer.told],
            "kept": answer.kept,
            **asdict(answer.remarks),
        },
    )


def open_advice(patient: Patient, prediction: Prediction) -> TreatmentAnswer:
    """What `seal_advice` sealed; raises as `payload.open_payload` does."""
    data = open_payload(patient, prediction)
    current = data["current"]
    return TreatmentAnswer(
        report=from_dict(data["report"]),
        asked=Asked(
            tuple(data["medications"]),
            Population(**data["given"]),
            Person(**data["person"]),
        ),
        current=None if current is None else tuple(current),
        models=tuple(ModelUse(**use) for use in data["models"]),
        method=data["method"],
        knowledge=Knowledge(data["tables"], data["versions"]),
        told=tuple(map(_told, data["told"])),
        kept=tuple(data["kept"]),
        remarks=remarks_of(data),
    )


def openable_advice(patient: Patient, prediction: Prediction) -> TreatmentAnswer | None:
    """The same, or None where it does not open."""
    return where_it_opens(open_advice, patient, prediction)


def _told(row: Mapping[str, Any]) -> Told:
    return Told(
        identifier=UUID(row["identifier"]),
        medication=row["medication"],
        rxnorm=row["rxnorm"],
        current_order=row["current_order"],
        sources=tuple(row["sources"]),
        results=tuple(map(_result, row["results"])),
    )


def _result(row: Mapping[str, Any]) -> GeneResult:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in row.items()
    }
    plain["warnings"] = tuple(Warned(**one) for one in row["warnings"])
    return GeneResult(**plain)
