from __future__ import annotations

from datetime import date

import pytest

from backend.twin.person import Person


@pytest.mark.parametrize(
    ("first", "last", "day", "ages"),
    [
        (date(2000, 5, 6), date(2000, 5, 6), date(2018, 5, 5), (17, 17)),
        (date(2000, 5, 6), date(2000, 5, 6), date(2018, 5, 6), (18, 18)),
        (date(2000, 1, 1), date(2000, 12, 31), date(2018, 5, 6), (17, 18)),
        (date(2004, 2, 29), date(2004, 2, 29), date(2022, 2, 28), (17, 17)),
        (date(2004, 2, 29), date(2004, 2, 29), date(2022, 3, 1), (18, 18)),
    ],
)
def test_ages_in_whole_years(
    first: date, last: date, day: date, ages: tuple[int, int]
) -> None:
    assert Person(born_first=first, born_last=last).ages(day) == ages


@pytest.mark.parametrize(
    "person", [Person(), Person(born_first=date(2000, 1, 1)), Person(deceased=True)]
)
def test_an_unsaid_birth_gives_no_age(person: Person) -> None:
    assert person.ages(date(2026, 3, 2)) is None
