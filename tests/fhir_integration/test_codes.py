from __future__ import annotations

from backend.twin.scales import scale, scales
from fhir_integration.codes import (
    DIARY,
    FORECAST,
    LOINC,
    PANELS,
    RATING,
    canonical,
    safety_items,
    search_tokens,
)


def test_a_search_asks_for_every_scale_and_every_safety_item() -> None:
    tokens = search_tokens().split(",")
    items = {f"{LOINC}|44260-8", f"{LOINC}|44249-1"}
    assert {f"{RATING}|", f"{DIARY}|"} | items <= set(tokens)
    for one in scales().values():
        whole, single = f"{one.system}|", f"{one.system}|{one.code}"
        assert (whole in tokens) != (single in tokens)
    assert len(tokens) == len(set(tokens))


def test_a_search_never_asks_for_forecasts() -> None:
    assert FORECAST not in search_tokens()


def test_the_safety_item_leads_to_its_questionnaire() -> None:
    assert safety_items()[LOINC, "44260-8"] == scale("phq9")


def test_every_panel_holds_an_instrument_of_the_table() -> None:
    assert set(PANELS.values()) <= set(scales())
    assert not set(PANELS) & set(safety_items())


def test_other_spellings_of_loinc_are_loinc() -> None:
    assert canonical("urn:oid:2.16.840.1.113883.6.1") == LOINC
    assert canonical("http://snomed.info/sct") == "http://snomed.info/sct"
    assert canonical(["http://loinc.org"]) == ""
