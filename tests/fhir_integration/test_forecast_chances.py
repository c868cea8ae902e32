from __future__ import annotations

from dataclasses import replace

import pytest

from backend.twin.early_warning import Chance, EarlyWarning
from backend.twin.scales import local_scale, scale, scales
from fhir_integration.codes import ABSENT, DIARY, FORECAST, THRESHOLD, UCUM
from fhir_integration.forecast_chances import chance_components
from fhir_integration.forecast_resources import day_observations, observation
from fhir_integration.invariants import check_forecast, check_structure
from tests.fhir_integration.made import document, forecast, warning

PHQ9 = scale("phq9")


def of_events(*chances: Chance) -> EarlyWarning:
    return replace(warning(PHQ9), chances=chances)


def test_a_probability_has_its_own_code_and_unit_and_names_its_threshold() -> None:
    first, _ = chance_components(forecast())
    assert first["code"]["coding"] == [
        {"system": FORECAST, "code": "probability-worse"}
    ]
    assert first["valueQuantity"] == {
        "value": 0.8123,
        "unit": "1",
        "system": UCUM,
        "code": "1",
    }
    (extension,) = first["extension"]
    assert extension["url"] == THRESHOLD
    assert extension["valueQuantity"]["value"] == 9.45
    assert extension["valueQuantity"]["code"] == "{score}"
    assert "lies above 9.45 points" in first["code"]["text"]
    assert first["code"]["text"].startswith("Model estimate, probability: ")


def test_an_event_without_a_probability_says_why_and_is_not_zero() -> None:
    _, second = chance_components(forecast())
    assert second["dataAbsentReason"] == {
        "coding": [{"system": ABSENT, "code": "not-applicable"}],
        "text": "the last 14 days are in the worst band",
    }
    assert not [key for key in second if key.startswith("value")]
    assert "extension" not in second


def test_a_forecast_stored_before_has_none_and_can_still_be_written() -> None:
    before = document(warning=None, fortnight=())
    assert chance_components(before.forecast) == []
    resource = observation(before, device_reference="Device/d1")
    check_structure(resource)
    check_forecast(resource, PHQ9)


@pytest.mark.parametrize("key", sorted(scales()))
def test_every_scales_warning_keeps_the_rules(key: str) -> None:
    resource = observation(document(of=scale(key)), device_reference="Device/d1")
    check_structure(resource)
    check_forecast(resource, scale(key))


def test_without_a_direction_there_are_up_and_down_and_no_worse() -> None:
    item = local_scale("cheerful", system=DIARY, low=-3, high=3)
    events = (Chance("up", 0.0, "above", 1.0), Chance("down", 1.0, "below", -1.0))
    of = forecast(of=item, warning=of_events(*events))
    made = chance_components(of)
    assert [one["code"]["coding"][0]["code"] for one in made] == [
        "probability-up",
        "probability-down",
    ]
    assert "worse" not in str(made)
    document_of = document(of=item, warning=of_events(*events))
    check_forecast(observation(document_of, device_reference="Device/d1"), item)


def test_a_flat_forecast_carries_no_probability() -> None:
    for day in day_observations(document(), device_reference="Device/d1"):
        assert "probability" not in str(day)
