"""Puts records into an EHR: for the demo and for trying a diary file.

The inverse of the reader: a record that is put in and pulled again is the same
record. What is already there (by identifier) is left alone, so a second run adds only
what is new and a run that was cut off can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

from backend.twin.record import Entry, PatientRecord, SafetyAnswer
from backend.twin.scales import Scale
from fhir_integration.client import FhirClient
from fhir_integration.codes import ANSWERS, OURS, RANGE, SURVEY, UCUM
from fhir_integration.search_values import token
from fhir_integration.strict_json import Json

PATIENT_SYSTEM = f"{OURS}/seeded-patient"
ENTRY_SYSTEM = f"{OURS}/seeded-entry"
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
}
_ANSWER_CODES = {score: code for code, score in ANSWERS.items()}
PAGE = 40  # entries of one batch; some servers refuse more than 50


def seed(client: FhirClient, label: str, record: PatientRecord) -> str:
    """Make sure the EHR holds this record; returns the EHR's id of the patient."""
    patient = client.create(
        _patient(label), if_none_exist={"identifier": token(PATIENT_SYSTEM, label)}
    ).resource["id"]
    held = {
        identifier["value"]
        for resource in client.search("Observation", {"patient": patient})
        for identifier in resource.get("identifier", ())
        if identifier.get("system") == ENTRY_SYSTEM
    }
    fresh = [
        resource
        for resource in observations(record, patient=patient)
        if resource["identifier"][0]["value"] not in held
    ]
    for start in range(0, len(fresh), PAGE):
        client.batch_create(fresh[start : start + PAGE])
    return str(patient)


def observations(record: PatientRecord, *, patient: str) -> Iterator[Json]:
    """Each entry and each safety answer as an Observation of the EHR's own."""
    for series in record.series:
        for entry in series.entries:
            yield _entry(series.scale, entry, patient)
    for answer in record.safety:
        yield _safety(answer, patient)


def _patient(label: str) -> Json:
    return {
        "resourceType": "Patient",
        "meta": {"security": [TEST_DATA]},
        "identifier": [{"system": PATIENT_SYSTEM, "value": label}],
    }


def _entry(scale: Scale, entry: Entry, patient: str) -> Json:
    name = f"{patient}|{scale.code}|{entry.day}|{entry.at}|{entry.value}"
    resource = _observation(name, patient, entry.at or entry.day.isoformat())
    resource["code"] = {
        "coding": [{"system": scale.system, "code": scale.code}],
        "text": scale.title,
    }
    resource["valueQuantity"] = _quantity(entry.value)
    if scale.key.startswith("diary:"):
        resource["referenceRange"] = [_bounds(scale)]
    return resource


def _safety(answer: SafetyAnswer, patient: str) -> Json:
    item = answer.scale.safety_item
    if item is None:
        raise ValueError("a safety answer needs a scale with a safety item")
    name = f"{patient}|{item.code}|{answer.day}"
    resource = _observation(name, patient, answer.day.isoformat())
    resource["code"] = {
        "coding": [{"system": answer.scale.system, "code": item.code}],
        "text": item.title,
    }
    resource["valueCodeableConcept"] = {
        "coding": [{"system": answer.scale.system, "code": _ANSWER_CODES[answer.value]}]
    }
    return resource


def _observation(name: str, patient: str, when: str) -> Json:
    value = str(uuid5(NAMESPACE_URL, f"{ENTRY_SYSTEM}|{name}"))
    return {
        "resourceType": "Observation",
        "identifier": [{"system": ENTRY_SYSTEM, "value": value}],
        "status": "final",
        "category": [{"coding": [{"system": SURVEY, "code": "survey"}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when,
    }


def _quantity(value: float) -> Json:
    return {"value": value, "unit": "{score}", "system": UCUM, "code": "{score}"}


def _bounds(scale: Scale) -> Json:
    return {
        "low": _quantity(scale.low),
        "high": _quantity(scale.high),
        "type": {"coding": [{"system": RANGE, "code": "scale"}]},
    }
