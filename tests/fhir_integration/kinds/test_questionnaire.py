from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.twin.record import Reason
from fhir_integration.codes import AI_LABEL, ANSWERS, INSTRUMENT, ITEMS, LOINC
from fhir_integration.kinds.questionnaire import (
    authored,
    read_response,
)
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import Reading
from fhir_integration.subject import Subject
from fhir_integration.times import Moment
from tests.fhir_integration.made import Json

UNTIL = date(2026, 2, 28)
CODES = list(ANSWERS)
PHQ9, PHQ2, GAD7 = ITEMS["phq9"], ITEMS["phq2"], ITEMS["gad7"]
ITEM_9 = "44260-8"
FORM = "http://loinc.org/q/44249-1|2.77"


def coding(number: int) -> Json:
    return {"valueCoding": {"system": LOINC, "code": CODES[number]}}


def item(code: str, answer: Json | None = None, **changes: Any) -> Json:
    answered = {} if answer is None else {"answer": [answer]}
    return {"linkId": f"/{code}", "text": "\u200bany words", **answered, **changes}


def items(codes: tuple[str, ...], number: int = 1) -> list[Json]:
    return [item(code, coding(number)) for code in codes]


def response(*asked: Json, **changes: Any) -> Json:
    made: Json = {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "questionnaire": "http://forms.example/intake",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "authored": "2026-02-14T09:05:00+01:00",
        "item": list(asked),
    }
    made |= changes
    return {name: value for name, value in made.items() if value is not None}


def read(resource: Json) -> list[tuple[Any, ...]]:
    """Each result as (scale, value, what it is) or (reason, safety)."""
    said: list[tuple[Any, ...]] = []
    for result in read_response(resource, subject=Subject.at("", "p1"), until=UNTIL):
        if isinstance(result, Refused):
            said.append((result.reason, result.safety))
        elif isinstance(result, Reading):
            kind = "safety" if result.safety else "sum" if result.summed else "stated"
            said.append((result.scale.key, result.value, kind))
    return said


def test_the_made_response_is_r4() -> None:
    QuestionnaireResponse.model_validate(response(*items(PHQ9)))


TOTAL = item("44261-6", {"valueDecimal": 12})
SUMS: list[tuple[list[Json], list[tuple[Any, ...]]]] = [
    (items(PHQ9, 2), [("phq9", 2, "safety"), ("phq9", 18, "sum")]),
    (items(GAD7, 3), [("gad7", 21, "sum")]),
    (items(PHQ2, 0), [("phq2", 0, "sum")]),
    ([*items(PHQ9), TOTAL], [("phq9", 1, "safety"), ("phq9", 12, "stated")]),
    ([TOTAL], [("phq9", 12, "stated")]),
    ([*items(PHQ2), *items(GAD7)], [("gad7", 7, "sum"), ("phq2", 2, "sum")]),
    (items(PHQ9[:8]), [(Reason.NO_VALUE, False)]),
    (items(PHQ9[1:]), [("phq9", 1, "safety"), (Reason.NO_VALUE, False)]),
    (items(PHQ9[:3]), [(Reason.NO_VALUE, False)]),  # no PHQ-2 in a broken-off PHQ-9
    (
        [*items(PHQ9[:8]), item(ITEM_9)],
        [(Reason.NO_VALUE, True), (Reason.NO_VALUE, False)],
    ),
    (
        [*items(PHQ2), item("44250-9", coding(3))],  # two answers to one item
        [(Reason.NO_VALUE, False)],
    ),
    (
        [*items(PHQ9), item("44261-6", {"valueInteger": 300})],  # stated, unusable
        [("phq9", 1, "safety"), (Reason.OUTSIDE_SCALE, False)],
    ),
    (
        [TOTAL, item("44261-6", {"valueInteger": 20}), *items(PHQ9)],  # which?
        [("phq9", 1, "safety"), *[(Reason.MALFORMED, False)] * 2],
    ),
    ([TOTAL, TOTAL], [("phq9", 12, "stated")] * 2),
    (
        [*items(PHQ9), item("44261-6")],  # asked, not stated
        [("phq9", 1, "safety"), (Reason.NO_VALUE, False), ("phq9", 9, "sum")],
    ),
]


@pytest.mark.parametrize(("asked", "said"), SUMS)
def test_a_total_is_read_else_summed_from_all_items(
    asked: list[Json], said: list[tuple[Any, ...]]
) -> None:
    assert sorted(read(response(*asked)), key=str) == sorted(said, key=str)
    assert sorted(read(response(*asked[::-1])), key=str) == sorted(said, key=str)


def test_a_form_that_names_its_questionnaire_makes_no_other_total() -> None:
    form = response(*items(PHQ2), questionnaire=FORM)
    assert read(form) == [(Reason.NO_VALUE, False)]


DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": DAR, "valueCode": "error"}]}
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
WEIGHED = {
    "system": "urn:site",
    "code": "b",
    "extension": [{"url": ORDINAL, "valueDecimal": 2}],
}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (coding(2), ("phq9", 2, "safety")),
        ({"valueCoding": WEIGHED}, ("phq9", 2, "safety")),
        ({"valueInteger": 2}, ("phq9", 2, "safety")),
        ({"valueDecimal": 2.0}, ("phq9", 2, "safety")),
        ({"valueString": "2"}, ("phq9", 2, "safety")),
        ({"valueQuantity": {"value": 2}}, ("phq9", 2, "safety")),
        ({"valueCoding": {"display": "Several days"}}, (Reason.NOT_A_NUMBER, True)),
        ({"valueString": "Several days"}, (Reason.NOT_A_NUMBER, True)),
        ({"valueDecimal": "2"}, (Reason.NOT_A_NUMBER, True)),
        ({"valueInteger": 4}, (Reason.OUTSIDE_SCALE, True)),
        ({"valueInteger": 1, "valueDecimal": 1}, (Reason.MALFORMED, True)),
        ({"valueQuantity": {"value": 1}, "valueDecimal": 2}, (Reason.MALFORMED, True)),
        ({"valueInteger": 1, "_valueInteger": ABSENT}, (Reason.NO_VALUE, True)),
        ({}, (Reason.NO_VALUE, True)),
    ],
)
def test_an_answer_is_read_in_every_shape(answer: Json, said: tuple[Any, ...]) -> None:
    assert read(response(item(ITEM_9, answer))) == [said]


SAFE = {"answer": [coding(1)]}
FOUND = ("phq9", 1, "safety")


@pytest.mark.parametrize(
    "asked",
    [
        {"linkId": ITEM_9, **SAFE},
        {"linkId": f"/44249-1/{ITEM_9}", **SAFE},
        {"linkId": "q9", "definition": f"http://loinc.org/{ITEM_9}", **SAFE},
        {"linkId": "q9", "definition": f"http://loinc.org#{ITEM_9}", **SAFE},
        {"linkId": "1", "item": [item("1.1", item=[{"linkId": ITEM_9, **SAFE}])]},
        {"linkId": "1", "answer": [{"item": [{"linkId": ITEM_9, **SAFE}]}]},
    ],
)
def test_an_item_is_known_by_its_code_wherever_it_stands(asked: Json) -> None:
    assert read(response(asked)) == [FOUND]


def test_our_own_codes_count_in_a_definition_only() -> None:
    asked = {"linkId": "7", "definition": f"{INSTRUMENT}#madrs-item-10"}
    asked |= {"answer": [{"valueInteger": 6}]}
    assert read(response(asked)) == [("madrs", 6, "safety")]
    assert read(response({**asked, "linkId": "madrs-item-10", "definition": 1})) == [
        (Reason.UNKNOWN_CODE, False)
    ]


@pytest.mark.parametrize(
    ("asked", "form", "lost"),
    [
        ({"linkId": "9", **SAFE}, None, False),
        ({"linkId": "9", **SAFE}, FORM, True),
        ({"linkId": "9", **SAFE}, "https://loinc.org/q/44249-1", True),
        ({"linkId": "9", **SAFE}, "http://loinc.org/q/69737-5", False),
        ({"linkId": "9", **SAFE}, "http://forms.example/44249-1", True),
        ({"linkId": "9", **SAFE}, "http://forms.example/Questionnaire/phq9", True),
        ({"linkId": "9", **SAFE}, "http://forms.example/PHQ-9|2.0", True),
        ({"linkId": "9", **SAFE}, "https://forms.example/q/C-SSRS/", True),
        ({"linkId": "9", **SAFE}, "urn:forms:epds", True),
        ({"linkId": "9", **SAFE}, "#phq-9-questionnaire", True),
        ({"linkId": "9", **SAFE}, "http://forms.example/phq9-teen", True),
        ({"linkId": "9", **SAFE}, "http://forms.example/my-phq9-intake", False),
        ({"linkId": "9", **SAFE}, "http://forms.example/phq9/intake", False),
        ({"linkId": "9", **SAFE}, "http://forms.example/phq2", False),
        ({"linkId": "9", **SAFE}, "http://forms.example/gad-7", False),
        ({"linkId": "9", "definition": "http://x/44260-8"}, None, False),
        ({"linkId": "44249-1"}, None, False),
    ],
)
def test_a_form_without_a_known_item_is_refused(
    asked: Json, form: str | None, lost: bool
) -> None:
    made = response(asked, questionnaire=form)
    assert read(made) == [(Reason.UNKNOWN_CODE, lost)]


def test_two_answers_to_one_question_are_malformed() -> None:
    asked = {**item(ITEM_9), "answer": [coding(0), coding(3)]}
    assert read(response(asked)) == [(Reason.MALFORMED, True)]


REFUSED: list[tuple[Json, Reason, bool]] = [
    ({"resourceType": "Observation"}, Reason.WRONG_TYPE, False),
    ({"meta": {"security": [AI_LABEL]}}, Reason.WRONG_TYPE, False),
    ({"status": "in-progress"}, Reason.NOT_FINAL, True),
    ({"status": "stopped"}, Reason.NOT_FINAL, True),
    ({"status": "entered-in-error"}, Reason.ENTERED_IN_ERROR, False),
    ({"status": "final"}, Reason.MALFORMED, True),
    ({"status": None}, Reason.MALFORMED, True),
    ({"subject": None}, Reason.WRONG_PATIENT, True),
    ({"subject": {"reference": "Patient/p2"}}, Reason.WRONG_PATIENT, False),
    ({"subject": [{"reference": "Patient/p1"}]}, Reason.WRONG_PATIENT, True),
    ({"authored": None}, Reason.NO_DATE, True),
    ({"authored": "2026-02"}, Reason.PARTIAL_DATE, True),
    ({"authored": ["2026-02-14"]}, Reason.MALFORMED, True),
    ({"authored": "2026-03-01"}, Reason.IN_FUTURE, True),
    ({"item": None}, Reason.UNKNOWN_CODE, False),
    ({"item": "junk"}, Reason.UNKNOWN_CODE, False),
    ({"item": None, "questionnaire": FORM}, Reason.UNKNOWN_CODE, True),
]


@pytest.mark.parametrize(("changes", "reason", "lost"), REFUSED)
def test_what_cannot_be_used_is_refused_by_reason(
    changes: Json, reason: Reason, lost: bool
) -> None:
    assert read(response(item(ITEM_9, coding(1)), **changes)) == [(reason, lost)]


@pytest.mark.parametrize("status", ["completed", "amended"])
def test_a_filled_in_form_is_read(status: str) -> None:
    assert read(response(TOTAL, status=status)) == [("phq9", 12, "stated")]


def test_the_time_is_when_the_form_was_filled_in() -> None:
    at = authored(response())
    assert isinstance(at, Moment)
    assert at.at == "2026-02-14T09:05:00+01:00"


def test_endless_nesting_ends() -> None:
    asked: Json = item(ITEM_9, coding(1))
    for _ in range(60):
        asked = {"linkId": "g", "item": [asked]}
    assert read(response(asked)) == [(Reason.UNKNOWN_CODE, False)]


def test_the_us_core_example_is_read(shared: Path) -> None:
    folder = shared / "data" / "fhir" / "examples" / "us-core"
    text = (folder / "QuestionnaireResponse-phq-9-example.json").read_text("utf-8")
    form = json.loads(text)
    form["subject"] = {"reference": "Patient/p1"}
    stated = sorted([("phq9", 12, "stated"), ("phq9", 0, "safety")], key=str)
    assert sorted(read(form), key=str) == stated
    form["item"] = [one for one in form["item"] if one["linkId"] != "/44261-6"]
    summed = sorted([("phq9", 12, "sum"), ("phq9", 0, "safety")], key=str)
    assert sorted(read(form), key=str) == summed


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["item", "answer", "linkId", "valueCoding", "valueDecimal", "code"]
            ),
            inner | st.sampled_from([ITEM_9, "44261-6"]),
            max_size=3,
        )
    ),
    max_leaves=8,
)
NAMES = sorted({*response(), "meta", "definition"})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), JUNK, st.lists(JUNK, max_size=3))
def test_no_object_makes_the_reader_raise(
    name: str, junk: Any, more: list[Any]
) -> None:
    made = {**response(item(ITEM_9, coding(1)), *more), name: junk}
    assert read(made)
