from __future__ import annotations

from typing import Any

import pytest

from fhir_integration.treatment_actions import issue, tasks
from tests.fhir_integration.advised import heeded, line, treatment

DEVICE, OWN = "Device/d1", "Observation/i1"
Json = dict[str, Any]


def conflict_of(**changes: Any) -> Json | None:
    return issue(treatment(**changes), implication=OWN, device_reference=DEVICE)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("consider_alternative", "LA26421-0"),
        ("reduced_dosing", "LA26422-8"),
        ("increased_dosing", "LA26423-6"),
        ("careful_monitoring", "careful_monitoring"),
        ("standard_dosing", None),
        ("no_recommendation", None),
    ],
)
def test_what_a_source_advises_to_do_is_proposed(action: str, code: str | None) -> None:
    of = treatment(advice=(line(action=action), line(action=action, source="CPIC")))
    made = list(tasks(of, implication=OWN, device_reference=DEVICE))
    assert [one["code"]["coding"][0]["code"] for one in made] == [code] * bool(code)
    for one in made:
        assert (one["intent"], one["status"]) == ("proposal", "requested")
        assert one["reasonReference"] == {"reference": OWN}
        assert one["description"].endswith("(DPWG, CPIC)")
        assert one["focus"] == {"reference": of.current_order}


def test_a_medicine_that_is_not_taken_has_no_focus_and_no_issue() -> None:
    of = treatment(current_order=None)
    assert issue(of, implication=OWN, device_reference=DEVICE) is None
    made = list(tasks(of, implication=OWN, device_reference=DEVICE))
    assert made
    assert all("focus" not in one for one in made)


ASKS = heeded(severity="caution", needs=("a fact",))


@pytest.mark.parametrize(
    ("advice", "stops", "severity"),
    [
        ((), (heeded(),), "high"),
        ((), (heeded(needs=("a fact",)),), "high"),
        ((), (heeded(severity="caution"),), "moderate"),
        ((), (ASKS,), None),
        ((), (heeded(severity="monitor"),), None),
        ((line(),), (), "moderate"),
        ((line(action="increased_dosing"),), (ASKS,), "moderate"),
        ((line(action="consider_alternative"), line()), (), "high"),
        ((line(action="careful_monitoring"),), (), None),
        ((line(action="standard_dosing"),), (), None),
        ((), (), None),
    ],
)
def test_a_conflict_with_a_current_order_is_an_issue(
    advice: Any, stops: Any, severity: str | None
) -> None:
    made = conflict_of(advice=advice, stops=stops)
    assert (made and made["severity"]) == severity
    if made is not None:
        assert "mitigation" not in made
        implicated = [one["reference"] for one in made["implicated"]]
        assert implicated[0] == "MedicationRequest/m1/_history/2"
        assert implicated[-1] == OWN
