"""The frozen patients' scores: matched rates, goals, and the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from export_scripts.evaluate_correlation_bench import (
    BEST,
    CELLS,
    COLUMNS,
    GOALS,
    Bench,
    Goal,
    bench,
    least_margin,
    misses,
    number,
    predictor,
    recorded,
    scored,
    section,
    title,
    tpr_at,
)
from tests.export_scripts.told import told_all, told_nothing

CELL = (30, 1)


@pytest.fixture(scope="module")
def found(shared: Path) -> Bench:
    return bench(shared / "bench" / "correlation")


class Figures(NamedTuple):
    """A cell that meets every goal, and how to spoil it."""

    made: dict[str, Any]

    def but(self, **others: Any) -> dict[str, Any]:
        return {**self.made, **others}


GOOD = Figures(
    {
        **dict.fromkeys(COLUMNS, 0.9),
        "fpr": 0.05,
        "lag_day": 0.5,
        "auc": 0.99,
        "tpr": 0.95,
        "errors": {"acc": 0.01},
        "at_their_fpr": {"one": [0.4, 0.5], BEST: [0.3, 0.6]},
        "ms": 20.0,
        "pairs": 960,
    }
)


@pytest.mark.parametrize(
    ("fpr", "expected"), [(0.0, 0.5), (0.25, 0.75), (0.3, 0.75), (0.5, 1.0), (1.0, 1.0)]
)
def test_the_rate_of_others_sets_the_limit(fpr: float, expected: float) -> None:
    linked, unlinked = np.array([0.9, 0.8, 0.6, 0.2]), np.array([0.7, 0.3, 0.1, 0.1])
    assert tpr_at(linked, unlinked, {"fpr": fpr}) == expected


def test_ties_do_not_let_more_of_the_others_through() -> None:
    assert tpr_at(np.full(4, 0.5), np.full(4, 0.5), {"fpr": 0.5}) == 0.0


@pytest.mark.parametrize(
    ("goal", "value", "met", "words"),
    [
        (Goal(0.5), 0.5, True, "≥ 0.5"),
        (Goal(0.5), 0.4, False, "≥ 0.5"),
        (Goal(high=0.06), 0.06, True, "≤ 0.06"),
        (Goal(high=0.06), 0.07, False, "≤ 0.06"),
        (Goal(0.86, 0.94), 0.95, False, "0.86–0.94"),
        (Goal(0.86, 0.94), float("nan"), False, "0.86–0.94"),
    ],
)
def test_goals(goal: Goal, value: float, met: bool, words: str) -> None:
    assert goal.met(value) is met
    assert str(goal) == words


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_missed_is_said(cell: tuple[int, int]) -> None:
    assert misses(cell, GOOD.made) == []
    (word,) = misses(cell, GOOD.but(tpr=0.1))
    assert word.startswith("tpr 0.100 (goal ≥")
    behind = {BEST: [0.6, 0.5], "two": [0.1, 0.5]}
    (word,) = misses(cell, GOOD.but(at_their_fpr=behind))
    assert word == f"0.500 of the links at the rate of {BEST}, which has more"
    assert least_margin(GOOD.but(at_their_fpr=behind)) == (BEST, 0.6, 0.5)


def test_every_cell_has_its_goals() -> None:
    assert set(GOALS) == set(CELLS)
    assert GOALS[90, 4]["tpr"] == Goal(0.92)
    assert GOALS[30, 4]["lag_day"] == Goal(high=2.2)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [("tpr", 0.12345, "0.123"), ("lag_day", 1.26, "1.3"), ("ece", None, ".")],
)
def test_numbers(column: str, value: float | None, text: str) -> None:
    assert number(column, value) == text
    assert number(column, float("nan")) == "."


def test_a_predictor_is_found_by_its_name() -> None:
    assert predictor("tests.export_scripts.told:told_nothing") is told_nothing


def test_the_benchmarks_own_scores_are_taken(found: Bench) -> None:
    all_ = scored(found, told_all, "coupled", CELL, patients=2)
    assert (all_["tpr"], all_["fpr"], all_["pairs"]) == (1.0, 1.0, 32)
    nothing = scored(found, told_nothing, "clean", CELL, patients=2)
    assert (nothing["tpr"], nothing["fpr"]) == (0.0, 0.0)
    assert "forward partial GLS" in all_["at_their_fpr"]
    assert not any("network" in name for name in all_["at_their_fpr"])
    theirs, ours = nothing["at_their_fpr"]["forward partial GLS"]
    assert (theirs, ours) == (0.103, 0.0)


def test_the_table_has_our_row_the_recorded_ones_and_the_goals(found: Bench) -> None:
    lines = section(found, "x:y", {("coupled", CELL): GOOD.but(tpr=0.1)})
    text = "\n".join(lines)
    assert "--predictor x:y" in text
    assert "| **MindTwin** | 0.900 | 0.100 |" in text
    assert "| forward partial GLS | 0.529 | 0.072 |" in text
    assert "| *goal* |  | ≥ 0.2 | ≤ 0.06 |" in text
    assert "- coupled 30x1: tpr 0.100 (goal ≥ 0.2)" in text
    assert "is +0.100 (one)" in text
    met = section(found, "x:y", {("clean", CELL): GOOD.made})
    assert "Every goal is met." in met
    assert len(recorded(found, "coupled", (30, 1))) == 12
    assert title((90, 4)) == "90x4"
