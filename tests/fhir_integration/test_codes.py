from __future__ import annotations

from backend.twin.scales import scales
from fhir_integration.codes import (
    DIARY,
    FORECAST,
    LOINC,
    RATING,
    canonical,
    known_scale,
    safety_items,
    search_tokens,
)


def test_a_search_asks_for_every_scale_and_every_safety_item() -> None:
    tokens = search_tokens().split(",")
    assert {f"{RATING}|", f"{DIARY}|", f"{LOINC}|44260-8"} <= set(tokens)
    for scale in scales().values():
        whole, single = f"{scale.system}|", f"{scale.system}|{scale.code}"
        assert (whole in tokens) != (single in tokens)
    assert len(tokens) == len(set(tokens))


def test_a_search_never_asks_for_forecasts() -> None:
    assert FORECAST not in search_tokens()


def test_the_safety_item_leads_to_its_questionnaire() -> None:
    assert safety_items()[LOINC, "44260-8"] == known_scale(LOINC, "44261-6")


def test_other_spellings_of_loinc_are_loinc() -> None:
    assert canonical("urn:oid:2.16.840.1.113883.6.1") == LOINC
    assert canonical("http://snomed.info/sct") == "http://snomed.info/sct"
    assert canonical(["http://loinc.org"]) == ""
