"""Items and panels: what is added up, and what is an answer for itself."""

from __future__ import annotations

from typing import Any

import pytest

from backend.twin.findings import urgent_findings
from backend.twin.record import Reason
from fhir_integration.codes import INSTRUMENT, ITEMS, LOINC
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import Answer, readings, when
from fhir_integration.reader import read_record
from fhir_integration.subject import Subject
from tests.fhir_integration.made import SINCE, UNTIL, Json, observation

PANEL, TOTAL, ITEM_9, ITEM_1 = "44249-1", "44261-6", "44260-8", "44250-9"


def coded(*names: str) -> Json:
    return {"coding": [{"system": LOINC, "code": name} for name in names]}


def component(name: str, **value: Any) -> Json:
    return {"code": coded(name), **value}


ANSWER = {"valueCodeableConcept": coded("LA6571-9")}


def panel(**changes: Any) -> Json:
    return observation(code=coded(PANEL), valueQuantity=None, **changes)


def all_items(key: str, **value: Any) -> list[Json]:
    return [component(code, **(value or ANSWER)) for code in ITEMS[key]]


PANELS = {"phq9": PANEL, "gad7": "69737-5", "phq2": "55757-9"}


def said(resource: Json) -> list[tuple[Any, ...]]:
    results = readings(
        resource, subject=Subject.at("", "p1"), at=when(resource), until=UNTIL
    )
    return [
        (one.reason, one.safety)
        if isinstance(one, Refused)
        else (one.item, one.value)
        if isinstance(one, Answer)
        else (one.scale.key, one.value, one.safety, one.summed)
        for one in results
    ]


@pytest.mark.parametrize(("key", "total"), [("phq9", 27), ("gad7", 21), ("phq2", 6)])
def test_a_panel_without_a_total_is_summed_and_says_so(key: str, total: float) -> None:
    whole = observation(
        code=coded(PANELS[key]), valueQuantity=None, component=all_items(key)
    )
    assert (key, total, False, True) in said(whole)
    assert ("phq9", 3, True, False) in said(whole) or key != "phq9"


def test_a_stated_total_is_never_replaced() -> None:
    for stated, expected in [
        ({"valueInteger": 12}, ("phq9", 12, False, False)),
        ({"valueInteger": 300}, (Reason.OUTSIDE_SCALE, False)),
        ({"valueString": "n/a"}, (Reason.NOT_A_NUMBER, False)),
    ]:
        parts = [*all_items("phq9"), component(TOTAL, **stated)]
        assert said(panel(component=parts)) == [("phq9", 3, True, False), expected]


def test_a_panel_makes_no_total_of_another_instrument() -> None:
    short = [component(code, **ANSWER) for code in ITEMS["phq2"]]
    assert said(panel(component=short)) == [(Reason.NO_VALUE, False)]


def test_an_unreadable_item_makes_no_total() -> None:
    parts = all_items("gad7")[:-1]
    odd = component(ITEMS["gad7"][-1], valueInteger=4)
    form = observation(
        code=coded("69737-5"), valueQuantity=None, component=[*parts, odd]
    )
    assert said(form) == [(Reason.OUTSIDE_SCALE, False)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (ANSWER, (ITEM_1, 3.0)),
        ({"valueInteger": 2}, (ITEM_1, 2.0)),
        ({"valueInteger": 4}, (Reason.OUTSIDE_SCALE, False)),
        ({"dataAbsentReason": {}}, (Reason.NO_VALUE, False)),
    ],
)
def test_an_item_on_its_own_waits_for_its_siblings(
    changes: Json, expected: tuple[Any, ...]
) -> None:
    alone = observation(code=coded(ITEM_1), valueQuantity=None, **changes)
    assert said(alone) == [expected]


@pytest.mark.parametrize(
    ("code", "answer", "expected"),
    [
        ("93293-9", "LA30370-3", ("cssrs", 1, True, False)),
        ("93293-9", "LA30374-5", ("cssrs", 5, True, False)),
        ("93293-9", "LA6570-1", (Reason.NOT_A_NUMBER, True)),  # of another list
        (ITEM_9, "LA30371-1", (Reason.NOT_A_NUMBER, True)),
        ("93294-7", "LA30374-5", (Reason.UNKNOWN_CODE, False)),  # lifetime: history
    ],
)
def test_ideation_is_a_safety_answer_and_no_score(
    code: str, answer: str, expected: tuple[Any, ...]
) -> None:
    item = observation(
        code=coded(code), valueQuantity=None, valueCodeableConcept=coded(answer)
    )
    assert said(item) == [expected]


def test_ideation_above_zero_is_an_urgent_finding() -> None:
    for answer, kinds in [(2, ["self-harm"]), (0, [])]:
        item = observation(code=coded("93293-9"), valueQuantity={"value": answer})
        record = read_record([item], ehr_patient="p1", since=SINCE, until=UNTIL)
        assert record.series == ()
        assert [found.kind for found in urgent_findings(record, UNTIL)] == kinds


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("madrs-item-10", 6, ("madrs", 6, True, False)),
        ("madrs-item-10", 7, (Reason.OUTSIDE_SCALE, True)),
        ("hamd17-item-3", 4, ("hamd17", 4, True, False)),
        ("epds-item-10", 4, (Reason.OUTSIDE_SCALE, True)),
        ("who5-percent", 72, ("who5", 72, False, False)),
        ("who5-raw", 72, (Reason.OUTSIDE_SCALE, False)),
    ],
)
def test_each_instrument_has_its_own_range(
    code: str, value: int, expected: tuple[Any, ...]
) -> None:
    name = {"coding": [{"system": INSTRUMENT, "code": code}]}
    stated = observation(code=name, valueQuantity=None, valueInteger=value)
    assert said(stated) == [expected]


def test_a_number_under_a_panels_code_is_no_total() -> None:
    for code in ("71354-5", "101697-1", PANEL):
        assert said(observation(code=coded(code))) == [(Reason.UNKNOWN_CODE, False)]


def test_another_type_of_resource_is_no_observation() -> None:
    assert said(observation(resourceType="Procedure")) == [(Reason.WRONG_TYPE, False)]
