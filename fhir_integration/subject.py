"""Whose Observation is it? An id means a patient only at the EHR that gave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from fhir_integration.strict_json import Json


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient asked for, by every reference that names them at this EHR.

    `also` are the ids of records that the EHR merged into the patient's.
    """

    ehr_patient: str
    references: frozenset[str]
    also: frozenset[str] = frozenset()

    @classmethod
    def at(
        cls, base_url: str, ehr_patient: str, *, also: Iterable[str] = ()
    ) -> Subject:
        """At the EHR of that base URL; without one ("") only relative references count.

        The base counts as configured and as normalised (host in lower case, no default
        port). Another host's patient of the same id is another patient.
        """
        merged = frozenset(also)
        bases = {base_url, str(httpx.URL(base_url))} if base_url else set()
        starts = {"", *(f"{base.rstrip('/')}/" for base in bases)}
        references = {
            f"{start}Patient/{one}"
            for start in starts
            for one in (ehr_patient, *merged)
        }
        return cls(ehr_patient, frozenset(references), merged)

    def owns(self, resource: Json) -> bool:
        """True if the resource is about this patient, or a version of them."""
        reference = _reference(resource)
        return (
            reference in self.references
            or reference.split("/_history/", maxsplit=1)[0] in self.references
        )

    def is_another(self, resource: Json) -> bool:
        """True if the resource names a patient of another id.

        Where it names nobody, or this id at another base, the EHR that was asked for
        this patient may well mean them.
        """
        plain = _reference(resource).split("/_history/", maxsplit=1)[0]
        kind, _, own_id = plain.rpartition("/")
        is_patient = kind.rpartition("/")[2] == "Patient"
        return is_patient and own_id not in {self.ehr_patient, *self.also}


def _reference(resource: Json) -> str:
    """Whom the resource is about; R4 calls them `subject` or, in some, `patient`."""
    subject = resource.get("subject", resource.get("patient"))
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return reference if isinstance(reference, str) else ""
