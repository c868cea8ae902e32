"""Intervals against nominal coverage, and against the baselines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from export_scripts.bootstrap import Interval
from export_scripts.differences import difference_section, holds, worse
from export_scripts.real_windows import OURS, PLAIN, REFERENCE, Answered


@pytest.mark.parametrize(
    ("low", "high", "held"),
    [(0.70, 0.75, False), (0.70, 0.781, True), (0.819, 0.9, True), (0.83, 0.9, False)],
)
def test_nominal_may_lie_two_points_outside(
    low: float, high: float, held: bool
) -> None:
    assert holds(Interval(low, low, high), 0.8) is held


def test_few_patients_are_not_called_significant() -> None:
    bad = Interval(-2.0, -3.0, -1.0)
    assert worse(bad, 12) == "yes"
    assert worse(Interval(-2.0, -3.0, 0.1), 12) == "no"
    assert worse(bad, 9) == "fewer than 10 patients"


def test_the_section_names_every_baseline_and_data_set(
    made_answers: Answered,
) -> None:
    text = "\n".join(difference_section(made_answers))
    assert all(f"| {name} | " in text for name in PLAIN)
    assert "| calm_study | 12 | " in text
    one = next(line for line in text.splitlines() if "kossakowski_mdd" in line)
    assert one.count("(one patient)") == 3
    assert one.endswith("| fewer than 10 patients |")
    assert "Of 25 single series" in text


def test_who_is_the_baseline_differs_from_it_by_nothing(
    made_answers: Answered,
) -> None:
    scores = {**made_answers.scores, OURS: made_answers.scores[REFERENCE]}
    text = "\n".join(difference_section(replace(made_answers, scores=scores)))
    nothing = " | ".join(["+0.00 [+0.00, +0.00]"] * 5)
    assert f"| {REFERENCE} | {nothing} |" in text
    assert "Significantly worse than ewclim14: none." in text


def test_a_data_set_that_loses_is_named(made_answers: Answered) -> None:
    bad = made_answers.scores[OURS].assign(wql=9.0)
    scores = {**made_answers.scores, OURS: bad}
    text = "\n".join(difference_section(replace(made_answers, scores=scores)))
    assert "Significantly worse than ewclim14: calm_study." in text
