from __future__ import annotations

import pytest

from backend.twin.scales import known_scales, scale
from fhir_integration.codes import (
    DIARY,
    FORECAST,
    INSTRUMENT,
    LOINC,
    PANELS,
    RATING,
    SOURCE,
    canonical,
    safety_items,
    search_tokens,
    spellings,
)


def test_a_search_asks_for_every_scale_and_every_safety_item() -> None:
    tokens = search_tokens().split(",")
    items = {f"{LOINC}|{code}" for code in ("44260-8", "44249-1", "44250-9", "93293-9")}
    assert {f"{RATING}|", f"{DIARY}|", f"{INSTRUMENT}|"} | items <= set(tokens)
    for one in known_scales().values():
        whole, single = f"{one.system}|", f"{one.system}|{one.code}"
        assert (whole in tokens) != (single in tokens)
    assert len(tokens) == len(set(tokens))


def test_a_search_never_asks_for_forecasts() -> None:
    assert FORECAST not in search_tokens()


def test_the_safety_item_leads_to_its_questionnaire() -> None:
    assert safety_items()[LOINC, "44260-8"] == scale("phq9")


def test_every_panel_holds_an_instrument_of_the_table() -> None:
    assert set(PANELS.values()) <= set(known_scales())
    assert not set(PANELS) & set(safety_items())


def test_a_search_asks_for_what_a_site_calls_them_too() -> None:
    site = {
        ("urn:site", "PHQ,9"): (LOINC, "44261-6"),
        ("urn:site", "7"): (DIARY, "cheerful"),
        ("urn:site", "height"): (LOINC, "8302-2"),
    }
    asked = search_tokens(site)
    assert "urn:site|PHQ\\,9" in asked
    assert "urn:site|7" in asked
    assert "urn:site|height" not in asked


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
