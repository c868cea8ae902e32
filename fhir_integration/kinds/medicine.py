"""Which medicine a resource is about: by code, or through the Medication it points at.

A medicine is known by the RxNorm codes of the ingredient table, never by its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backend.twin.ingredients import by_rxnorm
from backend.twin.record import Reason
from fhir_integration.instruments import dicts
from fhir_integration.kinds.modified import is_modified
from fhir_integration.labels import is_restricted
from fhir_integration.strict_json import Json
from fhir_integration.versions import is_other_version

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_RXNORM_NAMES = (RXNORM, "urn:oid:2.16.840.1.113883.6.88")


def rxnorm_code(resource: Json, *, lookup: Mapping[str, Json]) -> str | Reason:
    """The RxNorm code that the table knows, of the medicine or its Medication.

    Of several the one that names most: a product goes before its ingredient. MALFORMED
    where they name different medicines. UNRESOLVED where the Medication is neither
    contained nor in `lookup`, is of another version, or is named by words alone;
    RESTRICTED, MODIFIED or ENTERED_IN_ERROR as it is itself; UNKNOWN_CODE where no code
    is known.
    """
    concept = resource.get("medicationCodeableConcept")
    if concept is None and "medicationReference" in resource:
        medicine = _medicine(resource, lookup=lookup)
        objection = _objection(medicine)
        if medicine is None or objection is not None:
            return objection or Reason.UNRESOLVED
        concept = medicine.get("code")
    known = list(_known(concept))
    if not known:
        return Reason.UNKNOWN_CODE
    widest = max(known, key=lambda code: len(by_rxnorm(code)))
    held = set(by_rxnorm(widest))
    is_one = all(held.issuperset(by_rxnorm(code)) for code in known)
    return widest if is_one else Reason.MALFORMED


def _objection(medicine: Json | None) -> Reason | None:
    """Why a Medication says nothing, itself refused or not there."""
    if medicine is None or medicine.get("resourceType") != "Medication":
        return Reason.UNRESOLVED
    if is_other_version(medicine):
        return Reason.UNRESOLVED
    if is_modified(medicine):
        return Reason.MODIFIED
    if is_restricted(medicine):
        return Reason.RESTRICTED
    is_wrong = medicine.get("status") == "entered-in-error"
    return Reason.ENTERED_IN_ERROR if is_wrong else None


def _known(concept: object) -> Iterator[str]:
    for coding in dicts(concept.get("coding")) if isinstance(concept, dict) else []:
        code = coding.get("code")
        is_rxnorm = coding.get("system") in _RXNORM_NAMES
        if is_rxnorm and isinstance(code, str) and by_rxnorm(code):
            yield code


def _medicine(resource: Json, *, lookup: Mapping[str, Json]) -> Json | None:
    """The Medication that is pointed at: contained in the resource, or sent with it."""
    pointer = resource.get("medicationReference")
    reference = pointer.get("reference") if isinstance(pointer, dict) else None
    if not isinstance(reference, str):
        return None
    if reference.startswith("#"):
        inner = dicts(resource.get("contained"))
        return next((one for one in inner if one.get("id") == reference[1:]), None)
    plain = reference.split("/_history/", maxsplit=1)[0]
    return lookup.get(reference, lookup.get(plain))
