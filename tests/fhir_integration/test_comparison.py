from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_integration.comparison import compare, compare_day, compare_voucher
from fhir_integration.errors import KeptOtherwise
from fhir_integration.forecast_resources import day_observations, observation
from tests.fhir_integration.made import document

Json = dict[str, Any]


def sent() -> Json:
    return observation(document(), device_reference="Device/d1")


def kept_as(change: Callable[[Json], object]) -> Json:
    kept = copy.deepcopy(sent())
    change(kept)
    return kept


def chance(resource: Json, event: str = "worse") -> Json:
    value: Json = next(
        component
        for component in resource["component"]
        if component["code"]["coding"][0]["code"] == f"probability-{event}"
    )
    return value


def rewrite_numbers(kept: Json) -> None:
    for component in kept["component"]:
        if "valueQuantity" in component:
            component["valueQuantity"]["value"] = float(
                f"{component['valueQuantity']['value']:.6f}"
            )


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(id="7", text={"status": "generated"}),
        lambda r: r["component"].reverse(),
        lambda r: r["subject"].update(reference="https://a.example/r4/Patient/p1"),
        lambda r: r["identifier"].append({"system": "urn:ehr", "value": "9"}),
        lambda r: r["code"]["coding"].insert(0, {"system": "urn:ehr", "code": "9"}),
        lambda r: r["meta"]["security"].insert(0, {"code": "R"}),
        lambda r: r["component"][0]["extension"].append({"url": "urn:x"}),
        rewrite_numbers,
    ],
)
def test_a_server_may_add_and_reorder(change: Callable[[Json], object]) -> None:
    compare(sent(), kept_as(change))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: r.pop("identifier"), "identifier"),
        (lambda r: r["identifier"][0].update(value="x"), "identifier"),
        (lambda r: r.update(status="entered-in-error"), "status"),
        (lambda r: r["code"]["coding"][0].update(system="urn:ehr"), "code"),
        (lambda r: r.pop("meta"), "AI label"),
        (lambda r: r["subject"].update(reference="Patient/p2"), "patient"),
        (lambda r: r.pop("effectivePeriod"), "period"),
        (lambda r: r["effectivePeriod"].update(start="2026-02-27"), "period"),
        (lambda r: r.pop("component"), "set of numbers"),
        (lambda r: r["component"].pop(), "set of numbers"),
        (lambda r: r["component"][0].pop("extension"), "set of numbers"),
        (lambda r: r["component"][0]["valueQuantity"].update(value=1), "numbers"),
        (lambda r: r["component"][0]["valueQuantity"].update(value="x"), "numbers"),
        (lambda r: r["component"][1]["valueRange"].pop("low"), "numbers"),
        (lambda r: r["component"][-2].pop("valueSampledData"), "numbers"),
        (lambda r: r["component"][-1].update(valueCodeableConcept=[]), "grade"),
        (lambda r: chance(r)["valueQuantity"].update(value=0.5), "numbers"),
        (lambda r: chance(r)["valueQuantity"].update(code="%"), "numbers"),
        (lambda r: chance(r).pop("extension"), "numbers"),
        (lambda r: chance(r)["extension"][0].pop("valueQuantity"), "numbers"),
        (
            lambda r: chance(r)["extension"][0]["valueQuantity"].update(value=9),
            "numbers",
        ),
        (
            lambda r: chance(r)["extension"][0]["valueQuantity"].update(code="1"),
            "numbers",
        ),
        (lambda r: chance(r).update(dataAbsentReason={}), "numbers"),
        (lambda r: chance(r, "worse-band").pop("dataAbsentReason"), "numbers"),
        (
            lambda r: chance(r, "worse-band").update(valueQuantity={"value": 0}),
            "numbers",
        ),
    ],
)
def test_a_server_may_not_drop_or_change(
    change: Callable[[Json], object], part: str
) -> None:
    with pytest.raises(KeptOtherwise, match=part):
        compare(sent(), kept_as(change))


def test_an_older_copy_may_have_another_grade_but_not_another_number() -> None:
    graded = kept_as(
        lambda r: r["component"][-1]["valueCodeableConcept"]["coding"][0].update(
            code="low"
        )
    )
    compare(sent(), graded, created=False)
    with pytest.raises(KeptOtherwise, match="grade"):
        compare(sent(), graded)
    graded["component"].pop()
    with pytest.raises(KeptOtherwise, match="numbers"):
        compare(sent(), graded, created=False)


def flat_day() -> Json:
    return next(day_observations(document(), device_reference="Device/d1"))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: r.pop("identifier"), "identifier"),
        (lambda r: r["valueQuantity"].update(value=1), "number"),
        (lambda r: r["valueQuantity"].pop("code"), "number"),
        (lambda r: r.update(effectiveDateTime="2026-01-01"), "day"),
    ],
)
def test_a_flat_day_may_lose_its_label_but_not_its_number(
    change: Callable[[Json], object], part: str
) -> None:
    kept = flat_day()
    kept.pop("meta")
    compare_day(flat_day(), kept)
    change(kept)
    with pytest.raises(KeptOtherwise, match=part):
        compare_day(flat_day(), kept)


VOUCHER: Json = {
    "resourceType": "Provenance",
    "target": [{"reference": "Observation/1"}, {"reference": "Observation/2"}],
    "agent": [{"who": {"reference": "Device/d"}}],
}


def test_a_voucher_may_be_spelled_in_full_and_name_more() -> None:
    base = "https://ehr.example/fhir"
    targets = [f"{base}/Observation/{n}/_history/1" for n in (3, 2, 1)]
    kept = {
        "target": [{"reference": target} for target in targets],
        "agent": [
            {"who": {"display": "gateway"}},
            {"who": {"reference": f"{base}/Device/d/_history/2"}},
        ],
    }
    compare_voucher(VOUCHER, kept)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("agent", {"agent": [{"who": {"display": "gateway"}}]}),
        ("agent", {"agent": [{"who": {"reference": "Device/e"}}]}),
        ("agent", {"agent": [{"who": {"reference": 7}}]}),
        ("agent", {"agent": None}),
        ("target", {"target": [{"reference": "Observation/1"}]}),
        ("target", {"target": [{}]}),
    ],
)
def test_a_voucher_of_another_or_for_less_is_told(part: str, change: Json) -> None:
    with pytest.raises(KeptOtherwise, match=f"another {part}"):
        compare_voucher(VOUCHER, {**VOUCHER, **change})
