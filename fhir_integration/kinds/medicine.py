"""Which medicine a resource is about: by code, or through the Medication it points at.

A medicine is known by the RxNorm codes of the ingredient table, never by its words.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.twin.ingredients import by_rxnorm
from backend.twin.record import Reason
from fhir_integration.instruments import dicts
from fhir_integration.strict_json import Json

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_RXNORM_NAMES = (RXNORM, "urn:oid:2.16.840.1.113883.6.88")


def rxnorm_code(resource: Json, *, lookup: Mapping[str, Json]) -> str | Reason:
    """The first RxNorm code that the table knows, of the medicine or its Medication.

    UNRESOLVED where the Medication is neither contained nor in `lookup`, or is named by
    words alone; UNKNOWN_CODE where no code is known.
    """
    concept = resource.get("medicationCodeableConcept")
    if concept is None and "medicationReference" in resource:
        medicine = _medicine(resource, lookup=lookup)
        if medicine is None:
            return Reason.UNRESOLVED
        if medicine.get("status") == "entered-in-error":
            return Reason.ENTERED_IN_ERROR
        concept = medicine.get("code")
    for coding in dicts(concept.get("coding")) if isinstance(concept, dict) else []:
        code = coding.get("code")
        is_rxnorm = coding.get("system") in _RXNORM_NAMES
        if is_rxnorm and isinstance(code, str) and by_rxnorm(code):
            return code
    return Reason.UNKNOWN_CODE


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
