"""Whose Observation is it? An id means a patient only at the EHR that gave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from fhir_integration.strict_json import Json

# Types of what happens to the patient of a record: to focus on it is to speak of them.
_HAPPENINGS = frozenset(
    {"Condition", "Encounter", "EpisodeOfCare", "Procedure", "ServiceRequest"}
    | {"MedicationAdministration", "MedicationRequest", "MedicationStatement"}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient asked for, by every reference that names them at this EHR.

    `also` are the ids of records that the EHR merged into the patient's. `starts` are
    what a reference at this EHR begins with, "" for a relative one.
    """

    ehr_patient: str
    references: frozenset[str]
    also: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset({""})

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
        return cls(ehr_patient, frozenset(references), merged, frozenset(starts))

    def owns(self, resource: Json) -> bool:
        """True if the resource is about this patient, or a version of them.

        What an Observation of theirs focuses on may be somebody else: a fetus, a donor,
        a spouse. Only they themselves, and what happens to them, are theirs.
        """
        if not self._is(_reference(resource)):
            return False
        return "focus" not in resource or all(map(self._is_own, _foci(resource)))

    def _is(self, reference: str) -> bool:
        return (
            reference in self.references
            or reference.split("/_history/", maxsplit=1)[0] in self.references
        )

    def _is_own(self, reference: str) -> bool:
        return self._is(reference) or _kind_and_id(reference)[0] in _HAPPENINGS

    def is_another(self, resource: Json) -> bool:
        """True if the resource names a patient of another id, or somebody related.

        Where it names nobody, or this id at another base, the EHR that was asked for
        this patient may well mean them.
        """
        return any(map(self._names_another, (_reference(resource), *_foci(resource))))

    def _names_another(self, reference: str) -> bool:
        kind, own_id = _kind_and_id(reference)
        is_patient = own_id in {self.ehr_patient, *self.also}
        return kind == "RelatedPerson" or (kind == "Patient" and not is_patient)


def _reference(resource: Json) -> str:
    """Whom the resource is about; R4 calls them `subject` or, in some, `patient`."""
    return _text(resource.get("subject", resource.get("patient")))


def _foci(resource: Json) -> list[str]:
    """What it focuses on beside its subject; "" for what cannot be read."""
    stated = resource.get("focus", [])
    return [_text(one) for one in (stated if isinstance(stated, list) else [stated])]


def _kind_and_id(reference: str) -> tuple[str, str]:
    plain = reference.split("/_history/", maxsplit=1)[0]
    kind, _, own_id = plain.rpartition("/")
    return kind.rpartition("/")[2], own_id


def _text(pointer: object) -> str:
    reference = pointer.get("reference") if isinstance(pointer, dict) else None
    return reference if isinstance(reference, str) else ""
