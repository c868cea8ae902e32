"""What the twin asks of the world: an EHR to read and write, a server of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import numpy as np

from backend.twin.correlation.insights import Insight
from backend.twin.person import Person
from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.safety import Stop
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class ForecastDocument:
    """A forecast on its way to the EHR; `identifier` makes the write idempotent."""

    identifier: UUID
    ehr_patient: str
    forecast: Forecast
    issued: datetime


@dataclass(frozen=True, slots=True)
class CorrelationDocument:
    """One link in words on its way to the EHR; `identifier` as with a forecast.

    `models`: those whose answer it rests on; empty where the classical engine answered
    alone. `sources`: the EHR's references of the symptom reports, oldest first.
    `clock`: whose clock the link's times are of.
    """

    identifier: UUID
    ehr_patient: str
    insight: Insight
    models: tuple[ModelUse, ...]
    sources: tuple[str, ...]
    clock: str
    issued: datetime


@dataclass(frozen=True, slots=True)
class TreatmentDocument:
    """What is said of one medicine for one person's genes, on its way to the EHR.

    `identifier` as with a forecast. `rxnorm`: the ingredient's code, empty where none
    is known. `current_order`: the EHR's reference of an order or statement of this
    medicine that is current, None where it is not being taken; with it, advice and
    stops that restrict become an issue. `genotype_sources`: the EHR's references of the
    results that all this rests on, at least one. `response`: shares (0 to 1) by name,
    or by name and name within, as a response model with its `models` estimates them;
    None without one. `results`: the genes' results behind the advice.
    """

    identifier: UUID
    ehr_patient: str
    medication: str
    rxnorm: str
    advice: tuple[Advice, ...]
    stops: tuple[Stop, ...]
    current_order: str | None
    genotype_sources: tuple[str, ...]
    response: Mapping[str, object] | None
    models: tuple[ModelUse, ...]
    issued: datetime
    results: tuple[GeneResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the EHR keeps of a document: our references to it, read back and equal.

    `others`: what else belongs to the same document, such as tasks and an issue.
    """

    observation: str
    device: str
    provenance: str
    created: bool
    others: tuple[str, ...] = ()


class Ehr(Protocol):
    """One site's EHR. Raises only `EhrError` and its children."""

    def read_symptoms(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """The symptom entries with since <= day <= until, and what was refused.

        With the orders of medicines that tell how the treatment changed up to `until`.
        `also` are the EHR's ids of records that it merged into this patient's.
        """

    def read_signals(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """The symptom entries and the wearable streams of the days; no medicines.

        `since`, `until` and `also` as with `read_symptoms`.
        """

    def read_treatment(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """What advice on medicines rests on: genes, medicines, conditions, lab facts.

        Genes and conditions of all times up to `until`; medicines that may be taken
        still, whenever ordered, and all of the days from `since` on; laboratory facts
        of these days. No symptoms. `also` as with `read_symptoms`.
        """

    def read_person(self, ehr_patient: str, *, on: date) -> Person:
        """Who the patient is; whether a consent in force that day denies the use.

        Raises EhrNotFound where the EHR has no such patient, or no longer.
        """

    def write_forecast(self, document: ForecastDocument) -> Receipt:
        """Write once, however often it is called; read back and compare."""

    def write_correlation(self, document: CorrelationDocument) -> Receipt:
        """Write once, however often it is called; read back and compare."""

    def write_treatment(self, document: TreatmentDocument) -> Receipt:
        """Write once, however often it is called; read back and compare."""


class ModelServer(Protocol):
    """Serves pinned model versions. Raises only `ModelError` and its children."""

    def infer(
        self, model: str, version: int, inputs: Arrays, *, timeout_s: float
    ) -> dict[str, np.ndarray]:
        """Named arrays in, first axis is the batch; named arrays out."""

    def canary(self, model: str, version: int) -> None:
        """Run the version's golden case; raise unless the answer is the known one."""
