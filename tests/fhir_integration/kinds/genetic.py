"""Genetic results for the tests, made by hand."""

from __future__ import annotations

from typing import Any

from backend.twin.genes import GeneCall
from backend.twin.record import Reason
from fhir_integration.kinds.genotype import read_genotype
from fhir_integration.kinds.refused import Refused
from fhir_integration.subject import Subject

LOINC = "http://loinc.org"
HGNC = "http://www.genenames.org/geneId"
PHARMVAR = "https://www.pharmvar.org"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene"
TBD = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
SUBJECT = Subject.at("", "p1")


def coded(code: Any, system: str = LOINC, display: str | None = None) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [coding if display is None else {**coding, "display": display}]}


def component(code: str, concept: Any, system: str = LOINC) -> dict[str, Any]:
    return {"code": coded(code, system), "valueCodeableConcept": concept}


def gene(code: str, display: str | None = None, system: str = HGNC) -> dict[str, Any]:
    return component("48018-6", coded(code, system, display))


def genotype(**changes: Any) -> dict[str, Any]:
    """CYP2C19 *1/*17 without a date; a change to None takes the element away."""
    resource = {
        "resourceType": "Observation",
        "id": "g1",
        "status": "final",
        "code": coded("84413-4"),
        "subject": {"reference": "Patient/p1"},
        "valueCodeableConcept": coded("CYP2C19 *1/*17", PHARMVAR),
        "component": [gene("HGNC:2621", "CYP2C19")],
        **changes,
    }
    return {key: value for key, value in resource.items() if value is not None}


def call(symbol: str = "CYP2C19", diplotype: str = "", **parts: Any) -> GeneCall:
    said = {"phenotype": "", "activity": None, "day": None, "source": "S", **parts}
    return GeneCall(symbol, diplotype, **said)


def read(**changes: Any) -> tuple[GeneCall | Refused, ...]:
    return read_genotype(genotype(**changes), subject=SUBJECT, source="S")


def refused(reason: Reason) -> tuple[Refused]:
    return (Refused(reason),)
