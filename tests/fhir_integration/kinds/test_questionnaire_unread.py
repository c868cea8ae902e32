"""What a form may hold that is not read; and the screener of suicidal ideation."""

from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import Reason
from fhir_integration.codes import LOINC
from fhir_integration.kinds.questionnaire import holds_answers
from tests.fhir_integration.kinds.test_questionnaire import (
    FORM,
    ITEM_9,
    SAFE,
    TOTAL,
    Json,
    coding,
    item,
    read,
    response,
)

SCREENER = "https://www.cms.gov/files/document/cssrs-screen-version-instrument.pdf"
YES = {"valueCoding": {"system": LOINC, "code": "LA33-6"}}
NO = {"valueCoding": {"system": LOINC, "code": "LA32-8"}}
LOW = {"valueCoding": {"system": LOINC, "code": "LA9194-7"}}
LOST = (Reason.UNKNOWN_CODE, True)


@pytest.mark.parametrize(
    ("asked", "form", "said"),
    [
        ([item(ITEM_9, coding(0)), {"linkId": "10", **SAFE}], FORM, []),
        ([TOTAL, {"linkId": "10", **SAFE}], FORM, [LOST]),
        ([TOTAL, {"linkId": "10"}], FORM, []),  # nobody answered
        ([TOTAL, {"linkId": "10", **SAFE}], None, []),
        ([item("93246-7", YES), item("93374-7", LOW)], SCREENER, []),
        ([item("93246-7", YES), {"linkId": "q2", **SAFE}], SCREENER, [LOST]),
        ([item("93246-7", YES), item("93299-6", YES)], SCREENER, [LOST]),
    ],
)
def test_an_unread_item_of_a_known_form_may_be_the_answer(
    asked: list[Json], form: str | None, said: list[tuple[Any, ...]]
) -> None:
    found = read(response(*asked, questionnaire=form))
    assert [one for one in found if len(one) == 2] == said


def test_the_screener_of_suicidal_ideation_is_read() -> None:
    codes = {
        "93246-7": "cssrs-wish",
        "93247-5": "cssrs-thoughts",
        "93248-3": "cssrs-method",
        "93249-1": "cssrs-intent",
        "93250-9": "cssrs-plan",
        "93267-3": "cssrs-behaviour",
        "93269-9": "cssrs-behaviour-recent",
    }
    for answer, number in ((YES, 1), (NO, 0), ({"valueBoolean": True}, 1)):
        form = response(*[item(code, answer) for code in codes])
        assert read(form) == [(key, number, "safety") for key in codes.values()]
    assert read(response(item("93246-7", coding(1)))) == [(Reason.NOT_A_NUMBER, True)]


def test_the_answers_of_an_older_version_are_known_to_be_there() -> None:
    question = {"linkId": ITEM_9, "answer": {"valueInteger": 3}}
    for inside in ({"group": {"question": question}}, {"group": [{"group": question}]}):
        assert holds_answers({"resourceType": "QuestionnaireResponse", **inside})
    named = {"questionnaire": {"reference": "Questionnaire/PHQ-9"}}
    assert holds_answers(named)
    assert not holds_answers({"questionnaire": {"reference": 9}})
