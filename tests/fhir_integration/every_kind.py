"""One resource of each kind that is read, all of one patient."""

from __future__ import annotations

from typing import Any

from fhir_integration.codes import LOINC, UCUM
from tests.fhir_integration.kinds.body import signal
from tests.fhir_integration.made import Json, observation, safety

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SERTRALINE = {"coding": [{"system": RXNORM, "code": "36437"}]}
P1 = {"reference": "Patient/p1"}


def resource(kind: str, own_id: str, **elements: Any) -> Json:
    made = {"resourceType": kind, "id": own_id, **elements}
    return {name: value for name, value in made.items() if value is not None}


def request(own_id: str = "m1", **changes: Any) -> Json:
    """Sertraline ordered on 1 February; a change to None takes the element away."""
    made = {
        "status": "active",
        "intent": "order",
        "subject": P1,
        "authoredOn": "2026-02-01",
        "medicationCodeableConcept": SERTRALINE,
    }
    return resource("MedicationRequest", own_id, **{**made, **changes})


def medication(own_id: str = "s50", **changes: Any) -> Json:
    return resource("Medication", own_id, **{"code": SERTRALINE, **changes})


def condition(own_id: str = "c1", **changes: Any) -> Json:
    """A single depressive episode since January."""
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    made = {
        "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
        "subject": P1,
        "code": {"coding": [{"system": ICD, "code": "F32.1"}]},
        "onsetDateTime": "2026-01-10",
    }
    return resource("Condition", own_id, **{**made, **changes})


def genotype(own_id: str = "g1", **changes: Any) -> Json:
    """A CYP2C19 diplotype."""
    gene = {"coding": [{"system": LOINC, "code": "48018-6"}]}
    symbol = {"coding": [{"system": "http://www.genenames.org", "code": "HGNC:2621"}]}
    made: Json = {
        "code": {"coding": [{"system": LOINC, "code": "84413-4"}]},
        "valueQuantity": None,
        "valueCodeableConcept": {"text": "*1/*17"},
        "component": [{"code": gene, "valueCodeableConcept": symbol}],
    }
    return observation(id=own_id, **{**made, **changes})


def lab(own_id: str = "l1", when: str = "2026-02-03", value: float = 54) -> Json:
    """A filtration rate."""
    unit = "mL/min/{1.73_m2}"
    return observation(
        id=own_id,
        code={"coding": [{"system": LOINC, "code": "98979-8"}]},
        effectiveDateTime=when,
        valueQuantity={"value": value, "unit": unit, "system": UCUM, "code": unit},
    )


def patient(own_id: str = "p1", **changes: Any) -> Json:
    return resource("Patient", own_id, **{"birthDate": "1980-05", **changes})


def consent(own_id: str = "k1", kind: str = "deny", **changes: Any) -> Json:
    """A consent whose provision is of that kind."""
    made = {"status": "active", "patient": P1, "provision": {"type": kind}}
    return resource("Consent", own_id, **{**made, **changes})


def form(own_id: str = "q1", **changes: Any) -> Json:
    """A form that states a PHQ-9 total of 9."""
    made = {
        "status": "completed",
        "subject": P1,
        "authored": "2026-02-10T08:00:00Z",
        "item": [{"linkId": "/44261-6", "answer": [{"valueInteger": 9}]}],
    }
    return resource("QuestionnaireResponse", own_id, **{**made, **changes})


def of_each_kind() -> list[Json]:
    """A small record of everything."""
    pointing = {"medicationCodeableConcept": None, "authoredOn": "2026-02-05"}
    return [
        observation(),
        safety("s1"),
        signal(),
        request(),
        request("m2", **pointing, medicationReference={"reference": "Medication/s50"}),
        medication(),
        condition(),
        genotype(),
        lab(),
        patient(),
        form(),
    ]
