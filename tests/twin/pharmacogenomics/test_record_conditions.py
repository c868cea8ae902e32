"""From diagnoses to what safety rules ask: present, refuted, or not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.twin.conditions import rules
from backend.twin.history import Certainty, ClinicalState, Diagnosis
from backend.twin.pharmacogenomics.record_conditions import (
    LASTING,
    concepts_asked,
    conditions_of,
)

DAY = date(2026, 3, 2)
KIDNEY = Diagnosis(
    concept="kidney",
    system="icd-10-cm",
    code="N18.3",
    state=ClinicalState.ACTIVE,
    certainty=Certainty.CONFIRMED,
    onset=date(2020, 1, 1),
    resolved=None,
    source="Condition/1",
)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, {"kidney": True}),
        ({"state": ClinicalState.UNKNOWN}, {"kidney": True}),
        ({"certainty": Certainty.PROVISIONAL}, {"kidney": True}),
        ({"certainty": Certainty.REFUTED}, {"kidney": False}),
        ({"state": ClinicalState.RESOLVED}, {}),
        ({"resolved": DAY}, {}),
        ({"resolved": date(2026, 3, 3)}, {"kidney": True}),
        ({"concept": "depression"}, {}),
        ({"concept": "epilepsy"}, {"epilepsy": True}),
        (
            {"concept": "eating-disorder", "state": ClinicalState.REMISSION},
            {"eating-disorder": True},
        ),
        ({"concept": "pregnancy", "onset": None}, {}),
        ({"concept": "pregnancy", "onset": date(2025, 12, 1)}, {"pregnancy": True}),
        ({"concept": "pregnancy", "onset": date(2025, 4, 1)}, {}),
        ({"concept": "pregnancy", "onset": date(2026, 4, 1)}, {}),
    ],
)
def test_what_a_diagnosis_says(changed: dict[str, Any], found: dict[str, bool]) -> None:
    assert conditions_of([replace(KIDNEY, **changed)], DAY) == found


def test_one_that_is_there_outweighs_one_that_is_refuted() -> None:
    refuted = replace(KIDNEY, certainty=Certainty.REFUTED)
    assert conditions_of([KIDNEY, refuted], DAY) == {"kidney": True}
    assert conditions_of([refuted, KIDNEY], DAY) == {"kidney": True}


def test_nothing_found_is_nothing_known() -> None:
    assert conditions_of([], DAY) == {}


def test_what_lasts_is_asked_for_and_has_codes() -> None:
    assert concepts_asked() & {one.concept for one in rules()} >= LASTING
