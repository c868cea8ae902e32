"""From a record to what advice is asked with; what is not known stays so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from backend.twin.history import Certainty, CourseState
from backend.twin.person import Person
from backend.twin.pharmacogenomics.population import Population
from backend.twin.pharmacogenomics.record_case import case_of
from backend.twin.pharmacogenomics.report import default_options
from backend.twin.record import PatientRecord
from tests.predictions.fakes import LAST_DAY
from tests.predictions.treatments import PERSON, condition, filtration, order, slow

EMPTY = PatientRecord(series=())


def test_an_empty_record_knows_nothing_but_that_nothing_is_taken():
    found = case_of(EMPTY, LAST_DAY)
    assert found.case.calls == () and found.case.conditions == {}
    assert found.case.population == Population()
    assert found.case.medications == default_options()
    assert (found.case.current, found.orders, found.unsure) == ((), {}, {})


def test_medicines_that_the_ehr_does_not_give_are_not_known():
    found = case_of(replace(EMPTY, treatment_known=False), LAST_DAY)
    assert found.case.current is None


def test_genes_medicines_and_conditions_are_those_of_the_record():
    record = replace(slow(), diagnoses=(condition("epilepsy"),), person=PERSON)
    case = case_of(record, LAST_DAY, medications=["bupropion"]).case
    assert [(one.gene, one.diplotype) for one in case.calls] == [
        ("CYP2C19", "*2/*2"),
        ("CYP2D6", "*1/*1"),
    ]
    assert (case.medications, case.current) == (("bupropion",), ("citalopram",))
    assert case.conditions == {"epilepsy": True, "kidney": False}
    assert case.population.age_years == 41


def test_without_a_choice_what_is_taken_is_looked_at_too():
    taken = (order("venlafaxine"), order("citalopram"), order("lisinopril"))
    unknown = replace(order("x"), ingredients=(), code="999")
    record = replace(slow(), medications=(*taken, unknown))
    case = case_of(record, LAST_DAY).case
    assert case.medications == (*default_options(), "venlafaxine")
    assert case.current == ("999", "citalopram", "lisinopril", "venlafaxine")


def test_an_order_is_named_before_a_statement_and_the_newest_first():
    stated = order("citalopram", days_ago=1, kind="MedicationStatement")
    older = replace(order("citalopram", days_ago=90), source="MedicationRequest/old")
    newer = replace(order("citalopram", days_ago=9), source="MedicationRequest/new")
    for events in [(stated, older, newer), (newer, older, stated)]:
        found = case_of(replace(slow(), medications=events), LAST_DAY)
        assert found.orders == {"citalopram": "MedicationRequest/new"}


def test_what_may_be_taken_is_named_and_not_counted():
    held = order("fluoxetine", state=CourseState.ON_HOLD)
    done = order("citalopram", state=CourseState.COMPLETED)
    again = order("citalopram", kind="MedicationStatement")
    record = replace(slow(), medications=(held, done, again))
    found = case_of(record, LAST_DAY)
    assert found.case.current == ("citalopram",)
    assert (
        found.unsure.keys() == {"fluoxetine"} and "hold" in found.unsure["fluoxetine"]
    )


def test_a_medicine_without_a_name_or_code_is_no_medicine():
    nameless = replace(order("x"), ingredients=(), code="")
    assert case_of(replace(slow(), medications=(nameless,)), LAST_DAY).orders == {}


@pytest.mark.parametrize(
    ("certainty", "rate", "there"),
    [
        (Certainty.CONFIRMED, 90.0, True),
        (Certainty.REFUTED, 20.0, True),
        (Certainty.REFUTED, 90.0, False),
    ],
)
def test_either_a_diagnosis_or_a_value_suffices(certainty, rate, there):
    record = replace(
        slow(),
        diagnoses=(condition("kidney", certainty),),
        lab_facts=(filtration(rate),),
    )
    assert case_of(record, LAST_DAY).case.conditions["kidney"] is there


YEAR = {"born_first": date(1960, 1, 1), "born_last": date(1960, 12, 31)}


@pytest.mark.parametrize(
    ("person", "day", "age"),
    [
        (None, LAST_DAY, None),
        (Person(), LAST_DAY, None),
        (PERSON, LAST_DAY, 41),
        (Person(**YEAR), LAST_DAY, 65),  # or 66: no rule asks which
        (Person(**YEAR), date(2025, 6, 1), None),  # 64 or 65: one does
        (Person(**YEAR), date(2030, 6, 1), 69),
    ],
)
def test_an_age_is_known_where_no_rule_lies_between(person, day, age):
    found = case_of(replace(EMPTY, person=person), day)
    assert found.case.population.age_years == age


def test_what_the_clinician_says_goes_before_the_record():
    given = Population(age_years=50, pregnant=False)
    record = replace(slow(), person=PERSON)
    assert case_of(record, LAST_DAY, given=given).case.population == given
    unsaid = Population(pregnant=True)
    made = case_of(record, LAST_DAY, given=unsaid).case.population
    assert made == Population(age_years=41, pregnant=True)
