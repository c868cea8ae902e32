"""Records with genes, medicines, conditions and laboratory values; a response model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from backend.registry.services import register
from backend.twin.errors import ModelError, ModelUnavailable
from backend.twin.genes import GeneCall
from backend.twin.history import (
    Certainty,
    ClinicalState,
    CourseState,
    Diagnosis,
    MedicationChange,
    MedicationEvent,
)
from backend.twin.lab_facts import LabFact
from backend.twin.person import Person
from backend.twin.pharmacogenomics.response_inputs import ANSWER, MODEL, schema_hash
from backend.twin.record import PatientRecord
from tests.predictions.fakes import LAST_DAY, Version

GENE, OTHER_GENE = "Observation/g-2c19/_history/1", "Observation/g-2d6/_history/1"
BORN = date(1984, 5, 1)
PERSON = Person(born_first=BORN, born_last=BORN, sex="female")


def call(gene: str, diplotype: str, source: str, **changes: object) -> GeneCall:
    made = GeneCall(gene, diplotype, "", None, date(2020, 1, 2), source)
    return replace(made, **changes)


def order(
    ingredient: str,
    *,
    days_ago: int = 60,
    state: CourseState = CourseState.ACTIVE,
    kind: str = "MedicationRequest",
    change: MedicationChange = MedicationChange.START,
) -> MedicationEvent:
    return MedicationEvent(
        ingredients=(ingredient,),
        code="1",
        change=change,
        day=LAST_DAY - timedelta(days=days_ago),
        at="",
        dose=None,
        source=f"{kind}/{ingredient}/_history/1",
        state=state,
    )


def condition(concept: str, certainty: Certainty = Certainty.CONFIRMED) -> Diagnosis:
    return Diagnosis(
        concept=concept,
        system="http://snomed.info/sct",
        code="1",
        state=ClinicalState.ACTIVE,
        certainty=certainty,
        onset=None,
        resolved=None,
        source=f"Condition/{concept}/_history/1",
    )


def filtration(rate: float, days_ago: int = 20) -> LabFact:
    day = LAST_DAY - timedelta(days=days_ago)
    unit = "mL/min/{1.73_m2}"
    return LabFact("egfr", rate, unit, day, "33914-3", f"Observation/egfr-{days_ago}")


def slow(**changes: object) -> PatientRecord:
    """CYP2C19 poor, CYP2D6 normal; takes citalopram, as an order says."""
    made = PatientRecord(
        series=(),
        genotypes=(call("CYP2C19", "*2/*2", GENE), call("CYP2D6", "*1/*1", OTHER_GENE)),
        medications=(order("citalopram"),),
        diagnoses=(condition("depression"),),
        lab_facts=(filtration(95.0),),
    )
    return replace(made, **changes)


class Responder:
    """Answers each medicine alike: shares by name, or what it `says` instead."""

    def __init__(self, says: ModelError | np.ndarray | None = None, **shares: float):
        self.says, self.asked = says, 0
        usual = {"efficacy": 0.5, "percentile": 0.5, "confidence": 0.9}
        self.row = [{**usual, **shares}.get(name, 0.1) for name in ANSWER]

    def infer(
        self,
        model: str,
        version: int,
        inputs: Mapping[str, np.ndarray],
        *,
        timeout_s: float,
    ) -> dict[str, np.ndarray]:
        assert model == MODEL and timeout_s > 0
        self.asked += 1
        if isinstance(self.says, ModelError):
            raise self.says
        if self.says is not None:
            return {"responses": self.says}
        rows = len(inputs["drug"])
        return {"responses": np.tile(np.float32(self.row), (rows, 1))}

    def canary(self, model: str, version: int) -> None:
        raise AssertionError("nobody asks for it here")


GONE = ModelUnavailable("gone")


def publish(version: int = 1, **card: object) -> None:
    """A response model in production."""
    known = {"feature_schema_hash": schema_hash(), **card}
    made = Version(MODEL, version, f"{version}d" * 32, known)
    register(actor="system:test", versions=[made])
