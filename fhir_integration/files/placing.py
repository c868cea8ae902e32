"""A resource of a file as the sandbox EHR is to hold it: new id, new references.

Real data use one id for several patients, so an id is made of where the resource comes
from, whose it is, and its type and id there. The same resource has the same id in
every run.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson

from backend.twin.record import Reason
from fhir_integration.codes import FHIR_ID
from fhir_integration.files.containers import Found
from fhir_integration.files.references import References, Whose
from fhir_integration.files.scope import is_absolute, own_key, server_of
from fhir_integration.resource_types import R4_TYPES
from fhir_integration.strict_json import Json
from fhir_integration.versions import is_other_version

# Types that others point at and that carry a patient (R4's patient compartment); to
# these a reference is moved along, all others are left as they are.
_OF_PATIENTS = frozenset(
    {"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Consent"}
    | {"DiagnosticReport", "Encounter", "EpisodeOfCare", "Goal", "Immunization"}
    | {"MedicationAdministration", "MedicationDispense", "MedicationRequest"}
    | {"MedicationStatement", "MolecularSequence", "Observation", "Procedure"}
    | {"QuestionnaireResponse", "RiskAssessment", "ServiceRequest", "Specimen", "Task"}
)


class Placed(NamedTuple):
    """The resource to keep, and the id of its patient in the EHR ("" for none)."""

    resource: Json
    patient: str


class Places:
    """Places the resources of one source; `source` tells it from others."""

    def __init__(self, source: str, references: References) -> None:
        self._source, self._references = source, references

    def place(self, found: Found) -> Placed | Reason:
        """Why not, for what carries no patient, is no R4, or was refused before."""
        resource = found.resource
        kind = resource.get("resourceType")
        if found.reason:
            return found.reason
        if found.scope.other_version or is_other_version(resource):
            return Reason.WRONG_VERSION
        if not isinstance(kind, str) or kind not in R4_TYPES:
            return Reason.NOT_FHIR
        whose = self._references.whose(found)
        if whose is not None:
            return self._placed(found, kind, whose)
        if kind != "Medication":
            return Reason.NO_PATIENT
        home = self._home(found, found.server)
        moved = self._moved(resource, home, found)
        return Placed({**moved, "id": self._id(kind, home, _name(resource))}, "")

    def _placed(self, found: Found, kind: str, whose: Whose) -> Placed:
        key = str(whose.key)
        moved: Json = self._moved(found.resource, key, found)
        patient = self._patient(key)
        moved["id"] = self._id(kind, key, _name(found.resource))
        if whose.element:
            moved[whose.element]["reference"] = f"Patient/{patient}"
        else:
            moved["id"] = patient
        return Placed(moved, patient)

    def _patient(self, key: str) -> str:
        return self._id("Patient", key, key.removeprefix("Patient/"))

    def _id(self, kind: str, key: str, name: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{self._source}|{key}|{kind}|{name}"))

    def _moved(self, value: Any, key: str, found: Found) -> Any:
        """A copy with its references moved; recursion is bounded by strict JSON."""
        if isinstance(value, list):
            return [self._moved(one, key, found) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._reference(inner, key, found)
            if name == "reference" and isinstance(inner, str)
            else self._moved(inner, key, found)
            for name, inner in value.items()
        }

    def _reference(self, stated: str, key: str, found: Found) -> str:
        plain = stated.split("/_history/", maxsplit=1)[0]
        patient = self._references.patient_at(plain, found)
        if patient:
            return f"Patient/{self._patient(patient)}"
        target = found.scope.find(plain, found.server)
        if target is not None:
            server, resource = target.server, target.resource
            kind, own_id = resource.get("resourceType"), resource.get("id")
        else:
            server = server_of(plain) if is_absolute(plain) else found.server
            kind, own_id = self._type_and_id(plain, server, found)
        if not isinstance(own_id, str) or not FHIR_ID.fullmatch(own_id):
            return stated
        if kind == "Medication":
            return f"Medication/{self._id(kind, self._home(found, server), own_id)}"
        if isinstance(kind, str) and kind in _OF_PATIENTS:
            return f"{kind}/{self._id(kind, key, own_id)}"
        return stated

    def _home(self, found: Found, server: str) -> str:
        """Where a medication belongs: the one patient of a Bundle, else its server."""
        entries = found.scope.by_name.values()
        keys = {own_key(one.resource, one.server) for one in entries} - {""}
        if len(keys) == 1:
            return keys.pop()
        return "" if self._references.is_own(server) else server

    def _type_and_id(self, plain: str, server: str, found: Found) -> tuple[str, str]:
        """Empty for what lies at a server that is not the resource's own."""
        if server != found.server and not self._references.is_own(server):
            return "", ""
        kind, _, own_id = plain.removeprefix(f"{server}/").partition("/")
        return kind, own_id


def _name(resource: Json) -> str:
    """The id, or where there is none a digest of the content."""
    own_id = resource.get("id")
    if isinstance(own_id, str) and FHIR_ID.fullmatch(own_id):
        return own_id
    raw = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()
