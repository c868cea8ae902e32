"""Puts records into an EHR: for the demo and for trying a diary file.

The inverse of the reader: a record that is put in and pulled again is the same
record. What is already there (by identifier) is left alone, so a second run adds only
what is new and a run that was cut off can be repeated. Some EHRs find an entry only a
while after they took it: `await_shown` waits, or a pull would be short in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import NAMESPACE_URL, uuid5

from backend.twin.errors import EhrUnavailable
from backend.twin.history import MedicationChange, MedicationEvent
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord, SafetyAnswer
from backend.twin.scales import Scale
from fhir_integration.client import FhirClient
from fhir_integration.codes import ANSWERS, OURS, RANGE, SURVEY, UCUM
from fhir_integration.kinds.medicine import RXNORM
from fhir_integration.pulling import PAGE_SIZE
from fhir_integration.search_values import token
from fhir_integration.seed_genotypes import told_gene
from fhir_integration.seed_streams import told
from fhir_integration.strict_json import Json

PATIENT_SYSTEM = f"{OURS}/seeded-patient"
ENTRY_SYSTEM = f"{OURS}/seeded-entry"
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
}
_ANSWER_CODES = {score: code for code, score in ANSWERS.items()}
_ORDER = "MedicationRequest"
PAGE = 40  # entries of one batch; some servers refuse more than 50
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Put:
    """What `put` did: the EHR's id of the patient, the names of entries written now.

    `orders`: some of them are orders of medicines.
    """

    patient: str
    written: frozenset[str]
    orders: bool = False


def seed(client: FhirClient, label: str, record: PatientRecord) -> str:
    """Make sure the EHR holds this record; returns the EHR's id of the patient."""
    return put(client, label, record).patient


def put(client: FhirClient, label: str, record: PatientRecord) -> Put:
    """Make sure the EHR holds this record, and tell what was missing before."""
    patient = client.create(
        _patient(label, record.person),
        if_none_exist={"identifier": token(PATIENT_SYSTEM, label)},
    ).resource["id"]
    held = _shown(client, patient, orders=bool(record.medications))
    fresh = {
        name: resource
        for resource in chain(
            observations(record, patient=patient), orders(record, patient=patient)
        )
        if (name := resource["identifier"][0]["value"]) not in held
    }
    resources = list(fresh.values())
    for start in range(0, len(resources), PAGE):
        client.batch_create(resources[start : start + PAGE])
    kinds = {resource["resourceType"] for resource in resources}
    return Put(str(patient), frozenset(fresh), orders=_ORDER in kinds)


def await_shown(client: FhirClient, done: Iterable[Put], *, patience_s: float) -> None:
    """Return when searches show all that was written.

    Raises EhrUnavailable when they do not within `patience_s` seconds.
    """
    until = client.deadline(patience_s)
    for one in done:
        pause_s = _FIRST_PAUSE_S
        while one.written and not one.written <= _shown(
            client, one.patient, orders=one.orders
        ):
            if not client.pause(pause_s, until=until):
                raise EhrUnavailable("the EHR does not show yet what it was given")
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _shown(client: FhirClient, patient: str, *, orders: bool) -> set[str]:
    """The names of the entries of ours that searches of the patient's find."""
    return {
        identifier["value"]
        for kind in ("Observation", *([_ORDER] if orders else []))
        for resource in client.search(kind, {"patient": patient, "_count": PAGE_SIZE})
        for identifier in resource.get("identifier", ())
        if identifier.get("system") == ENTRY_SYSTEM
    }


def observations(record: PatientRecord, *, patient: str) -> Iterator[Json]:
    """Each entry, answer, run of values and gene as an Observation of the EHR's."""
    for series in record.series:
        for entry in series.entries:
            yield _entry(series.scale, entry, patient)
    for answer in record.safety:
        yield _safety(answer, patient)
    for stream in record.streams:
        for name, said in told(stream):
            yield {**_named(f"{patient}|{name}", patient, "activity"), **said}
    for call in record.genotypes:
        name, said = told_gene(call)
        yield {**_named(f"{patient}|{name}", patient, "laboratory"), **said}


def orders(record: PatientRecord, *, patient: str) -> Iterator[Json]:
    """Each medicine begun on a known day as an order; doses and ends are not put in."""
    for event in record.medications:
        if event.change is MedicationChange.START and event.day is not None:
            yield _order(event, event.at or event.day.isoformat(), patient)


def _order(event: MedicationEvent, when: str, patient: str) -> Json:
    return {
        "resourceType": _ORDER,
        "identifier": [_name(f"{patient}|{event.code}|{when}")],
        "status": "active" if event.state is None else event.state.value,
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": event.code}],
            "text": " + ".join(event.ingredients),
        },
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": when,
    }


def _patient(label: str, person: Person | None) -> Json:
    return {
        "resourceType": "Patient",
        "meta": {"security": [TEST_DATA]},
        "identifier": [{"system": PATIENT_SYSTEM, "value": label}],
        **_born(person),
    }


def _born(person: Person | None) -> Json:
    """The date of birth where the very day is known; instruments are for some ages."""
    if person and person.born_first and person.born_first == person.born_last:
        return {"birthDate": person.born_first.isoformat()}
    return {}


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
    return {**_named(name, patient, "survey"), "effectiveDateTime": when}


def _named(name: str, patient: str, category: str) -> Json:
    return {
        "resourceType": "Observation",
        "identifier": [_name(name)],
        "status": "final",
        "category": [{"coding": [{"system": SURVEY, "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }


def _name(name: str) -> Json:
    value = str(uuid5(NAMESPACE_URL, f"{ENTRY_SYSTEM}|{name}"))
    return {"system": ENTRY_SYSTEM, "value": value}


def _quantity(value: float) -> Json:
    return {"value": value, "unit": "{score}", "system": UCUM, "code": "{score}"}


def _bounds(scale: Scale) -> Json:
    return {
        "low": _quantity(scale.low),
        "high": _quantity(scale.high),
        "type": {"coding": [{"system": RANGE, "code": "scale"}]},
    }
