"""An instrument made for other ages is left out of the forecasts, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from backend.predictions.errors import NoHistory
from backend.predictions.models import Alert
from backend.twin.person import Person
from backend.twin.record import PatientRecord, Series
from backend.twin.scales import scale
from tests.predictions import fakes

EHR_ID = "ehr-4711"
ADULT = Person(born_first=date(1980, 1, 1), born_last=date(1980, 12, 31))
CHILD = Person(born_first=date(2018, 5, 4), born_last=date(2018, 5, 4))
ADULTS = replace(scale("phq9"), youngest=18, oldest=None)


@pytest.fixture
def severe(ehr) -> None:
    """A diary for all ages, and an adults' questionnaire that is urgent twice over."""
    entries = fakes.questionnaire(8, 20).entries
    ehr.record = PatientRecord(
        series=(fakes.diary(), Series(ADULTS, entries)),
        safety=(fakes.self_harm(fakes.LAST_DAY),),
    )


def keys(answer) -> list[str]:
    return [item.forecast.scale.key for item in answer.instruments]


def test_a_child_gets_no_forecast_of_an_adults_instrument(severe, ask, ehr):
    ehr.persons[EHR_ID] = CHILD
    answer = ask()
    assert keys(answer) == ["mood-0-10"]
    assert answer.refused == {"not-for-age": 2}
    assert answer.notices == (
        "PHQ-9 total score is made for people aged 18 or older; it was left out.",
    )


def test_what_is_urgent_is_said_at_every_age(severe, ask, ehr):
    ehr.persons[EHR_ID] = CHILD
    kinds = [one.kind for one in ask().urgent_findings]
    assert sorted(kinds) == ["self-harm", "severe-band"]
    assert Alert.objects.count() == 2


def test_an_unknown_age_is_said_and_the_forecast_made(severe, ask, ehr):
    answer = ask()
    assert keys(answer) == ["mood-0-10", "phq9"]
    assert answer.refused == {}
    assert answer.notices == (
        "PHQ-9 total score is made for people aged 18 or older; "
        "the patient's age is unknown.",
    )


def test_an_age_that_fits_is_no_news(severe, ask, ehr):
    ehr.persons[EHR_ID] = ADULT
    answer = ask()
    assert keys(answer) == ["mood-0-10", "phq9"]
    assert (answer.refused, answer.notices) == ({}, ())


def test_a_new_date_of_birth_makes_a_new_answer(severe, ask, ehr):
    ehr.persons[EHR_ID] = ADULT
    first = ask()
    ehr.persons[EHR_ID] = CHILD
    second = ask()
    assert not second.reused
    assert keys(second) != keys(first)


def test_where_nothing_fits_it_is_said_why(severe, ask, ehr):
    ehr.persons[EHR_ID] = CHILD
    ehr.record = replace(ehr.record, series=ehr.record.series[1:])
    with pytest.raises(NoHistory) as refused:
        ask()
    said = refused.value.remarks
    assert said.refused == {"not-for-age": 2}
    assert len(said.urgent_findings) == 2
    assert "left out" in said.notices[0]
