from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_integration import codes
from fhir_integration.errors import NotConformant
from fhir_integration.treatment_actions import issue, tasks
from fhir_integration.treatment_invariants import (
    check_action,
    check_implication,
    check_issue,
    check_response,
    check_task,
    is_order,
)
from fhir_integration.treatment_resources import (
    flat_implication,
    implication,
    response,
)
from tests.fhir_integration.advised import treatment

Json = dict[str, Any]
DEVICE, OWN = "Device/d1", "Observation/i1"


def broken(
    check: Callable[[Json], None], made: Json, rule: str, **changes: Any
) -> None:
    check(made)
    changed = {name: value for name, value in {**made, **changes}.items() if value}
    with pytest.raises(NotConformant, match=rule):
        check(changed)


PATIENT = {"reference": "Group/p1"}
MEDICINE: Json = {"code": {"coding": [{"code": "51963-7"}]}, "valueString": "x"}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no Patient", {"subject": PATIENT}),
        ("no genotype", {"derivedFrom": None}),
        ("value of its own", {"valueString": "stop it"}),
        ("said to be an AI", {"meta": {"security": [codes.AI_LABEL]}}),
        ("no prescription", {"note": None}),
        ("one medicine", {"component": [MEDICINE, MEDICINE]}),
        ("says nothing", {"component": [MEDICINE, {"code": MEDICINE["code"]}]}),
    ],
)
def test_rules_of_an_implication(rule: str, changes: Json) -> None:
    made = implication(treatment(), device_reference=DEVICE)
    if rule == "says nothing":
        other = {"code": {"coding": [{"code": "advice"}]}}
        changes = {"component": [MEDICINE, other]}
    broken(check_implication, made, rule, **changes)
    if "component" not in changes:
        flat = flat_implication(treatment(), device_reference=DEVICE)
        broken(check_implication, flat, rule, **changes)


def share(value: float, code: str = "efficacy") -> Json:
    coded = {"coding": [{"system": codes.RESPONSE, "code": code}]}
    return {"code": coded, "valueQuantity": {"value": value, "code": "1"}}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("AI label", {"meta": None}),
        ("measurement", {"code": {"coding": [{"system": codes.LOINC, "code": "x"}]}}),
        ("no Patient", {"subject": PATIENT}),
        ("learned from", {"note": [{"text": "An estimate."}]}),
        ("no share", {"component": [share(1.01)]}),
        ("no share", {"component": [share(-0.01)]}),
        ("no share", {"component": [share(float("nan"))]}),
        ("stands twice", {"component": [share(0.1), share(0.2)]}),
    ],
)
def test_rules_of_an_estimate(rule: str, changes: Json) -> None:
    made = response(treatment(), device_reference=DEVICE)
    broken(check_response, made, rule, **changes)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no Patient", {"for": PATIENT}),
        ("more than that", {"intent": "order"}),
        ("more than that", {"status": "accepted"}),
        ("no order", {"focus": {"reference": "Observation/o1"}}),
    ],
)
def test_rules_of_a_proposal(rule: str, changes: Json) -> None:
    made = next(tasks(treatment(), implication=OWN, device_reference=DEVICE))
    broken(check_task, made, rule, **changes)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no Patient", {"patient": PATIENT}),
        ("no order", {"implicated": [{"reference": OWN}]}),
        ("been done", {"mitigation": [{"action": {"text": "stopped"}}]}),
        ("severity", {"severity": "severe"}),
    ],
)
def test_rules_of_a_conflict(rule: str, changes: Json) -> None:
    made = issue(treatment(), implication=OWN, device_reference=DEVICE)
    assert made is not None
    broken(check_issue, made, rule, **changes)


def test_an_action_is_checked_by_its_type() -> None:
    made = next(tasks(treatment(), implication=OWN, device_reference=DEVICE))
    check_action(made)
    with pytest.raises(NotConformant, match="no action"):
        check_action({"resourceType": "Observation"})


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("MedicationRequest/m1", True),
        ("MedicationStatement/m1/_history/2", True),
        ("MedicationDispense/m1", False),
        ("MedicationRequest/m 1", False),
        ("https://a.example/MedicationRequest/m1", False),
        ("", False),
    ],
)
def test_what_is_the_reference_of_an_order(reference: str, expected: bool) -> None:
    assert is_order(reference) is expected
