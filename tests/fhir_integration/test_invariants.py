from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from backend.twin.scales import scale
from fhir_integration.errors import NotConformant
from fhir_integration.forecast_resources import day_observations, observation
from fhir_integration.invariants import check_day, check_forecast, check_structure
from tests.fhir_integration.made import document

Json = dict[str, Any]
Break = Callable[[Json], object]


def broken(change: Break) -> Json:
    resource = copy.deepcopy(observation(document(), device_reference="Device/d1"))
    change(resource)
    return resource


def first(resource: Json, kind: str) -> Json:
    value: Json = next(c[kind] for c in resource["component"] if kind in c)
    return value


def chance(resource: Json, event: str = "worse") -> Json:
    value: Json = next(
        component
        for component in resource["component"]
        if component["code"]["coding"][0]["code"] == f"probability-{event}"
    )
    return value


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda r: chance(r)["valueQuantity"].update(value=1.01), "probability"),
        (lambda r: chance(r)["valueQuantity"].update(value=-0.01), "probability"),
        (lambda r: chance(r)["valueQuantity"].update(code="%"), "probability"),
        (lambda r: chance(r)["valueQuantity"].update(unit="%"), "probability"),
        (lambda r: chance(r).pop("extension"), "probability"),
        (lambda r: chance(r)["extension"][0].update(url="urn:x"), "probability"),
        (lambda r: chance(r).pop("valueQuantity"), "probability"),
        (lambda r: chance(r, "worse-band").pop("dataAbsentReason"), "probability"),
        (
            lambda r: chance(r)["extension"][0]["valueQuantity"].update(value=28),
            "outside",
        ),
        (
            lambda r: chance(r)["extension"][0]["valueQuantity"].update(code="1"),
            "unit",
        ),
        (lambda r: r.update(status="bogus"), "status"),
        (lambda r: r.update(dataAbsentReason={}, valueInteger=1), "obs-6"),
        (
            lambda r: r.update(
                valueInteger=1, component=[*r["component"], {"code": r["code"]}]
            ),
            "obs-7",
        ),
        (lambda r: r.pop("meta"), "AI label"),
        (
            lambda r: r["code"]["coding"].append(
                {"system": "http://loinc.org", "code": "44261-6"}
            ),
            "measurement",
        ),
        (lambda r: first(r, "valueQuantity").update(code="mg"), "unit"),
        (lambda r: first(r, "valueRange")["low"].update(unit="points"), "unit"),
        (lambda r: first(r, "valueRange")["high"].update(value=28), "outside"),
        (lambda r: first(r, "valueRange")["low"].update(value=26), "interval"),
        (lambda r: first(r, "valueQuantity").update(value=1), "interval"),
        (lambda r: r.update(component=r["component"][3:]), "days"),
        (lambda r: r.update(component=r["component"][-2:]), "days"),
    ],
)
def test_a_broken_rule_is_named(change: Break, rule: str) -> None:
    with pytest.raises(NotConformant, match=rule) as caught:
        check_forecast(broken(change), scale("phq9"))
    assert caught.value.status == 422


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("status"),
        lambda r: r.update(valueInteger=1, valueString="Jane"),
        lambda r: r.update(patientName="Jane"),
        lambda r: r.update(issued="Jane"),
    ],
)
def test_what_r4_forbids_is_not_sent_and_not_quoted(change: Break) -> None:
    with pytest.raises(NotConformant, match="breaks R4") as caught:
        check_structure(broken(change))
    assert "Jane" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_check_leaves_the_resource_as_it_was() -> None:
    resource = broken(lambda r: r)
    before = copy.deepcopy(resource)
    check_structure(resource)
    check_forecast(resource, scale("phq9"))
    assert resource == before


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda r: r.pop("meta"), "AI label"),
        (lambda r: r["code"]["coding"][0].update(system="urn:x"), "measurement"),
        (lambda r: r["valueQuantity"].update(code="mg"), "unit"),
        (lambda r: r["valueQuantity"].update(value=27.5), "outside"),
    ],
)
def test_a_flat_day_keeps_the_rules_too(change: Break, rule: str) -> None:
    day = next(day_observations(document(), device_reference="Device/d1"))
    check_day(day, scale("phq9"))
    change(day)
    with pytest.raises(NotConformant, match=rule):
        check_day(day, scale("phq9"))
