from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_integration.correlation_invariants import check_coefficient, check_correlation
from fhir_integration.correlation_resources import flat_observation, observation
from fhir_integration.errors import NotConformant
from tests.fhir_integration.made import correlation

Json = dict[str, Any]
Break = Callable[[Json], object]
LOINC = {"system": "http://loinc.org", "code": "80404-7"}


def whole() -> Json:
    made = observation(correlation(), device_reference="Device/d1")
    return copy.deepcopy(made)


def part(resource: Json, code: str) -> Json:
    found: Json = next(
        one for one in resource["component"] if one["code"]["coding"][0]["code"] == code
    )
    return found


def quantity(resource: Json, code: str) -> Json:
    stated: Json = part(resource, code)["valueQuantity"]
    return stated


OF_ALL: list[tuple[Break, str]] = [
    (lambda r: r.update(status="bogus"), "status"),
    (lambda r: r.update(dataAbsentReason={}), "obs-6"),
    (lambda r: r.pop("meta"), "AI label"),
    (lambda r: r["code"]["coding"].append(LOINC), "measurement"),
    (lambda r: r["subject"].update(reference="Group/g1"), "Patient"),
    (lambda r: r["subject"].update(reference="Patient/p 1"), "Patient"),
    (lambda r: r["valueQuantity"].update(value=1.61), "beyond one"),
    (lambda r: r["valueQuantity"].update(value=-1.61), "beyond one"),
    (lambda r: r["valueQuantity"].update(value=float("nan")), "beyond one"),
    (lambda r: r["valueQuantity"].update(code="%"), "not 1"),
    (lambda r: r["valueQuantity"].update(unit="%"), "not 1"),
    (lambda r: r["effectivePeriod"].update(end="2025-11-30"), "ends before"),
    (lambda r: r["note"][0].update(text="It is the cause."), "no cause"),
]
OF_PARTS: list[tuple[Break, str]] = [
    (lambda r: r["component"].append({"code": r["code"]}), "obs-7"),
    (lambda r: r["component"].append(r["component"][0]), "twice"),
    (lambda r: r["component"].pop(0), "goes with what"),
    (lambda r: r["component"].pop(1), "goes with what"),
    (lambda r: quantity(r, "lag").update(code="d"), "unit"),
    (lambda r: quantity(r, "lag").update(code="wk", unit="wk"), "unit"),
    (lambda r: quantity(r, "lag").update(code="d", unit="d"), "unit"),
    (lambda r: quantity(r, "coverage").update(unit="%"), "unit"),
    (lambda r: part(r, "ci90")["valueRange"]["low"].update(code="%"), "unit"),
    (lambda r: part(r, "ci90")["valueRange"]["low"].update(value=0.5), "coefficient"),
    (lambda r: part(r, "ci90")["valueRange"]["high"].update(value=0.4), "coefficient"),
    (lambda r: quantity(r, "lag").update(value=15.5), "hold the lag"),
    (lambda r: quantity(r, "p-link").update(value=1.1), "probability"),
    (lambda r: quantity(r, "q-value").update(value=-0.1), "probability"),
    (lambda r: quantity(r, "coverage").update(value=1.2), "probability"),
    (lambda r: part(r, "n").update(valueInteger=0), "fewer than one"),
    (lambda r: r["component"].remove(part(r, "n")), "fewer than one"),
    (lambda r: quantity(r, "n-effective").update(value=0), "fewer than one"),
    (lambda r: quantity(r, "lag").update(value=73.0), "longer than"),
]


@pytest.mark.parametrize(("change", "rule"), OF_ALL + OF_PARTS)
def test_a_broken_rule_is_named(change: Break, rule: str) -> None:
    resource = whole()
    if rule == "longer than":
        part(resource, "lag-interval")["valueRange"]["high"]["value"] = 80.0
    check_correlation(resource)
    change(resource)
    with pytest.raises(NotConformant, match=rule) as caught:
        check_correlation(resource)
    assert caught.value.status == 422


@pytest.mark.parametrize(("change", "rule"), OF_ALL)
def test_a_flat_link_keeps_the_rules_too(change: Break, rule: str) -> None:
    made = flat_observation(correlation(), device_reference="Device/d1")
    resource = copy.deepcopy(made)
    check_coefficient(resource)
    change(resource)
    with pytest.raises(NotConformant, match=rule):
        check_coefficient(resource)


@pytest.mark.parametrize("gone", ["lag", "lag-interval", "ci90", "n-effective"])
def test_what_is_left_out_breaks_no_rule(gone: str) -> None:
    resource = whole()
    resource["component"].remove(part(resource, gone))
    check_correlation(resource)


def test_a_lag_may_be_longer_than_a_short_window() -> None:
    """The signals begin three days before the reports."""
    resource = whole()
    resource["effectivePeriod"].update(start="2026-02-28", end="2026-02-28")
    quantity(resource, "lag").update(value=60.0)
    part(resource, "lag-interval")["valueRange"]["high"]["value"] = 70.0
    check_correlation(resource)


def test_a_perfect_link_may_be_estimated_above_one() -> None:
    """The signal's own noise is taken out, so the estimate may lie on either side."""
    of = correlation(coefficient=1.02, ci=(0.9, 1.15))
    check_correlation(observation(of, device_reference="Device/d1"))


def test_the_check_leaves_the_resource_as_it_was() -> None:
    resource = whole()
    check_correlation(resource)
    assert resource == whole()
