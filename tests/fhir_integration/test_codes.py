from __future__ import annotations

import pytest

from backend.twin.scales import known_scales, scale
from fhir_integration.codes import (
    LOINC,
    PANELS,
    RATING,
    SOURCE,
    canonical,
    safety_items,
    spellings,
)


def test_the_safety_item_leads_to_its_questionnaire() -> None:
    assert safety_items()[LOINC, "44260-8"] == scale("phq9")


def test_every_panel_holds_an_instrument_of_the_table() -> None:
    assert set(PANELS.values()) <= set(known_scales())
    assert not set(PANELS) & set(safety_items())


def test_other_spellings_of_loinc_are_loinc() -> None:
    assert canonical("urn:oid:2.16.840.1.113883.6.1") == LOINC
    assert canonical("http://snomed.info/sct") == "http://snomed.info/sct"
    assert canonical(["http://loinc.org"]) == ""
    assert set(map(canonical, spellings(LOINC))) == {LOINC}
    assert spellings(RATING) == [RATING]


@pytest.mark.parametrize(
    ("reference", "fits"),
    [
        ("Observation/o1/_history/1", True),
        ("QuestionnaireResponse/q1", True),
        ("Patient/p1", False),
        ("https://ehr.example/Observation/o1", False),
    ],
)
def test_a_forecast_names_what_it_was_made_of(reference: str, *, fits: bool) -> None:
    assert bool(SOURCE.fullmatch(reference)) is fits
