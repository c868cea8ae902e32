"""What somebody may want to do: proposals as Tasks, a conflict as a DetectedIssue.

A Task proposes and orders nothing. An issue is written only where the medicine is being
taken; nothing is said to have been done about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.safety import Stop
from backend.twin.ports import TreatmentDocument
from fhir_integration import codes, model_outputs
from fhir_integration.elements import concept, instant
from fhir_integration.strict_json import Json
from fhir_integration.treatment_components import ACTIONS, advice_text, stop_text
from fhir_integration.treatment_resources import genotypes, own_identity

# Answers of LOINC's list LL4049-4 as HL7's guide uses them; for what it has no answer
# that could be confirmed, our own code stands.
_SUGGESTIONS = {
    "consider_alternative": ("LA26421-0", "Consider alternative medication"),
    "reduced_dosing": ("LA26422-8", "Decrease dose"),
    "increased_dosing": ("LA26423-6", "Increase dose"),
}
_PROPOSED = (*_SUGGESTIONS, "careful_monitoring")
_CONFLICTING = frozenset(_SUGGESTIONS)


def tasks(
    document: TreatmentDocument, *, implication: str, device_reference: str
) -> Iterator[Json]:
    """One proposal for each thing that a source advises to do."""
    for action in _PROPOSED:
        lines = [one for one in document.advice if one.action == action]
        if lines:
            yield _task(document, action, lines, (implication, device_reference))


def _task(
    document: TreatmentDocument,
    action: str,
    lines: list[Advice],
    known: tuple[str, str],
) -> Json:
    implication, device_reference = known
    by = ", ".join(dict.fromkeys(one.source for one in lines))
    focus = document.current_order
    own = own_identity(document, f"task/{action}")
    return {
        "resourceType": "Task",
        "identifier": [model_outputs.identifier(own)],
        "status": "requested",
        "intent": "proposal",
        "code": _suggestion(action),
        "description": f"{document.medication}: {ACTIONS[action]} ({by})",
        **({"focus": {"reference": focus}} if focus else {}),
        "for": {"reference": f"Patient/{document.ehr_patient}"},
        "authoredOn": instant(document.issued),
        "requester": {"reference": device_reference},
        "reasonReference": {"reference": implication},
        "note": [{"text": advice_text(one)} for one in lines],
    }


def _suggestion(action: str) -> Json:
    own = {"system": codes.ADVICE, "code": action, "display": ACTIONS[action]}
    if action not in _SUGGESTIONS:
        return {"coding": [own]}
    code, display = _SUGGESTIONS[action]
    return {"coding": [{"system": codes.LOINC, "code": code, "display": display}, own]}


def issue(
    document: TreatmentDocument, *, implication: str, device_reference: str
) -> Json | None:
    """The conflict of a current order with advice or a stop; None where there is none.

    A stop counts where what it asks is known, or where it is grave without. Severity
    "high": not to be used, or an alternative is advised; else "moderate".
    """
    stops, advice = _against(document)
    if document.current_order is None or not (stops or advice):
        return None
    implicated = [document.current_order, *genotypes(document), implication]
    lines = [*map(stop_text, stops), *map(advice_text, advice)]
    return {
        "resourceType": "DetectedIssue",
        "identifier": [model_outputs.identifier(own_identity(document, "issue"))],
        "status": "preliminary",
        "code": {
            **concept(
                "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "DRG",
                "Drug Interaction Alert",
            ),
            "text": "Current order in conflict with genes or safety rules",
        },
        "severity": _severity(stops, advice),
        "patient": {"reference": f"Patient/{document.ehr_patient}"},
        "identifiedDateTime": instant(document.issued),
        "author": {"reference": device_reference},
        "implicated": [{"reference": name} for name in implicated],
        "detail": f"Current order of {document.medication}; its dose was not looked "
        f"at. {' '.join(lines)}",
    }


def _against(document: TreatmentDocument) -> tuple[list[Stop], list[Advice]]:
    stops = [
        one
        for one in document.stops
        if one.severity == "stop" or (one.severity == "caution" and not one.needs)
    ]
    return stops, [one for one in document.advice if one.action in _CONFLICTING]


def _severity(stops: list[Stop], advice: list[Advice]) -> str:
    grave = any(one.severity == "stop" for one in stops)
    instead = any(one.action == "consider_alternative" for one in advice)
    return "high" if grave or instead else "moderate"
