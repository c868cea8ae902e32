"""Grades of insights: monotone, with reasons, and what would reach the next bound."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from backend.twin.correlation.insight_grade import (
    BOUNDS,
    grade,
    relative_width,
    reports_for,
)
from backend.twin.correlation.link import Link
from backend.twin.trajectory import Grade
from tests.twin.correlation.linked import ASSOCIATED, STRONG


def sized(n_eff: float | None, width: float) -> Link:
    """A link of coefficient -0.5 with so wide an interval, as a share of it."""
    return replace(STRONG, n_eff=n_eff, ci=(-0.5 - width / 4, -0.5 + width / 4))


@pytest.mark.parametrize(
    ("n_eff", "width", "level"),
    [
        (40, 0.55, Grade.HIGH),
        (39.9, 0.2, Grade.MEDIUM),
        (500, 0.57, Grade.MEDIUM),
        (30, 0.65, Grade.MEDIUM),
        (29.9, 0.2, Grade.LOW),
        (500, 0.67, Grade.LOW),
        (20, 0.74, Grade.LOW),
        (19.9, 0.2, None),
        (500, 0.76, None),
        (None, 0.2, None),
    ],
)
def test_bounds(n_eff: float | None, width: float, level: Grade | None) -> None:
    found = grade(sized(n_eff, width))
    assert (found[0] if found else None) == level


def test_more_information_never_lowers_a_grade() -> None:
    order = [None, Grade.LOW, Grade.MEDIUM, Grade.HIGH]
    counts, widths = (15, 25, 35, 60), (0.8, 0.7, 0.6, 0.5)

    def rank(n_eff: float, width: float) -> int:
        found = grade(sized(n_eff, width))
        return order.index(found[0] if found else None)

    for (i, n_eff), (j, width) in product(enumerate(counts), enumerate(widths)):
        for more, narrower in product(counts[i:], widths[j:]):
            assert rank(more, narrower) >= rank(n_eff, width)


def test_reasons_name_what_made_the_grade_and_what_kept_it_down() -> None:
    assert grade(STRONG) == (
        Grade.HIGH,
        (
            "worth 80 independent reports (40 or more)",
            "the interval is 40 % of the coefficient wide (at most 56 %)",
        ),
    )
    assert grade(sized(34.0, 0.6)) == (
        Grade.MEDIUM,
        (
            "worth 34 independent reports (fewer than 40)",
            "the interval is 60 % of the coefficient wide (above 56 %)",
        ),
    )


def test_an_association_is_low_at_best_and_says_so() -> None:
    found = grade(ASSOCIATED)
    assert found is not None
    assert found[0] == Grade.LOW
    assert found[1][-1] == "an association: other signals explain it"


def test_no_coefficient_has_no_width() -> None:
    for link in (replace(STRONG, coefficient=None), replace(STRONG, ci=None)):
        assert relative_width(link) == float("inf")
        assert reports_for(link) is None
    assert reports_for(replace(STRONG, n_eff=None)) is None


@pytest.mark.parametrize(
    ("n_eff", "width", "times"),
    [(80.0, 1.5, 4.0), (10.0, 0.375, 2.0), (80.0, 0.75, 1.0)],
)
def test_reports_that_would_do(n_eff: float, width: float, times: float) -> None:
    needed = reports_for(sized(n_eff, width))
    assert needed == pytest.approx(200 * times, abs=1)
    assert BOUNDS[-1].width == 0.75
