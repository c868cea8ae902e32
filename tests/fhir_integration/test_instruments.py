from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import PatientRecord, Reason
from backend.twin.scales import scale, scales
from fhir_integration.codes import DIARY, INSTRUMENT, LOINC, RATING
from fhir_integration.instruments import Instrument, Part, instrument
from fhir_integration.reader import read_record
from tests.fhir_integration.made import SINCE, UNTIL, Json, observation, safety

PANEL, TOTAL, ITEM_9, ITEM_1 = "44249-1", "44261-6", "44260-8", "44250-9"


def read(*resources: Json) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL)


def coded(*names: str, system: str = LOINC) -> Json:
    return {"coding": [{"system": system, "code": name} for name in names]}


def component(name: str, **value: Any) -> Json:
    return {"code": coded(name), **value}


ANSWER = {"valueCodeableConcept": coded("LA6571-9")}
ITEM = component(ITEM_9, **ANSWER)


def panel(**changes: Any) -> Json:
    return observation(code=coded(PANEL), valueQuantity=None, **changes)


def scores(record: PatientRecord) -> list[float]:
    return [entry.value for series in record.series for entry in series.entries]


def answers(record: PatientRecord) -> list[float]:
    return [answer.value for answer in record.safety]


def refusals(record: PatientRecord) -> list[tuple[Reason, bool]]:
    return [(refusal.reason, refusal.safety) for refusal in record.refused]


@pytest.mark.parametrize("key", sorted(scales()))
def test_a_totals_code_names_its_scale(key: str) -> None:
    one = scale(key)
    found = instrument({"code": {"coding": [{"system": one.system, "code": one.code}]}})
    assert found == Instrument(one, Part.TOTAL)
    assert (found.low, found.high) == (one.low, one.high)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ([ITEM_9], Part.SAFETY),
        ([PANEL], Part.PANEL),
        ([PANEL, TOTAL], Part.TOTAL),
        (["1-8", TOTAL], Part.TOTAL),
        (["1-8", PANEL, "1-9"], Part.PANEL),
    ],
)
def test_a_panels_code_counts_last(names: list[str], part: Part) -> None:
    found = instrument({"code": coded(*names)})
    assert isinstance(found, Instrument)
    assert (found.scale, found.part) == (scale("phq9"), part)


@pytest.mark.parametrize(
    "codings",
    [
        coded(TOTAL, "70274-6"),  # the totals of PHQ-9 and GAD-7
        coded(TOTAL, ITEM_1),
        coded(ITEM_1, "44255-8"),
        {"coding": [*coded(TOTAL)["coding"], {"system": DIARY, "code": "calm"}]},
    ],
)
def test_two_meanings_in_one_concept_are_neither(codings: Json) -> None:
    for order in (codings["coding"], codings["coding"][::-1]):
        element = {"code": {"coding": order}}
        assert instrument(element) is Reason.UNKNOWN_CODE
        assert scores(read(observation(**element))) == []


def test_an_answer_is_one_whatever_else_it_is_called() -> None:
    for names in ([TOTAL, ITEM_9], [ITEM_9, TOTAL], [ITEM_9, ITEM_1]):
        record = read(observation(code=coded(*names), valueQuantity={"value": 2}))
        assert (scores(record), answers(record)) == ([], [2.0])


@pytest.mark.parametrize(
    ("of", "value", "read_as"),
    [
        (coded(TOTAL), 10.5, []),
        (coded(TOTAL), 11.0, [11.0]),
        (coded("who5-percent", system=INSTRUMENT), 50, []),
        (coded("who5-percent", system=INSTRUMENT), 52, [52.0]),
        (coded(ITEM_9), 0.5, []),
        (coded("mood-0-10", system=RATING), 5.5, [5.5]),  # a day's mean
    ],
)
def test_what_lies_between_two_steps_is_no_total(
    of: Json, value: float, read_as: list[float]
) -> None:
    record = read(observation(code=of, valueQuantity={"value": value}))
    assert scores(record) == read_as
    outside = [reason for reason, _ in refusals(record)]
    assert outside == ([] if read_as else [Reason.OUTSIDE_SCALE])


def test_a_total_brings_its_safety_item() -> None:
    record = read(observation(component=[component(ITEM_1, **ANSWER), ITEM]))
    assert (scores(record), answers(record)) == ([12.0], [3.0])
    assert record.safety[0].source == "Observation/o1/_history/1"
    assert record.refused == ()


def test_a_panel_brings_its_total_and_its_safety_item() -> None:
    record = read(panel(component=[ITEM, component(TOTAL, valueInteger=24)]))
    assert (scores(record), answers(record)) == ([24.0], [3.0])
    assert record.refused == ()


def test_items_that_are_not_all_there_are_not_added_up() -> None:
    record = read(panel(component=[component(ITEM_1, **ANSWER), ITEM]))
    assert (scores(record), answers(record)) == ([], [3.0])
    assert refusals(record) == [(Reason.NO_VALUE, False)]


ZERO_WIDTH = {"system": LOINC, "code": TOTAL, "display": "PHQ\u200b-9 total"}


@pytest.mark.parametrize(
    "codings",
    [
        [ZERO_WIDTH],
        [{"system": "urn:site", "code": TOTAL}, ZERO_WIDTH],
        [{"system": "http://snomed.info/sct", "code": "720433000"}, ZERO_WIDTH],
        ["junk", {}, {"system": [], "code": {}}, ZERO_WIDTH],
        [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": TOTAL}],
        [{"system": "https://loinc.org", "code": TOTAL}],
    ],
)
def test_codes_are_matched_by_system_and_code_alone(codings: list[Any]) -> None:
    stated = observation(code={"coding": codings, "text": "GAD-7"})
    assert [scores(read(stated)), refusals(read(stated))] == [[12.0], []]


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": LOINC, "code": "91006-2", "display": "PHQ-9 total"}]},
        {"coding": [{"system": LOINC, "code": f" {TOTAL}"}]},
        {"coding": [{"system": LOINC, "code": f"\u200b{TOTAL}"}]},
        {"coding": [{"system": "urn:site", "code": TOTAL}]},
        {"coding": [{"system": None, "code": TOTAL}]},
        {"coding": {"system": LOINC, "code": TOTAL}},
        {"coding": []},
        {"text": "Patient Health Questionnaire 9 item (PHQ-9) total score"},
        {},
        [],
    ],
)
def test_what_no_coding_names_is_unknown(code: Any) -> None:
    assert refusals(read(observation(code=code))) == [(Reason.UNKNOWN_CODE, False)]


def test_a_total_within_a_total_is_not_read() -> None:
    record = read(observation(component=[component(TOTAL, valueInteger=24)]))
    assert scores(record) == [12.0]


def test_a_panel_has_no_total_of_another_instrument() -> None:
    record = read(panel(component=[ITEM, component("70274-6", valueInteger=9)]))
    assert scores(record) == []


def test_a_total_without_a_number_still_brings_the_answer() -> None:
    record = read(observation(valueQuantity=None, component=[ITEM]))
    assert answers(record) == [3.0]
    assert refusals(record) == [(Reason.NO_VALUE, False)]


def test_an_unknown_form_still_brings_the_answer() -> None:
    record = read(observation(code={"text": "intake form"}, component=[ITEM]))
    assert answers(record) == [3.0]
    assert refusals(record) == [(Reason.UNKNOWN_CODE, False)]


def test_a_mood_rating_has_no_items() -> None:
    rated = {"coding": [{"system": RATING, "code": "mood-0-10"}]}
    changes = {"code": rated, "valueQuantity": {"value": 5}}
    record = read(observation(component="junk", **changes))
    assert (len(record.series), record.refused) == (1, ())


def test_an_item_in_a_component_and_on_its_own_counts_once() -> None:
    record = read(observation(component=[ITEM]), safety("s1", "LA6571-9"))
    assert answers(record) == [3.0]
    assert refusals(record) == [(Reason.DUPLICATE, False)]


def test_a_newer_version_takes_back_all_parts() -> None:
    first = panel(component=[ITEM, component(TOTAL, valueInteger=24)])
    second = {**first, "status": "entered-in-error", "meta": {"versionId": "2"}}
    first["meta"] = {"versionId": "1"}
    record = read(second, first)
    assert (scores(record), answers(record)) == ([], [])
    assert refusals(record) == [
        (Reason.DUPLICATE, False),
        (Reason.ENTERED_IN_ERROR, False),
    ]


MEMBER = {"reference": "Observation/o7"}


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, [(Reason.UNKNOWN_CODE, False)]),
        ({"valueInteger": 24}, [(Reason.UNKNOWN_CODE, False)]),
        ({"hasMember": [MEMBER, {"reference": "#o7"}]}, [(Reason.UNKNOWN_CODE, True)]),
        (
            {"hasMember": [{"reference": "QuestionnaireResponse/q1"}]},
            [(Reason.UNKNOWN_CODE, True)],
        ),
        (
            {"component": [{"code": {"text": "item 9"}, **ANSWER}]},
            [(Reason.UNKNOWN_CODE, True)],
        ),
        (
            {"status": "preliminary", "component": [component("1-8", **ANSWER)]},
            [(Reason.NOT_FINAL, True)],
        ),
        ({"status": "preliminary", "hasMember": [MEMBER]}, [(Reason.NOT_FINAL, False)]),
    ],
)
def test_a_panel_of_which_nothing_is_read_says_what_is_lost(
    changes: Json, refused: list[tuple[Reason, bool]]
) -> None:
    record = read(panel(**changes))
    assert (record.series, record.safety) == ((), ())
    assert refusals(record) == refused


CSSRS = "93373-9"
NUMBERED = component("1-8", valueInteger=1)


@pytest.mark.parametrize(
    ("code", "parts", "lost"),
    [
        (PANEL, [ITEM, NUMBERED], False),  # there is one safety item, and it is read
        (PANEL, [component(TOTAL, valueInteger=24), NUMBERED], True),
        (PANEL, [component(TOTAL, valueInteger=24)], False),
        (CSSRS, [component("93246-7", valueBoolean=False)], False),
        (CSSRS, [component("93246-7", valueBoolean=False), NUMBERED], True),
        (
            CSSRS,
            [component("93246-7", valueBoolean=False), component("93374-7")],
            False,
        ),
        ("89206-7", [component("89204-2", valueInteger=24), NUMBERED], True),
        ("69737-5", [component("70274-6", valueInteger=9), NUMBERED], False),
    ],
)
def test_an_unread_part_beside_read_ones_may_be_the_answer(
    code: str, parts: list[Json], lost: bool
) -> None:
    record = read(panel(component=parts) | {"code": coded(code)})
    assert [one for one in refusals(record) if one[1]] == (
        [(Reason.UNKNOWN_CODE, True)] if lost else []
    )
