from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.twin.measures import measures
from backend.twin.scales import known_scales
from fhir_integration import codes
from fhir_integration.correlation_components import components
from fhir_integration.correlation_invariants import check_coefficient, check_correlation
from fhir_integration.correlation_resources import (
    device,
    flat_observation,
    observation,
    provenance,
)
from fhir_integration.errors import NotConformant
from fhir_integration.invariants import check_structure
from fhir_integration.model_outputs import MOST_DERIVED_FROM
from tests.fhir_integration.made import IDENTIFIER, correlation

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fhir"
DEVICE = "Device/d1"
Json = dict[str, Any]
ASSOCIATION: Json = {
    "biometric": "sleep-duration",
    "symptom": "diary:low mood",
    "lag_unit": "nights",
    "lag_hours": 24.0,
    "lag_interval": (-12.0, 36.0),
    "direct": False,
    "p_link": 0.00001,
    "q_value": None,
    "n_eff": None,
    "models": (),
    "sources": (),
    "reasons": (),
}


def emitted(**changes: Any) -> dict[str, Json]:
    """All that may be written for one link."""
    of = correlation(**changes)
    return {
        "Device": device(of),
        "Observation": observation(of, device_reference=DEVICE),
        "Observation-flat": flat_observation(of, device_reference=DEVICE),
        "Provenance": provenance(
            of, observation_references=["Observation/c1"], device_reference=DEVICE
        ),
    }


def made(**changes: Any) -> Json:
    return emitted(**changes)["Observation"]


def parts(**changes: Any) -> dict[str, Json]:
    """The components by their codes."""
    stated = components(correlation(**changes).insight)
    return {one["code"]["coding"][0]["code"]: one for one in stated}


@pytest.mark.parametrize(
    ("name", "changes"), [("link", {}), ("association", ASSOCIATION)]
)
def test_emitted_resources_are_the_golden_ones(name: str, changes: Json) -> None:
    for kind, resource in emitted(**changes).items():
        path = GOLDEN / f"{kind}-{name}.json"
        text = json.dumps(resource, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.with_name(f"{path.stem}_out.json").write_text(text, encoding="utf-8")
            pytest.fail(f"{path.name} differs: read {path.stem}_out.json, then accept")


PAIRS = [(key, "mood-0-10") for key in sorted(measures())]
PAIRS += [("heart-rate", key) for key in sorted(known_scales())]
PAIRS += [("heart-rate", "diary:Stimmung (ü) <&>"), ("unheard of", "own words")]


@pytest.mark.parametrize(("biometric", "symptom"), PAIRS)
def test_every_pair_can_be_written(biometric: str, symptom: str) -> None:
    resources = emitted(biometric=biometric, symptom=symptom, text="a < b & c")
    for resource in resources.values():
        check_structure(resource)
    check_correlation(resources["Observation"])
    check_coefficient(resources["Observation-flat"])


def test_a_pair_bears_the_codes_of_what_was_measured() -> None:
    stated = parts()
    assert stated["predictor"]["valueCodeableConcept"] == {
        "coding": [{"system": codes.LOINC, "code": "80404-7"}],
        "text": "Heart rate variability, SDNN",
    }
    outcome = stated["outcome"]["valueCodeableConcept"]
    assert outcome["coding"] == [{"system": codes.RATING, "code": "mood-0-10"}]
    diary = parts(symptom="diary:low mood")["outcome"]["valueCodeableConcept"]
    assert diary["coding"] == [{"system": codes.DIARY, "code": "low mood"}]
    unknown = parts(biometric="unheard of", symptom="own words")
    assert unknown["predictor"]["valueCodeableConcept"] == {"text": "unheard of"}
    assert unknown["outcome"]["valueCodeableConcept"] == {"text": "own words"}


def test_a_link_wears_no_code_of_a_measurement_and_says_that_a_model_asserts() -> None:
    resources = emitted()
    for kind in ("Observation", "Observation-flat"):
        [coding] = resources[kind]["code"]["coding"]
        assert coding["system"] == codes.CORRELATION
        assert resources[kind]["meta"]["security"] == [codes.AI_LABEL]
        [category] = resources[kind]["category"]
        assert category["coding"][0]["code"] == "prediction"
    assert resources["Provenance"]["meta"]["security"] == [codes.AI_LABEL]


def test_the_period_is_the_windows_local_days() -> None:
    assert made()["effectivePeriod"] == {"start": "2025-12-01", "end": "2026-02-28"}
    noon = np.datetime64("2026-02-27T12:00", "s")
    until_noon = made(window=(np.datetime64("2026-01-01T06:00", "s"), noon))
    period = {"start": "2026-01-01", "end": "2026-02-27"}
    assert until_noon["effectivePeriod"] == period


def test_the_note_says_that_it_is_no_cause_and_how_far_to_rely_on_it() -> None:
    [note] = made(advice="Talk about it", source="WHO 2024")["note"]
    assert note["text"] == (
        "Model estimate, not a measurement. More heart rate variability precedes "
        "better mood by 12 hours. One standard deviation more goes with 0.41 towards "
        "better. This is an association, not a cause: other things may move both. "
        "Reliability medium: worth 121 independent reports (40 or more). Times are "
        "those of the local offsets that the sources state. Talk about it (WHO 2024)"
    )
    assert "<p>More heart rate variability" in made()["text"]["div"]


@pytest.mark.parametrize(
    ("unit", "lag", "ends", "ucum"),
    [
        ("hours", 12.0, (9.0, 15.0), "h"),
        ("days", 24.0, (12.0, 60.0), "d"),
        ("nights", 0.0, (-12.0, 12.0), "d"),
    ],
)
def test_a_lag_is_told_as_sharply_as_it_is_known(
    unit: str, lag: float, ends: tuple[float, float], ucum: str
) -> None:
    stated = parts(lag_unit=unit, lag_hours=lag, lag_interval=ends)
    size = 1 if ucum == "h" else 24
    quantity = stated["lag"]["valueQuantity"]
    assert (quantity["value"], quantity["code"]) == (lag / size, ucum)
    told = stated["lag-interval"]["valueRange"]
    assert (told["low"]["value"], told["high"]["value"]) == (
        ends[0] / size,
        ends[1] / size,
    )


UNKNOWN = ("ci", "lag_hours", "lag_interval", "p_link", "q_value", "n_eff", "direct")
LEFT_OUT = {"ci90", "lag", "lag-interval", "p-link", "q-value", "n-effective", "kind"}


def test_what_is_not_known_is_left_out() -> None:
    assert set(parts()) - set(parts(**dict.fromkeys(UNKNOWN))) == LEFT_OUT
    unknown = made(**dict.fromkeys(UNKNOWN))
    check_correlation(unknown)
    check_structure(unknown)


@pytest.mark.parametrize(
    ("share", "value", "comparator"),
    [(0.0, 1e-4, "<"), (9e-5, 1e-4, "<"), (0.5, 0.5, None), (0.99995, 0.9999, ">")],
)
def test_a_chance_is_never_rounded_to_none_or_to_certainty(
    share: float, value: float, comparator: str | None
) -> None:
    for code in ("p_link", "q_value"):
        quantity = parts(**{code: share})[code.replace("_", "-")]["valueQuantity"]
        assert (quantity["value"], quantity.get("comparator")) == (value, comparator)


def test_an_association_says_so_and_on_what_it_rests() -> None:
    stated = parts(**ASSOCIATION)
    [kind] = stated["kind"]["valueCodeableConcept"]["coding"]
    assert kind["code"] == "association"
    assert "p-value-alone" in stated
    assert "p-value-alone" not in parts()


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({}, "correlation-network", "lag by biometric_correlation version 3, behind"),
        ({"direct": False}, "correlation-network", "a direct link by biometric"),
        ({"models": ()}, "correlation-engine", "engine alone"),
    ],
)
def test_the_method_says_whose_word_it_is(changes: Json, code: str, says: str) -> None:
    method = made(**changes)["method"]
    assert method["coding"][0]["code"] == code
    assert says in method["text"]
    [name] = emitted(**changes)["Device"]["identifier"]
    own = "correlation-engine" if code.endswith("engine") else "biometric_correlation:3"
    assert name["value"].startswith(own)


def test_derived_from_holds_the_newest_and_provenance_all() -> None:
    sources = tuple(f"Observation/o{n}/_history/1" for n in range(250))
    resources = emitted(sources=("row 7", *sources))
    named = [link["reference"] for link in resources["Observation"]["derivedFrom"]]
    assert named == list(sources[-MOST_DERIVED_FROM:])
    entities = resources["Provenance"]["entity"]
    assert [entity["what"]["reference"] for entity in entities] == list(sources)
    nothing = emitted(sources=())
    assert "derivedFrom" not in nothing["Observation"]
    assert "entity" not in nothing["Provenance"]


def test_a_link_without_a_coefficient_is_no_document() -> None:
    with pytest.raises(NotConformant, match="no coefficient"):
        made(coefficient=None)


def test_the_identifier_is_the_documents() -> None:
    stated = [{"system": codes.PREDICTION, "value": str(IDENTIFIER)}]
    assert made()["identifier"] == stated
