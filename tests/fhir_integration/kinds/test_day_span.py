from __future__ import annotations

from datetime import date

import pytest

from fhir_integration.kinds.day_span import day_span


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1987", date(1987, 1, 1), date(1987, 12, 31)),
        ("1987-02", date(1987, 2, 1), date(1987, 2, 28)),
        ("1988-02", date(1988, 2, 1), date(1988, 2, 29)),
        ("1987-06-05", date(1987, 6, 5), date(1987, 6, 5)),
        ("1987-06-05T23:30:00-11:00", date(1987, 6, 5), date(1987, 6, 5)),
    ],
)
def test_the_days_a_date_can_mean(text: str, first: date, last: date) -> None:
    assert day_span(text) == (first, last)


@pytest.mark.parametrize(
    "text", ["", "0000", "1987-13", "1987-00", "1987-02-30", "5.6.1987", None, 1987, []]
)
def test_what_is_no_date_means_no_day(text: object) -> None:
    assert day_span(text) is None
