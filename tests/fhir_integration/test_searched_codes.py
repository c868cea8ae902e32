from __future__ import annotations

from urllib.parse import quote_plus

from backend.twin.measures import measures
from backend.twin.scales import known_scales
from fhir_integration.codes import (
    CORRELATION,
    DIARY,
    FORECAST,
    INSTRUMENT,
    LOINC,
    MEASURE,
    RATING,
)
from fhir_integration.search_values import alternatives
from fhir_integration.searched_codes import LONGEST, signal_codes, symptom_codes

SITE = {
    ("urn:site", "PHQ,9"): (LOINC, "44261-6"),
    ("urn:site", "7"): (DIARY, "cheerful"),
    ("urn:site", "height"): (LOINC, "8302-2"),
    ("urn:site", "pulse"): (LOINC, "8867-4"),
    ("urn:site", "rmssd"): (MEASURE, "hrv-rmssd"),
}


def test_a_search_asks_for_every_scale_and_every_safety_item() -> None:
    [part] = symptom_codes()
    tokens = part.split(",")
    items = {f"{LOINC}|{code}" for code in ("44260-8", "44249-1", "44250-9", "93293-9")}
    assert {f"{RATING}|", f"{DIARY}|", f"{INSTRUMENT}|"} | items <= set(tokens)
    for one in known_scales().values():
        whole, single = f"{one.system}|", f"{one.system}|{one.code}"
        assert (whole in tokens) != (single in tokens)
    assert len(tokens) == len(set(tokens))


def test_a_search_asks_for_every_code_of_every_signal() -> None:
    [part] = signal_codes()
    tokens = part.split(",")
    for measure in measures().values():
        for system, code in measure.codes:
            assert (f"{system}|" in tokens) != (f"{system}|{code}" in tokens)
    assert len(tokens) == len(set(tokens))


def test_a_search_never_asks_for_what_our_models_said() -> None:
    for part in (*symptom_codes(), *signal_codes()):
        assert FORECAST not in part
        assert CORRELATION not in part


def test_a_search_asks_for_what_a_site_calls_them_too() -> None:
    [symptoms], [signals] = symptom_codes(SITE), signal_codes(SITE)
    own = [
        {one for one in alternatives(part) if one.startswith("urn:site")}
        for part in (symptoms, signals)
    ]
    assert own == [
        {"urn:site|PHQ\\,9", "urn:site|7"},
        {"urn:site|pulse", "urn:site|rmssd"},
    ]


def test_a_list_that_is_too_long_for_a_url_comes_in_parts() -> None:
    many = {(f"urn:site:{n}", "PHQ"): (LOINC, "44261-6") for n in range(200)}
    many |= {("urn:" + "x" * 2 * LONGEST, "PHQ"): (LOINC, "44261-6")}
    parts = symptom_codes(many)
    fits = [len(quote_plus(part)) <= LONGEST for part in parts]
    assert fits.count(False) == 1, "one code alone is longer than a list may be"
    whole = [one for part in parts for one in alternatives(part)]
    assert len(whole) == len(set(whole))
    assert {f"urn:site:{n}|PHQ" for n in range(200)} <= set(whole)
    assert set(alternatives(symptom_codes()[0])) <= set(whole)
