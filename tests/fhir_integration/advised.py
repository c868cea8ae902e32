"""Advice on a medicine for the tests of this room, made by the engine itself."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from backend.twin.pharmacogenomics.advice import Advice, advise
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.drugs import find_drug
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.safety import Stop, stops
from backend.twin.ports import TreatmentDocument
from backend.twin.trajectory import ModelUse
from tests.fhir_integration.made import IDENTIFIER

MODEL = ModelUse("treatment_response", 1, "0a" * 32, "production", 1.0)
RESPONSE = {
    "efficacy": 0.5312,
    "percentile": 0.61,
    "confidence": 0.4,
    "side_effects": {"nausea": 0.21, "weight gain": None},
}
PERSON = Population(age_years=71)


@cache
def known(diplotype: str, taken: tuple[str, ...]) -> tuple[GeneResult, ...]:
    calls = (Call("CYP2C19", diplotype), Call("CYP2D6", "*1/*1"))
    asked = gene_results(calls)
    return adjusted([one for one in asked if one.gene in _GENES], taken)


_GENES = ("CYP2C19", "CYP2D6")


def treatment(
    medication: str = "citalopram",
    *,
    diplotype: str = "*2/*2",
    taken: tuple[str, ...] = ("citalopram",),
    **changes: Any,
) -> TreatmentDocument:
    """What is said of citalopram for somebody of 71 who takes it as a poor metabolizer.

    Changes go to the document.
    """
    results = known(diplotype, taken)
    drug = find_drug(medication)
    parts: dict[str, Any] = {
        "identifier": IDENTIFIER,
        "ehr_patient": "p1",
        "medication": medication,
        "rxnorm": drug.rxnorm_ingredient if drug else "",
        "advice": advise(medication, results, PERSON),
        "stops": stops(
            medication,
            genotype=results,
            population=PERSON,
            conditions={},
            current=taken,
        ),
        "current_order": "MedicationRequest/m1/_history/2",
        "genotype_sources": ("Observation/g1/_history/1", "Observation/g2"),
        "response": RESPONSE,
        "models": (MODEL,),
        "issued": datetime(2026, 2, 28, 4, 12, 33, 120_000, tzinfo=UTC),
        "results": results,
    }
    return TreatmentDocument(**{**parts, **changes})


def line(**changes: Any) -> Advice:
    """One source's advice to reduce the dose, cut down to what a test looks at."""
    parts: dict[str, Any] = {
        "medication": "citalopram",
        "source": "DPWG",
        "population": "general",
        "action": "reduced_dosing",
        "dose_change": True,
        "alternate_drug": False,
        "classification": "N/A",
        "genes": {"CYP2C19": "Poor Metabolizer"},
        "guideline": "PA1",
        "guideline_version": "2018-11",
        "rationale": "Less is broken down.",
    }
    return Advice(**{**parts, **changes})


def heeded(**changes: Any) -> Stop:
    """One hard stop."""
    parts: dict[str, Any] = {
        "drug": "citalopram",
        "code": "a-code",
        "severity": "stop",
        "text": "Do not give.",
        "needs": (),
        "source": "a label",
    }
    return Stop(**{**parts, **changes})
