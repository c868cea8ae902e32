from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_integration.errors import KeptOtherwise
from fhir_integration.treatment_actions import issue, tasks
from fhir_integration.treatment_comparison import compare_treatment, compare_words
from fhir_integration.treatment_resources import (
    flat_implication,
    flat_response,
    implication,
    response,
)
from tests.fhir_integration.advised import line, treatment

Json = dict[str, Any]
Change = Callable[[Json], object]
DEVICE, OWN = "Device/d1", "Observation/i1"


def advice() -> Json:
    made = treatment(advice=(line(dose_factor=0.5),))
    return implication(made, device_reference=DEVICE)


def estimate() -> Json:
    return response(treatment(), device_reference=DEVICE)


def task() -> Json:
    return next(tasks(treatment(), implication=OWN, device_reference=DEVICE))


def conflict() -> Json:
    made = issue(treatment(), implication=OWN, device_reference=DEVICE)
    assert made is not None
    return made


def part(resource: Json, code: str) -> Json:
    found: Json = next(
        one for one in resource["component"] if one["code"]["coding"][0]["code"] == code
    )
    return found


def detail(resource: Json, url: str) -> Json:
    [whole] = part(resource, "advice")["extension"]
    found: Json = next(one for one in whole["extension"] if one["url"] == url)
    return found


def kept_as(sent: Json, change: Change) -> Json:
    kept = copy.deepcopy(sent)
    change(kept)
    return kept


AWAY = "https://a.example/r4/"


@pytest.mark.parametrize(
    ("made", "change"),
    [
        (advice, lambda r: r.update(id="7", meta={"versionId": "1"})),
        (advice, lambda r: r["component"].reverse()),
        (advice, lambda r: r["note"].append({"text": "seen"})),
        (advice, lambda r: r["subject"].update(reference=f"{AWAY}Patient/p1")),
        (
            advice,
            lambda r: r["derivedFrom"][0].update(reference=f"{AWAY}Observation/g1"),
        ),
        (advice, lambda r: part(r, "advice")["valueCodeableConcept"].pop("text")),
        (
            advice,
            lambda r: part(r, "51963-7")["valueCodeableConcept"]["coding"].append(
                {"system": "urn:x", "code": "c"}
            ),
        ),
        (
            estimate,
            lambda r: part(r, "efficacy")["valueQuantity"].update(value=0.53120),
        ),
        (task, lambda r: r.update(priority="routine")),
        (conflict, lambda r: r["implicated"].reverse()),
    ],
)
def test_a_server_may_add_and_reorder(made: Callable[[], Json], change: Change) -> None:
    compare_treatment(made(), kept_as(made(), change))


@pytest.mark.parametrize(
    ("made", "change", "where"),
    [
        (advice, lambda r: r.update(status="amended"), "status"),
        (advice, lambda r: r["identifier"].clear(), "identifier"),
        (advice, lambda r: r["code"]["coding"][0].update(code="x"), "code"),
        (advice, lambda r: r["subject"].update(reference="Patient/p2"), "patient"),
        (advice, lambda r: r.pop("derivedFrom"), "genotypes"),
        (advice, lambda r: r["derivedFrom"].pop(), "genotypes"),
        (advice, lambda r: r["component"].pop(), "components"),
        (advice, lambda r: r.pop("component"), "components"),
        (advice, lambda r: part(r, "advice").pop("extension"), "components"),
        (
            advice,
            lambda r: detail(r, "source").update(valueString="CPIC"),
            "components",
        ),
        (
            advice,
            lambda r: detail(r, "dose-factor").update(valueDecimal=0.25),
            "components",
        ),
        (
            advice,
            lambda r: detail(r, "dose-change").update(valueBoolean=False),
            "components",
        ),
        (
            advice,
            lambda r: part(r, "advice")["valueCodeableConcept"]["coding"].pop(),
            "components",
        ),
        (
            advice,
            lambda r: part(r, "conclusion-string").update(valueString="other"),
            "components",
        ),
        (
            advice,
            lambda r: part(r, "93044-6")["valueCodeableConcept"].update(text="other"),
            "components",
        ),
        (advice, lambda r: r["note"].pop(), "note"),
        (estimate, lambda r: r["meta"].pop("security"), "AI label"),
        (estimate, lambda r: r.pop("meta"), "AI label"),
        (
            estimate,
            lambda r: part(r, "efficacy")["valueQuantity"].update(value=0.7),
            "components",
        ),
        (estimate, lambda r: part(r, "efficacy").pop("valueQuantity"), "components"),
        (task, lambda r: r.update(intent="order"), "intent"),
        (task, lambda r: r["for"].update(reference="Patient/p2"), "patient"),
        (task, lambda r: r.pop("reasonReference"), "reason"),
        (task, lambda r: r.pop("note"), "note"),
        (conflict, lambda r: r.update(severity="low"), "severity"),
        (conflict, lambda r: r["implicated"].pop(0), "order"),
        (conflict, lambda r: r.update(detail="nothing"), "note"),
        (conflict, lambda r: r["patient"].update(reference="Patient/p2"), "patient"),
    ],
)
def test_what_is_said_may_not_change(
    made: Callable[[], Json], change: Change, where: str
) -> None:
    with pytest.raises(KeptOtherwise, match=where):
        compare_treatment(made(), kept_as(made(), change))


def test_what_was_there_before_may_be_worded_otherwise() -> None:
    def reword(resource: Json) -> None:
        resource["note"] = [{"text": "other words"}]
        detail(resource, "population").update(valueString="all")
        part(resource, "conclusion-string").update(valueString="other")

    compare_treatment(advice(), kept_as(advice(), reword), created=False)
    for change in (
        lambda r: part(r, "advice")["valueCodeableConcept"]["coding"].pop(),
        lambda r: r.pop("component"),
    ):
        with pytest.raises(KeptOtherwise, match="components"):
            compare_treatment(advice(), kept_as(advice(), change), created=False)


@pytest.mark.parametrize("made", [flat_implication, flat_response])
def test_words_alone_may_lose_their_label_and_nothing_else(
    made: Callable[..., Json],
) -> None:
    sent = made(treatment(), device_reference=DEVICE)
    compare_words(sent, {**sent, "meta": {}})
    compare_words(sent, {**sent, "note": []}, created=False)
    with pytest.raises(KeptOtherwise, match="note"):
        compare_words(sent, {**sent, "note": []})
