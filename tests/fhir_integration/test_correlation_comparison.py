from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_integration.comparison import compare_coefficient, compare_correlation
from fhir_integration.correlation_resources import flat_observation, observation
from fhir_integration.errors import KeptOtherwise
from tests.fhir_integration.made import correlation

Json = dict[str, Any]
Change = Callable[[Json], object]
Made = Callable[..., Json]


def sent(made: Made = observation, **changes: Any) -> Json:
    return made(correlation(**changes), device_reference="Device/d1")


def kept_as(change: Change, made: Made = observation, **changes: Any) -> Json:
    kept = copy.deepcopy(sent(made, **changes))
    change(kept)
    return kept


def concept(resource: Json, at: int) -> Json:
    value: Json = resource["component"][at]["valueCodeableConcept"]
    return value


def chance(resource: Json) -> Json:
    value: Json = next(
        one["valueQuantity"]
        for one in resource["component"]
        if "comparator" in one.get("valueQuantity", {})
    )
    return value


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(id="7", text={"status": "additional"}),
        lambda r: r["component"].reverse(),
        lambda r: r["subject"].update(reference="https://a.example/r4/Patient/p1"),
        lambda r: r["note"].append({"text": "seen"}),
        lambda r: r["valueQuantity"].update(value=0.41230000001),
        lambda r: concept(r, 0)["coding"].append({"system": "urn:x", "code": "hrv"}),
        lambda r: concept(r, 0).pop("text"),
    ],
)
def test_a_server_may_add_and_reorder(change: Change) -> None:
    compare_correlation(sent(), kept_as(change))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: r["identifier"][0].update(value="x"), "identifier"),
        (lambda r: r.update(status="entered-in-error"), "status"),
        (lambda r: r["code"]["coding"][0].update(system="urn:ehr"), "code"),
        (lambda r: r.pop("meta"), "AI label"),
        (lambda r: r["subject"].update(reference="Patient/p2"), "patient"),
        (lambda r: r["effectivePeriod"].update(start="2026-02-27"), "period"),
        (lambda r: r["valueQuantity"].update(value=0.5), "number"),
        (lambda r: r.pop("valueQuantity"), "number"),
        (lambda r: r.pop("component"), "set of numbers"),
        (lambda r: r["component"].pop(2), "set of numbers"),
        (lambda r: chance(r).pop("comparator"), "set of numbers"),
        (
            lambda r: [
                one.update(valueInteger=9)
                for one in r["component"]
                if "valueInteger" in one
            ],
            "set of numbers",
        ),
        (lambda r: r.pop("note"), "note"),
        (lambda r: concept(r, 0)["coding"][0].update(code="8867-4"), "pair"),
        (lambda r: concept(r, 1).pop("coding"), "pair"),
        (lambda r: concept(r, -1)["coding"][0].update(code="high"), "grade"),
    ],
)
def test_a_server_may_not_drop_or_change(change: Change, part: str) -> None:
    with pytest.raises(KeptOtherwise, match=part):
        compare_correlation(sent(q_value=0.0), kept_as(change, q_value=0.0))


def test_a_name_without_a_code_is_a_pair_too() -> None:
    compare_correlation(
        sent(biometric="own words"), kept_as(len, biometric="own words")
    )
    other = kept_as(lambda r: concept(r, 0).update(text="x"), biometric="own words")
    with pytest.raises(KeptOtherwise, match="pair"):
        compare_correlation(sent(biometric="own words"), other)


def test_an_older_copy_may_be_worded_otherwise_but_has_the_same_numbers() -> None:
    def reworded(resource: Json) -> None:
        resource["note"][0]["text"] = "otherwise"
        concept(resource, -1)["coding"][0]["code"] = "high"

    compare_correlation(sent(), kept_as(reworded), created=False)
    flat = kept_as(lambda r: r["note"].clear(), flat_observation)
    compare_coefficient(sent(flat_observation), flat, created=False)
    other = kept_as(lambda r: r["valueQuantity"].update(value=0.3))
    with pytest.raises(KeptOtherwise, match="number"):
        compare_correlation(sent(), other, created=False)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: r["identifier"][0].update(value="x"), "identifier"),
        (lambda r: r["valueQuantity"].update(value=0.5), "number"),
        (lambda r: r["note"][0].update(text="a cause"), "note"),
    ],
)
def test_a_flat_link_may_lose_its_label_but_not_its_words(
    change: Change, part: str
) -> None:
    kept = kept_as(lambda r: r.pop("meta"), flat_observation)
    compare_coefficient(sent(flat_observation), kept)
    change(kept)
    with pytest.raises(KeptOtherwise, match=part):
        compare_coefficient(sent(flat_observation), kept)
