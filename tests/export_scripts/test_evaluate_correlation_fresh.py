"""p(link) on fresh patients: figures by hand, and the section's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export_scripts.evaluate_correlation_bench import CELLS, WORLDS, Bench, bench
from export_scripts.evaluate_correlation_fresh import (
    asked,
    ece_interval,
    figures,
    reliability,
    section,
    stacked,
)
from tests.export_scripts.told import told_all


def pairs(people: int, *, said: float = 0.5) -> dict[str, Any]:
    """Half of the pairs linked, all of them found; `said` of each."""
    weight = 0.6 * (np.arange(people * 16).reshape(people, 4, 4) % 2)
    return {
        "p_link": np.full(weight.shape, said).tolist(),
        "detected": (weight > 0).astype(int).tolist(),
        "weight": weight.tolist(),
    }


def cells(**kind: Any) -> dict[Any, Any]:
    return {(world, cell): pairs(20, **kind) for world in WORLDS for cell in CELLS}


def test_figures_by_hand() -> None:
    flat = stacked(
        [
            {"p_link": [[0.9, 0.1]], "detected": [[1, 0]], "weight": [[0.3, 0.0]]},
            {"p_link": [[0.5, 0.5]], "detected": [[0, 1]], "weight": [[-0.6, 0.0]]},
        ]
    )
    assert flat["patient"].tolist() == [0, 0, 1, 1]
    found = figures(flat)
    assert (found["pairs"], found["tpr"], found["fpr"]) == (4, 0.5, 0.5)
    assert found["strong"] == 0.0
    assert found["auc"] == pytest.approx(3.5 / 4)
    assert found["ece"] == pytest.approx(0.25 * 0.1 + 0.25 * 0.1)


def test_no_strong_link_has_no_share() -> None:
    flat = stacked([{"p_link": [[0.9]], "detected": [[1]], "weight": [[0.3]]}])
    assert np.isnan(figures(flat)["strong"])


def test_an_interval_holds_the_error_of_an_honest_half() -> None:
    flat = stacked([pairs(50)])
    low, high = ece_interval(flat)
    assert 0 <= low <= figures(flat)["ece"] <= high < 0.1


def test_bins_say_what_came() -> None:
    rows = reliability(stacked([pairs(50, said=0.85)]))
    ((bounds, count, said, came),) = rows
    assert (bounds, count, said) == ("0.8 to 0.9", "800", "85.0")
    assert came == "50.0"


@pytest.mark.parametrize(("said", "words"), [(0.5, "goals are met"), (0.9, "Missed: ")])
def test_the_section_says_whether_goals_are_met(said: float, words: str) -> None:
    text = "\n".join(section(cells(said=said)))
    assert words in text
    assert "| coupled | 30x1 | 320 |" in text
    assert "| both | all four | 2560 |" in text
    assert text.count("all four") == 3


def test_a_strong_link_that_is_missed_is_said() -> None:
    made = cells()
    made["clean", CELLS[-1]]["detected"] = np.zeros((20, 4, 4)).tolist()
    text = "\n".join(section(made))
    assert "Missed: 0.0 % of strong links at 90x4, clean." in text


def test_patients_are_fresh_and_the_same_each_time(shared: Path) -> None:
    found: Bench = bench(shared / "bench" / "correlation")
    one = asked(found, told_all, "clean", (30, 1), people=2)
    assert one == asked(found, told_all, "clean", (30, 1), people=2)
    assert one != asked(found, told_all, "coupled", (30, 1), people=2)
    _, truth = found.simulator.development_patient(0, 30, 1, False)
    assert not np.allclose(one["weight"][0], np.nan_to_num(truth.weight))
    assert np.shape(one["p_link"]) == (2, 4, 4)
    assert np.all(one["detected"])
