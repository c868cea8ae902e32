"""Other weights beside the served ones."""

from __future__ import annotations

import pytest

from export_scripts.blends import CHOICES, blend_section
from export_scripts.real_windows import OURS, REFERENCE, Answered


@pytest.fixture(scope="module")
def rows(made_answers: Answered) -> dict[str, list[str]]:
    lines = [line for line in blend_section(made_answers) if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]
    return {name: rest for name, *rest in cells}


def test_each_choice_has_a_row(rows: dict[str, list[str]]) -> None:
    assert list(rows) == ["served", *CHOICES]
    assert rows["served"][-2:] == [".", "."]
    assert len({tuple(row[:2]) for row in list(rows.values())[1:]}) == len(CHOICES)


def test_the_ends_are_the_scored_ones(
    rows: dict[str, list[str]], made_answers: Answered
) -> None:
    score = made_answers.found.score
    served, plain = (
        score.pooled(made_answers.scores[who])["wql"] for who in (OURS, REFERENCE)
    )
    assert float(rows["served"][0]) == pytest.approx(served, abs=1e-4)
    # Equal answers stand in another order there, and empty last days count otherwise.
    assert float(rows["no model (climatology)"][0]) == pytest.approx(plain, rel=0.02)
