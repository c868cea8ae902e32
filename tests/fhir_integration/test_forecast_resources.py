from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from backend.twin.scales import local_scale, scale, scales
from backend.twin.trajectory import HORIZON, LEVELS, Method
from fhir_integration import codes
from fhir_integration.elements import instant
from fhir_integration.forecast_resources import (
    day_observations,
    device,
    device_name,
    method_text,
    observation,
    provenance,
)
from fhir_integration.invariants import check_forecast, check_structure, days
from fhir_integration.model_outputs import MOST_DERIVED_FROM
from tests.fhir_integration.made import IDENTIFIER, MODELS, document, forecast

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fhir"
DEVICE = "Device/d1"
Json = dict[str, Any]


def made(**changes: Any) -> Json:
    return observation(document(**changes), device_reference=DEVICE)


def emitted(**changes: Any) -> dict[str, Json]:
    """All that is written for one forecast; of the flat days the first."""
    of = document(**changes)
    return {
        "Observation-day": next(day_observations(of, device_reference=DEVICE)),
        "Device": device(of.forecast),
        "Observation": observation(of, device_reference=DEVICE),
        "Provenance": provenance(
            of, observation_references=["Observation/f1"], device_reference=DEVICE
        ),
    }


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("ensemble", {}),
        ("climatology", {"method": "climatology", "models": ()}),
        ("irregular", {"method": "irregular", "models": ()}),
        (
            "prior",
            {
                "method": "prior",
                "models": (),
                "entries": 1,
                "sources": (),
                "reasons": (),
            },
        ),
    ],
)
def test_emitted_resources_are_the_golden_ones(name: str, changes: Json) -> None:
    for kind, resource in emitted(**changes).items():
        path = GOLDEN / f"{kind}-{name}.json"
        text = json.dumps(resource, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.with_name(f"{path.stem}_out.json").write_text(text, encoding="utf-8")
            pytest.fail(f"{path.name} differs: read {path.stem}_out.json, then accept")


@pytest.mark.parametrize("key", sorted(scales()))
def test_every_scale_can_be_written(key: str) -> None:
    for resource in emitted(of=scale(key)).values():
        check_structure(resource)
    check_forecast(made(of=scale(key)), scale(key))


def test_a_diary_item_can_be_written() -> None:
    item = local_scale("cheerful", system=codes.DIARY, low=-3, high=3)
    check_structure(made(of=item))
    check_forecast(made(of=item), item)


def test_flat_days_carry_the_median_and_identifiers_of_their_own() -> None:
    of = document()
    flat = list(day_observations(of, device_reference=DEVICE))
    assert [r["valueQuantity"]["value"] for r in flat] == [
        round(median, 4) for median in of.forecast.median()
    ]
    assert [r["effectiveDateTime"] for r in flat] == [
        day.isoformat() for day in of.forecast.days
    ]
    identifiers = {r["identifier"][0]["value"] for r in flat}
    assert len(identifiers - {str(IDENTIFIER)}) == HORIZON


def test_a_forecast_wears_no_code_of_a_measurement() -> None:
    [coding] = made()["code"]["coding"]
    assert (coding["system"], coding["code"]) == (codes.FORECAST, "phq9-forecast-14d")
    assert "not a measurement" in made()["code"]["text"]


def test_observation_and_provenance_say_that_a_model_asserts() -> None:
    resources = emitted()
    for kind in ("Observation", "Provenance"):
        assert resources[kind]["meta"]["security"] == [codes.AI_LABEL]


def test_titles_count_from_the_last_entry_not_from_today() -> None:
    resources = emitted(last_entry=date(2025, 7, 1), historical=True)
    whole, day = (
        resources[kind]["code"] for kind in ("Observation", "Observation-day")
    )
    assert whole["text"] == (
        "Predicted PHQ-9 total score, 14 days after the last entry of 2025-07-01 "
        "(model estimate, not a measurement)"
    )
    assert whole["coding"][0]["display"] in whole["text"]
    assert day["text"] == (
        "Predicted PHQ-9 total score, median of one of the 14 days after the last "
        "entry of 2025-07-01 (model estimate, not a measurement)"
    )
    assert day["coding"][0]["display"] in day["text"]


def test_the_note_says_what_it_is_and_how_far_to_rely_on_it() -> None:
    [note] = made()["note"]
    assert note["text"] == (
        "Model estimate, not a measurement. Reliability high: "
        "40 days with entries; last entry 1 day ago."
    )


def test_every_day_has_a_median_and_two_intervals() -> None:
    of = forecast()
    stated = days(made())
    assert list(stated) == list(range(1, HORIZON + 1))
    for day, row in enumerate(of.quantiles, start=1):
        low95, low80, median, high80, high95 = (
            round(row[at], 4) for at in (0, 1, 5, 9, 10)
        )
        assert stated[day] == {
            "predicted-value": (median,),
            "pi80": (low80, high80),
            "pi95": (low95, high95),
        }


def test_the_series_detail_holds_every_quantile() -> None:
    of = forecast()
    [detail] = [c for c in made()["component"] if "valueSampledData" in c]
    sampled = detail["valueSampledData"]
    numbers = [float(number) for number in sampled["data"].split()]
    assert numbers == [round(q, 4) for row in of.quantiles for q in row]
    assert (sampled["dimensions"], sampled["period"]) == (len(LEVELS), 86_400_000)
    for level in LEVELS:
        assert f"{level:g}" in detail["code"]["text"]


def test_derived_from_holds_the_newest_and_provenance_all() -> None:
    sources = tuple(f"Observation/o{n}/_history/1" for n in range(250))
    resources = emitted(sources=("row 7", *sources))
    named = [link["reference"] for link in resources["Observation"]["derivedFrom"]]
    assert named == list(sources[-MOST_DERIVED_FROM:])
    entities = resources["Provenance"]["entity"]
    assert [entity["what"]["reference"] for entity in entities] == list(sources)


def test_without_references_nothing_is_claimed_as_source() -> None:
    resources = emitted(sources=("row 7",))
    assert "derivedFrom" not in resources["Observation"]
    assert "entity" not in resources["Provenance"]


def test_the_device_is_the_same_for_the_same_artifacts_only() -> None:
    name = device_name(forecast())
    assert name.startswith("symptom_transformer:1~symptom_xgboost:2~")
    assert device_name(forecast(models=MODELS[::-1])) == name
    other = (MODELS[0], MODELS[1].__class__("symptom_xgboost", 2, "ef" * 32, "x", 0.3))
    assert device_name(forecast(models=other)) != name


@pytest.mark.parametrize("method", sorted({*get_args(Method)} - {"ensemble"}))
def test_a_fallback_has_its_own_device(method: str) -> None:
    assert device_name(forecast(method=method, models=())) == method
    for resource in emitted(method=method, models=()).values():
        check_structure(resource)


def test_the_method_names_weights_or_the_fallback() -> None:
    assert method_text(forecast()) == (
        "Quantile average of 0.70 symptom_transformer version 1 "
        "+ 0.30 symptom_xgboost version 2"
    )
    fallback = method_text(forecast(method="climatology", models=()))
    assert "climatology" in fallback
    of_one = forecast(method="prior", models=(), entries=1)
    assert method_text(of_one).startswith("One entry")
    assert "each at its day" in method_text(forecast(method="irregular", models=()))


@pytest.mark.parametrize(
    ("method", "code", "entries"),
    [
        ("shrinkage", "shrinkage", 9),
        ("prior", "population-prior", 3),
    ],
)
def test_what_an_earlier_version_stored_is_told_as_it_was(
    method: str, code: str, entries: int
) -> None:
    """It may still wait to be delivered; `prior` was for up to six entries then."""
    before = {"method": method, "models": (), "entries": entries}
    told = made(**before)["method"]
    assert [coding["code"] for coding in told["coding"]] == [code]
    assert told["text"].endswith("own scores, moved towards a simulated population")
    assert method_text(forecast(**before)) == told["text"]
    for resource in emitted(**before).values():
        check_structure(resource)


def test_every_method_has_a_code_of_its_own() -> None:
    codes_of = {
        method: made(method=method, entries=1)["method"]["coding"][0]["code"]
        for method in get_args(Method)
    }
    assert codes_of == {
        "ensemble": "quantile-average",
        "climatology": "climatology",
        "irregular": "irregular",
        "prior": "prior",
    }


def test_the_identifier_is_the_documents() -> None:
    assert made()["identifier"] == [
        {"system": codes.PREDICTION, "value": str(IDENTIFIER)}
    ]


def test_an_instant_is_utc_to_the_millisecond() -> None:
    assert instant(document().issued) == "2026-02-28T04:12:33.120Z"
