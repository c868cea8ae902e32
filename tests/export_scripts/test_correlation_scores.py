"""Scores of answers whose quality is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.correlation.model_inputs import ANSWER
from export_scripts.correlation_scores import auc, calibration_error, scores


@pytest.mark.parametrize(
    ("p_link", "linked", "wanted"),
    [
        ([0.9, 0.8, 0.1], [1, 1, 0], 1.0),
        ([0.1, 0.2, 0.9], [1, 1, 0], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0], 0.5),
        ([0.2, 0.6, 0.4, 0.8], [0, 0, 1, 1], 0.75),
    ],
)
def test_auc(p_link: list[float], linked: list[int], wanted: float) -> None:
    assert auc(np.array(p_link), np.array(linked, bool)) == pytest.approx(wanted)


@pytest.mark.parametrize("linked", [True, False])
def test_auc_of_one_kind_is_unknown(linked: bool) -> None:
    assert np.isnan(auc(np.array([0.1, 0.2]), np.array([linked, linked])))


def test_calibration_error_is_the_mean_gap_of_bins() -> None:
    p_link = np.array([0.05, 0.05, 0.95, 1.0])
    linked = np.array([False, True, True, True])
    assert calibration_error(p_link, linked) == pytest.approx(0.9 / 4 + 0.05 / 4)


def answered(p_link: float, size: float, spread: float, lag: int) -> np.ndarray:
    made = np.zeros((1, 1, len(ANSWER)))
    made[0, 0, :3] = p_link, size, spread
    made[0, 0, 3 + lag] = 1
    return made


def true(lag: float, weight: float, linked: float = 1.0) -> dict[str, np.ndarray]:
    each = {"linked": linked, "lag": lag, "weight": weight, "scored": 1.0}
    return {name: np.full((1, 1), value) for name, value in each.items()}


@pytest.mark.parametrize(
    ("lag", "weight", "inside", "error"),
    [(40, 0.3, (1, 1), 0), (40, 0.7, (0, 1), 0), (44, 0.3, (1, 0), 4)],
)
def test_a_sharp_answer_is_right_or_wrong(
    lag: int, weight: float, inside: tuple[float, float], error: float
) -> None:
    found = scores(answered(0.9, 0.35, 0.1, 40), true(lag, weight))
    assert (found["ci90"], found["lag90"]) == inside
    assert found["lag_error"] == error
    assert found["size_error"] == pytest.approx(abs(0.35 - weight))
    assert found["log_score"] == pytest.approx(-np.log(0.9))


def test_what_was_not_examined_is_not_scored() -> None:
    truth = {**true(3, 0.3), "scored": np.zeros((1, 1))}
    assert scores(answered(0.9, 0.3, 0.1, 3), truth)["pairs"] == 0
