"""Ranking figures against their definitions, pair by pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from export_scripts import roc
from export_scripts.bootstrap import KEYS

RNG = np.random.default_rng(5)
SCORE = RNG.integers(0, 8, 60).astype(float)  # with ties
EVENT = RNG.random(60) < 0.2 + SCORE / 15
WEIGHTS = np.stack([np.ones(60), RNG.random(60)])


def by_pairs(weight: np.ndarray) -> float:
    """Hanley and McNeil's definition."""
    won = total = 0.0
    for i in np.flatnonzero(EVENT):
        for j in np.flatnonzero(~EVENT):
            both = weight[i] * weight[j]
            total += both
            won += both * ((SCORE[i] > SCORE[j]) + (SCORE[i] == SCORE[j]) / 2)
    return won / total


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    expected = [by_pairs(weight) for weight in WEIGHTS]
    assert roc.auc(SCORE, EVENT, WEIGHTS) == pytest.approx(expected)
    assert roc.auc(-SCORE, EVENT, WEIGHTS) == pytest.approx([1 - x for x in expected])


def test_without_both_kinds_there_is_no_area() -> None:
    everything = np.ones(60, dtype=bool)
    assert np.isnan(roc.auc(SCORE, everything, WEIGHTS)).all()


def test_the_sensitivity_at_a_cut_is_the_share_above_it() -> None:
    calm = np.array([np.mean(SCORE[~EVENT] < 5), 1.0])
    hit = roc.sensitivity_at(SCORE, EVENT, np.ones((2, 60)), specificity=calm)
    assert hit[0] == pytest.approx(np.mean(SCORE[EVENT] >= 5))
    assert hit[1] < hit[0]


def test_patients_and_their_symptoms_weigh_alike() -> None:
    rows = [("b", "r", "x"), ("a", "p", "x"), ("a", "p", "x"), ("a", "p", "y")]
    rows += [("a", "q", "x")] * 3
    found = roc.weighings(pd.DataFrame(rows, columns=KEYS, index=range(7, 14)))
    at, weights = found["a"]
    assert at.tolist() == [1, 2, 3, 4, 5, 6]
    expected = [1 / 8, 1 / 8, 1 / 4, 1 / 6, 1 / 6, 1 / 6]
    assert weights[0] == pytest.approx(expected)
    assert weights.sum(1) == pytest.approx(np.ones(len(weights)))
    assert len({tuple(row) for row in weights[1:]}) == 3  # two patients, two draws
    assert found["b"][1].shape == weights[:, :1].shape


def test_the_macro_area_is_the_mean_of_the_data_sets() -> None:
    halves = {
        "a": (np.arange(30), WEIGHTS[:, :30]),
        "b": (np.arange(30, 60), WEIGHTS[:, 30:]),
    }
    single = [roc.auc(SCORE[at], EVENT[at], weight) for at, weight in halves.values()]
    macro = roc.macro_auc(SCORE, EVENT, halves)
    np.testing.assert_allclose(macro, np.mean(single, axis=0))
    assert len(roc.macro_auc(SCORE, EVENT, halves, draws=0)) == 1
