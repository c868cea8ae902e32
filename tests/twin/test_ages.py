"""Instruments are for some ages; who is not of them gets no forecast of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.twin.ages import ages_said, excluded_scales, for_age, unsure_scales
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord, Reason, SafetyAnswer, Series
from backend.twin.scales import Scale, scale

DAY = date(2026, 3, 1)


def made_for(youngest: int | None, oldest: int | None) -> Scale:
    return replace(scale("phq9"), youngest=youngest, oldest=oldest)


def record(*scales: Scale) -> PatientRecord:
    return PatientRecord(
        series=tuple(
            Series(
                one, (Entry(DAY, 3.0, f"Observation/{n}"), Entry(DAY, 4.0, f"b/{n}"))
            )
            for n, one in enumerate(scales)
        ),
        safety=(SafetyAnswer(scale("phq9"), DAY, 2.0, "Observation/item"),),
    )


def born(first: date, last: date | None = None) -> Person:
    return Person(born_first=first, born_last=last or first)


def turning(age: int) -> date:
    """The birthday of who gets this old on DAY."""
    return DAY.replace(year=DAY.year - age)


ONE = timedelta(days=1)


@pytest.mark.parametrize(
    ("limits", "person", "fate"),
    [
        ((18, None), born(turning(18)), "in"),
        ((18, None), born(turning(18) + ONE), "out"),  # eighteen tomorrow
        ((None, 17), born(turning(18) + ONE), "in"),
        ((None, 17), born(turning(18)), "out"),
        ((12, 17), born(turning(12)), "in"),
        ((12, 17), born(turning(12) + ONE), "out"),
        ((12, 17), born(turning(30)), "out"),
        # born some time in a year
        ((18, None), born(date(2008, 1, 1), date(2008, 12, 31)), "unsure"),
        ((18, None), born(date(2009, 1, 1), date(2009, 12, 31)), "out"),
        ((18, None), born(date(2006, 1, 1), date(2006, 12, 31)), "in"),
        ((None, 17), born(date(2008, 1, 1), date(2008, 12, 31)), "unsure"),
        ((18, None), Person(), "unsure"),
        ((None, 17), Person(), "unsure"),
        ((18, None), None, "unsure"),
        ((None, None), Person(), "in"),
        ((None, None), None, "in"),
        ((None, None), born(turning(3)), "in"),
    ],
)
def test_who_an_instrument_is_for(
    limits: tuple[int | None, int | None], person: Person | None, fate: str
) -> None:
    one = made_for(*limits)
    whole = record(one)
    fitting = for_age(whole, person, DAY)
    assert [series.scale for series in fitting.series] == (
        [] if fate == "out" else [one]
    )
    assert excluded_scales(whole, person, DAY) == ((one,) if fate == "out" else ())
    assert unsure_scales(whole, person, DAY) == ((one,) if fate == "unsure" else ())
    assert len(fitting.refused) == (2 if fate == "out" else 0)


def test_each_entry_left_out_is_counted_and_safety_answers_stay() -> None:
    adults, all_ages = made_for(18, None), scale("mood-0-10")
    whole = record(all_ages, adults)
    child = born(turning(9))
    fitting = for_age(whole, child, DAY)
    assert [series.scale for series in fitting.series] == [all_ages]
    assert {(one.source, one.reason, one.safety) for one in fitting.refused} == {
        ("Observation/1", Reason.NOT_FOR_AGE, False),
        ("b/1", Reason.NOT_FOR_AGE, False),
    }
    assert fitting.safety == whole.safety


def test_a_record_that_fits_is_the_same_record() -> None:
    whole = record(made_for(18, None))
    assert for_age(whole, born(turning(40)), DAY) is whole


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ((12, 17), "aged 12 to 17"),
        ((18, None), "aged 18 or older"),
        ((None, 17), "aged 17 or younger"),
    ],
)
def test_ages_are_said_in_words(
    limits: tuple[int | None, int | None], said: str
) -> None:
    assert ages_said(made_for(*limits)) == said
