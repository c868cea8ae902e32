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

from fhir_integration.codes import FHIR_ID
from fhir_integration.files.containers import Found, Scope, own_key
from fhir_integration.files.references import References
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

    def place(self, found: Found) -> Placed | None:
        """None for what carries no patient, is no R4, or was refused before."""
        resource, scope = found.resource, found.scope
        kind = resource.get("resourceType")
        if found.reason or scope.other_version or is_other_version(resource):
            return None
        if not isinstance(kind, str) or kind not in R4_TYPES:
            return None
        whose = self._references.whose(resource, scope)
        if whose is None and kind != "Medication":
            return None
        key = str(whose.key) if whose else _home(scope)
        moved: Json = self._moved(resource, key, scope)
        moved["id"] = self._id(kind, key, _name(resource))
        patient = self._patient(key) if whose else ""
        if whose and whose.element:
            moved[whose.element]["reference"] = f"Patient/{patient}"
        return Placed(moved, patient)

    def _patient(self, key: str) -> str:
        return self._id("Patient", key, key.removeprefix("Patient/"))

    def _id(self, kind: str, key: str, name: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{self._source}|{key}|{kind}|{name}"))

    def _moved(self, value: Any, key: str, scope: Scope) -> Any:
        """A copy with its references moved; recursion is bounded by strict JSON."""
        if isinstance(value, list):
            return [self._moved(one, key, scope) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._reference(inner, key, scope)
            if name == "reference" and isinstance(inner, str)
            else self._moved(inner, key, scope)
            for name, inner in value.items()
        }

    def _reference(self, stated: str, key: str, scope: Scope) -> str:
        plain = stated.split("/_history/", maxsplit=1)[0]
        target = scope.by_name.get(plain)
        if target is not None:
            kind, own_id = target.get("resourceType"), target.get("id")
        else:
            kind, _, own_id = plain.partition("/")
        if not isinstance(own_id, str) or not FHIR_ID.fullmatch(own_id):
            return stated
        if kind == "Patient":
            return f"Patient/{self._patient(f'Patient/{own_id}')}"
        if kind == "Medication":
            return f"Medication/{self._id(kind, _home(scope), own_id)}"
        if isinstance(kind, str) and kind in _OF_PATIENTS:
            return f"{kind}/{self._id(kind, key, own_id)}"
        return stated


def _home(scope: Scope) -> str:
    """Where a medication belongs: to the one patient of a Bundle, else to all."""
    keys = {own_key(one) for one in scope.by_name.values()} - {""}
    return keys.pop() if len(keys) == 1 else ""


def _name(resource: Json) -> str:
    """The id, or where there is none a digest of the content."""
    own_id = resource.get("id")
    if isinstance(own_id, str) and FHIR_ID.fullmatch(own_id):
        return own_id
    raw = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()
