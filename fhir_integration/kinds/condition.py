"""Condition: which illness, where it stands, how sure the EHR is, since when.

A condition whose state is unsaid is UNKNOWN, never active. A code that says remission,
or history, is heard where the status says less: EHRs leave "active" on it. A refuted
condition is kept as refuted: a clinician looked and said no. Text and age are no date.
"""

from __future__ import annotations

from datetime import date

from backend.twin.conditions import ICD_10_CM, SNOMED, concept_of, stage_of
from backend.twin.history import Certainty, ClinicalState, Diagnosis
from backend.twin.record import Reason
from fhir_integration.instruments import codings, dicts
from fhir_integration.kinds.refused import Refused
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.times import Moment, moment

# URI of a code system -> the table's word for it.
_SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10-cm": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "http://snomed.info/sct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
}
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_STATES = {
    "active": ClinicalState.ACTIVE,
    "recurrence": ClinicalState.ACTIVE,
    "relapse": ClinicalState.ACTIVE,
    "inactive": ClinicalState.INACTIVE,
    "remission": ClinicalState.REMISSION,
    "resolved": ClinicalState.RESOLVED,
}
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_IN_ERROR = "entered-in-error"
_CERTAINTIES = {
    "confirmed": Certainty.CONFIRMED,
    "provisional": Certainty.PROVISIONAL,
    "differential": Certainty.PROVISIONAL,
    "unconfirmed": Certainty.PROVISIONAL,
    "refuted": Certainty.REFUTED,
}


def read_condition(
    resource: Json, *, subject: Subject, source: str
) -> tuple[Diagnosis | Refused, ...]:
    """The diagnosis that a Condition states, or why it is not used.

    A date that names no day (2024-05, or a broken one) leaves the diagnosis without it
    and is refused beside it. Never raises, whatever the object holds.
    """
    verified = _words(resource, "verificationStatus", _VERIFICATION)
    objection = _objection(resource, subject=subject)
    known = _known(resource)
    if objection is not None or known is None:
        return (Refused(objection or Reason.UNKNOWN_CODE),)
    system, code, concept = known
    onset = _day(resource, "onset", "start")
    resolved = _day(resource, "abatement", "end")
    diagnosis = Diagnosis(
        concept=concept,
        system=system,
        code=code,
        state=_state(resource, system, code),
        certainty=_CERTAINTIES.get(verified, Certainty.UNKNOWN),
        onset=onset if isinstance(onset, date) else None,
        resolved=resolved if isinstance(resolved, date) else None,
        source=source,
    )
    unread = {one for one in (onset, resolved) if isinstance(one, Reason)}
    return (diagnosis, *map(Refused, sorted(unread)))


def _objection(resource: Json, *, subject: Subject) -> Reason | None:
    if resource.get("resourceType") != "Condition":
        return Reason.WRONG_TYPE
    if _is_in_error(resource):
        return Reason.ENTERED_IN_ERROR
    return None if subject.owns(resource) else Reason.WRONG_PATIENT


def _is_in_error(resource: Json) -> bool:
    """True if any code of it says so, of whatever system: no other code means that."""
    status = resource.get("verificationStatus")
    inner = dicts(status.get("coding")) if isinstance(status, dict) else []
    return any(coding.get("code") == _IN_ERROR for coding in inner)


def _known(resource: Json) -> tuple[str, str, str] | None:
    """URI, code and concept of the first coding that the table knows."""
    for coding in codings(resource):
        uri, code = coding.get("system"), coding.get("code")
        if not (isinstance(uri, str) and isinstance(code, str)):
            continue
        concept = concept_of(_SYSTEMS.get(uri, ""), code)
        if concept is not None:
            return uri, code, concept
    return None


def _state(resource: Json, uri: str, code: str) -> ClinicalState:
    """What the status says; a code's remission goes before "active" and before nothing.

    Who records a recurrence or a relapse knows of the remission: these stay ACTIVE.
    """
    stated = _words(resource, "clinicalStatus", _CLINICAL)
    state = _STATES.get(stated, ClinicalState.UNKNOWN)
    stage = stage_of(_SYSTEMS.get(uri, ""), code)
    is_unsaid = state is ClinicalState.UNKNOWN
    if stage == "remission" and (is_unsaid or stated == "active"):
        return ClinicalState.REMISSION
    return ClinicalState.INACTIVE if stage == "history" and is_unsaid else state


def _words(resource: Json, element: str, system: str) -> str:
    """The status code of that element in HL7's own system; empty if it has none."""
    status = resource.get(element)
    for coding in dicts(status.get("coding")) if isinstance(status, dict) else []:
        code = coding.get("code")
        if coding.get("system") == system and isinstance(code, str):
            return code
    return ""


def _day(resource: Json, element: str, end: str) -> date | Reason | None:
    """The day of onset[x] or abatement[x]; None where it states no date at all."""
    period = resource.get(f"{element}Period")
    text = resource.get(f"{element}DateTime")
    if text is None and isinstance(period, dict):
        text = period.get(end)
    if text is None:
        return None
    at = moment(text)
    return at.day if isinstance(at, Moment) else at
