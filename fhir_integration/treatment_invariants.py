"""What must hold of advice on a medicine before it leaves, beyond R4's structure."""

from __future__ import annotations

import re

from fhir_integration import codes
from fhir_integration.errors import NotConformant
from fhir_integration.invariants import hold, rules_of_all
from fhir_integration.strict_json import Json
from fhir_integration.treatment_resources import DISCLAIMER, SIMULATED

_ORDER = re.compile(
    r"(MedicationRequest|MedicationStatement)/[A-Za-z0-9\-.]{1,64}"
    r"(/_history/[A-Za-z0-9\-.]{1,64})?"
)
_GENOTYPE = re.compile(codes.SOURCE.pattern)


def check_implication(observation: Json) -> None:
    """Raise NotConformant with the first rule that an implication of ours breaks."""
    parts = observation.get("component", [])
    kinds = [_code(part) for part in parts]
    hold(
        {
            **_of_patient(observation["subject"]),
            "it derives from no genotype": bool(observation.get("derivedFrom")),
            "an implication has a value of its own": not _values(observation),
            "rules are said to be an AI": "meta" not in observation,
            "it does not say that it is no prescription": DISCLAIMER
            in _notes(observation),
            "it names not just one medicine": kinds.count("51963-7") == bool(parts),
            "a component says nothing": all(len(_values(part)) == 1 for part in parts),
        }
    )


def check_response(observation: Json) -> None:
    """The same for what a response model estimates."""
    parts = [one for one in observation.get("component", []) if "valueQuantity" in one]
    hold(
        {
            **rules_of_all(observation, codes.RESPONSE),
            **_of_patient(observation["subject"]),
            "it does not say what the model learned from": any(
                SIMULATED in note for note in _notes(observation)
            ),
            "an estimate is no share": all(
                0 <= one["valueQuantity"]["value"] <= 1 for one in parts
            ),
            "a component stands twice": len({_code(one) for one in parts})
            == len(parts),
        }
    )


def check_task(task: Json) -> None:
    """The same for a proposal."""
    focus = task.get("focus")
    hold(
        {
            **_of_patient(task["for"]),
            "a proposal is more than that": task["intent"] == "proposal"
            and task["status"] == "requested",
            "its focus is no order": focus is None or is_order(focus["reference"]),
        }
    )


def check_issue(issue: Json) -> None:
    """The same for a conflict with a current order."""
    hold(
        {
            **_of_patient(issue["patient"]),
            "it implicates no order": any(
                is_order(one["reference"]) for one in issue["implicated"]
            ),
            "something is said to have been done": "mitigation" not in issue,
            "its severity is not one of R4's": issue["severity"]
            in ("high", "moderate", "low"),
        }
    )


def is_order(reference: str) -> bool:
    """True for the reference of an order or statement of a medicine."""
    return _ORDER.fullmatch(reference) is not None


def _of_patient(link: Json) -> dict[str, bool]:
    kind, _, own_id = link["reference"].partition("/")
    is_one = kind == "Patient" and codes.FHIR_ID.fullmatch(own_id) is not None
    return {"the subject is no Patient": is_one}


def _code(part: Json) -> str:
    code: str = part["code"]["coding"][0]["code"]
    return code


def _values(element: Json) -> list[str]:
    return [key for key in element if key.startswith("value")]


def _notes(observation: Json) -> list[str]:
    return [note["text"] for note in observation.get("note", [])]


_CHECKS = {"Task": check_task, "DetectedIssue": check_issue}


def check_action(resource: Json) -> None:
    """The rules of a Task or a DetectedIssue, by its type."""
    check = _CHECKS.get(resource["resourceType"])
    if check is None:
        raise NotConformant("it is no action")
    check(resource)
