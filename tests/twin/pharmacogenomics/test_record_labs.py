"""What laboratory values say of conditions, and when they say nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from backend.twin.lab_facts import LabFact
from backend.twin.pharmacogenomics.record_labs import conditions_of_labs

DAY = date(2026, 3, 1)


def fact(kind, value, days_ago=0):
    day = DAY - timedelta(days=days_ago)
    return LabFact(kind, value, "", day, "1", "Observation/1")


CASES = {
    "nothing": ([], {}),
    "filters well": ([fact("egfr", 60.0)], {"kidney": False}),
    "filters less": ([fact("egfr", 59.9)], {"kidney": True}),
    "on the limit of severe": ([fact("egfr", 30.0)], {"kidney": True}),
    "filters little": (
        [fact("egfr", 29.0)],
        {"kidney": True, "severe-kidney": True},
    ),
    "the newest counts": (
        [fact("egfr", 20.0, 30), fact("egfr", 80.0, 3)],
        {"kidney": False},
    ),
    "of one day the gravest": (
        [fact("egfr", 80.0), fact("egfr", 50.0)],
        {"kidney": True},
    ),
    "of the future none": ([fact("egfr", 20.0, -1)], {}),
    "creatinine alone": ([fact("creatinine", 4.0)], {}),
    "long": ([fact("qtc", 460.0)], {"long-qt": True}),
    "not long": ([fact("qtc", 449.0)], {"long-qt": False}),
    "between": ([fact("qtc", 455.0)], {}),
    "the longest of a day": (
        [fact("qtc", 400.0), fact("qtc", 480.0)],
        {"long-qt": True},
    ),
    "pregnant": ([fact("pregnancy", 1.0, 100)], {"pregnancy": True}),
    "born since": ([fact("pregnancy", 1.0, 306)], {}),
    "not pregnant today": ([fact("pregnancy", 0.0)], {"pregnancy": False}),
    "not pregnant yesterday": ([fact("pregnancy", 0.0, 1)], {}),
    "two tests of a day": (
        [fact("pregnancy", 0.0), fact("pregnancy", 1.0)],
        {"pregnancy": True},
    ),
    "not pregnant since": ([fact("pregnancy", 1.0, 9), fact("pregnancy", 0.0, 1)], {}),
}


@pytest.mark.parametrize(("facts", "said"), CASES.values(), ids=CASES)
def test_values_say_what_they_can(facts, said):
    assert conditions_of_labs(facts, DAY) == said
    assert conditions_of_labs(facts[::-1], DAY) == said
