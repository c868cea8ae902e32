"""Doses and timings: what is stated is read, what is not stays unknown."""

from __future__ import annotations

import pytest

from backend.twin.history import Dose
from backend.twin.record import Reason
from fhir_integration.kinds.dosage import planned_end, stated_doses
from fhir_integration.strict_json import Json

UCUM = "http://unitsofmeasure.org"
FORMS = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
MG = {"value": 50, "unit": "mg", "system": UCUM, "code": "mg"}
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
ONCE = Dose(50.0, "mg", 1.0)


def _order(quantity: object, **more: object) -> list[object]:
    return [{"doseAndRate": [{"doseQuantity": quantity}], **more}]


def _every(**repeat: object) -> Json:
    return {"repeat": repeat}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (MG, Dose(50.0, "mg")),
        ({"value": 0.5, "code": "g", "system": UCUM}, Dose(0.5, "g")),
        ({"value": 5, "code": "mg"}, Dose(5.0, "mg")),
        ({"value": 1, "code": "TAB", "system": FORMS}, Dose(1.0, "{tablet}")),
        ({"value": 1, "code": "{tbl}", "system": UCUM}, Dose(1.0, "{tablet}")),
        ({"value": 25, "unit": " MG "}, Dose(25.0, "mg")),
        ({"value": 25, "unit": "mcg"}, Dose(25.0, "ug")),
        ({"value": 2, "unit": "tablets"}, Dose(2.0, "{tablet}")),
        ({"value": 2, "unit": "Capsules"}, Dose(2.0, "{capsule}")),
        ({"value": 1.0}, Reason.NO_UNIT),  # a whole source states no unit at all
        ({"value": 1, "unit": "drop"}, Reason.WRONG_UNIT),
        ({"value": 1, "unit": 3}, Reason.WRONG_UNIT),
        ({"value": 1, "code": "Mg", "system": UCUM}, Reason.WRONG_UNIT),
        ({"value": 1, "code": ["mg"], "system": UCUM}, Reason.WRONG_UNIT),
        ({"value": 1, "code": "mg", "system": "urn:local"}, Reason.WRONG_UNIT),
        ({**MG, "comparator": "<"}, Reason.NOT_A_NUMBER),
        ({**MG, "value": "50"}, Reason.NOT_A_NUMBER),
        ({**MG, "value": True}, Reason.NOT_A_NUMBER),
        ({"unit": "mg"}, Reason.NOT_A_NUMBER),
        ({**MG, "value": 0}, Reason.IMPLAUSIBLE),
        ({**MG, "value": -50}, Reason.IMPLAUSIBLE),
        ({**MG, "value": 10**400}, Reason.IMPLAUSIBLE),
        ({**MG, "value": float("nan")}, Reason.IMPLAUSIBLE),
        ("50 mg", Reason.MALFORMED),
    ],
)
def test_quantities(quantity: object, expected: Dose | Reason) -> None:
    assert stated_doses(_order(quantity)) == (expected,)
    assert stated_doses({"dose": quantity}) == (expected,)  # an administration's


@pytest.mark.parametrize(
    "instructions",
    [None, [], {}, "1-0-0", ["one"], [{"text": "one a day"}], [{"doseAndRate": "1"}]],
)
def test_nothing_stated_is_no_dose(instructions: object) -> None:
    assert stated_doses(instructions) == ()


def test_a_modified_line_takes_the_others_with_it() -> None:
    lines = [*_order(MG), {"modifierExtension": [{"url": "urn:x"}]}]
    assert stated_doses(lines) == (Reason.MODIFIED,)
    ending = {"timing": _every(boundsPeriod={"end": "2026-03-01"})}
    assert planned_end([ending]) == "2026-03-01"
    assert planned_end([{**ending, "modifierExtension": [{}]}]) is None


def test_a_range_is_not_a_dose() -> None:
    either = [{"doseAndRate": [{"doseRange": {"low": MG, "high": MG}}]}]
    assert stated_doses(either) == (Reason.NOT_A_NUMBER,)


def test_of_several_doses_none_is_chosen() -> None:
    taper = [*_order(MG), *_order({**MG, "value": 25})]
    assert stated_doses(taper) == (Reason.NOT_A_NUMBER,)
    assert stated_doses([*_order(MG), *_order(MG)]) == (Dose(50.0, "mg"),)


@pytest.mark.parametrize(
    ("timing", "per_day"),
    [
        (_every(**DAILY), 1.0),
        (_every(frequency=2, period=1, periodUnit="d"), 2.0),
        (_every(frequency=1, period=6, periodUnit="h"), 4.0),
        (_every(period=8, periodUnit="h"), 3.0),
        (_every(frequency=7, period=1, periodUnit="wk"), 1.0),
        (_every(**DAILY, frequencyMax=2), None),
        (_every(**DAILY, periodMax=2), None),
        (_every(**DAILY, dayOfWeek=["mon"]), None),
        (_every(frequency=1, period=1), None),
        (_every(frequency=1, period=1, periodUnit=["d"]), None),
        (_every(frequency=1, period=0, periodUnit="d"), None),
        (_every(frequency="1", period=1, periodUnit="d"), None),
        (_every(frequency=10**400, period=1, periodUnit="d"), None),
        (_every(frequency=1, period=True, periodUnit="d"), None),
        (_every(frequency=2), None),
        ({"code": {"coding": [{"system": GTS, "code": "BID"}]}}, 2.0),
        ({"code": {"coding": [{"system": GTS, "code": "HS"}]}}, None),
        ({"code": {"coding": [{"system": GTS, "code": 2}]}}, None),
        ({"code": {"coding": [{"code": "BID"}]}}, None),
        ({"code": {"text": "twice a day"}}, None),
        ({"code": "BID"}, None),
        ("BID", None),
        (None, None),
    ],
)
def test_how_often(timing: object, per_day: float | None) -> None:
    expected = Dose(50.0, "mg", per_day)
    assert stated_doses(_order(MG, timing=timing)) == (expected,)


@pytest.mark.parametrize(
    "needed",
    [{"asNeededBoolean": True}, {"asNeededCodeableConcept": {"text": "anxiety"}}],
)
def test_as_needed_is_not_so_often(needed: Json) -> None:
    instruction = _order(MG, timing=_every(**DAILY), **needed)
    assert stated_doses(instruction) == (Dose(50.0, "mg", as_needed=True),)


def test_not_as_needed() -> None:
    instruction = _order(MG, timing=_every(**DAILY), asNeededBoolean=False)
    assert stated_doses(instruction) == (Dose(50.0, "mg", 1.0),)


def _at(*when: str, **more: object) -> list[object]:
    return _order(MG, timing=_every(**DAILY, when=list(when)), **more)


TWICE = {"frequency": 2, "period": 1, "periodUnit": "d"}
NEEDED = Dose(50.0, "mg", as_needed=True)


@pytest.mark.parametrize(
    ("repeat", "per_day"),
    [
        ({**DAILY, "when": ["MORN"]}, 1.0),
        ({**TWICE, "when": ["MORN", "HS"]}, 2.0),
        ({**DAILY, "when": ["MORN", "HS"]}, None),  # once, or once at each?
        ({"when": ["MORN", "HS"], "period": 1, "periodUnit": "d"}, None),
        ({"when": ["HS"]}, None),
        ({**DAILY, "when": ["C"]}, None),  # once, or with every meal?
        ({"frequency": 3, "period": 1, "periodUnit": "d", "when": ["C"]}, 3.0),
        ({"timeOfDay": ["08:00:00", "20:00:00"]}, 2.0),
        ({"timeOfDay": ["08:00:00", "08:00:00"]}, 1.0),
        ({"timeOfDay": ["08:00:00"], "dayOfWeek": ["mon"]}, None),
        ({**DAILY, "timeOfDay": ["08:00:00", "20:00:00"]}, None),
        ({**TWICE, "timeOfDay": ["08:00:00", "20:00:00"]}, 2.0),
        ({"timeOfDay": "08:00:00"}, None),
        ({"timeOfDay": [8, 20]}, None),
    ],
)
def test_times_of_day(repeat: Json, per_day: float | None) -> None:
    instruction = _order(MG, timing={"repeat": repeat})
    assert stated_doses(instruction) == (Dose(50.0, "mg", per_day),)


@pytest.mark.parametrize(
    ("lines", "doses"),
    [
        ([*_at("MORN"), *_at("HS")], (Dose(50.0, "mg", 2.0),)),
        (
            [*_at("MORN"), *_order(MG, timing=_every(timeOfDay=["20:00:00"]))],
            (Dose(50.0, "mg", 2.0),),
        ),
        # The same line twice, or a line without a time: one more dose, or a repeat?
        ([*_at("MORN"), *_at("MORN")], (Dose(50.0, "mg"),)),
        ([*_at("MORN"), *_order(MG, timing=_every(**DAILY))], (Dose(50.0, "mg"),)),
        ([*_at("MORN"), *_order(MG, timing=_every(when=["HS"]))], (Dose(50.0, "mg"),)),
        # One after the other.
        ([*_at("MORN", sequence=1), *_at("HS", sequence=2)], (Dose(50.0, "mg"),)),
        ([*_at("MORN", sequence=1), *_at("HS", sequence=1)], (Dose(50.0, "mg", 2.0),)),
        (
            [*_at("MORN"), *_order({**MG, "value": 100}, timing=_every(when=["HS"]))],
            (Reason.NOT_A_NUMBER,),
        ),
        ([*_at("MORN"), *_at("HS", asNeededBoolean=True)], (ONCE, NEEDED)),
        ([*_order(MG, asNeededBoolean=True), *_at("MORN")], (ONCE, NEEDED)),
        (
            [*_at("MORN"), *_order({"value": 1.0}, asNeededBoolean=True)],
            (ONCE, Reason.NO_UNIT),
        ),
        ([*_order({"value": 1}), *_order({"value": 2})], (Reason.NO_UNIT,)),
        ([*_at("MORN"), {"text": "with water"}], (ONCE,)),
    ],
)
def test_several_lines(lines: list[object], doses: tuple[object, ...]) -> None:
    assert stated_doses(lines) == doses


def _until(end: object) -> Json:
    return {"timing": _every(boundsPeriod={"start": "2026-01-01", "end": end})}


@pytest.mark.parametrize(
    ("instructions", "end"),
    [
        ([_until("2026-02-01")], "2026-02-01"),
        ([_until("2026-02-01"), _until("2026-02-01")], "2026-02-01"),
        ([_until("2026-02-01"), _until("2026-03-01")], None),
        ([_until("2026-02-01"), {}], None),
        ([{"timing": {"repeat": "daily"}}], None),
        ([{"timing": {"repeat": {"boundsPeriod": "2026"}}}], None),
        ([], None),
        (None, None),
    ],
)
def test_planned_ends(instructions: object, end: object) -> None:
    assert planned_end(instructions) == end
