"""How good answers about treatments are, where the true probabilities are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.twin.pharmacogenomics.response_inputs import ANSWER, NEAR, SIDE_EFFECTS
from export_scripts.correlation_scores import auc, calibration_error
from export_scripts.response_data import Rows

AGAIN = 200  # bootstrap samples
CONFIDENCE = ANSWER.index("confidence")
FIRST = ANSWER.index(SIDE_EFFECTS[0])


def outcomes_of(answer: np.ndarray) -> np.ndarray:
    """[row, answer] -> [row, 1 + side effects]: the probabilities of outcomes."""
    return np.concatenate([answer[:, :1], answer[:, FIRST:]], axis=1)


def scores(chance: np.ndarray, rows: Rows) -> dict[str, Any]:
    """Of the probabilities [row, 1 + side effects]: AUC, ECE (ten bins), log score.

    `side_effects` holds both for each; AUC and log score are of the response.
    """
    hit = rows.outcome > 0
    each = {
        name: {"auc": auc(chance[:, i], hit[:, i]), "ece": _error(chance, hit, i)}
        for i, name in enumerate(SIDE_EFFECTS, start=1)
    }
    return rounded(
        {
            "auc": auc(chance[:, 0], hit[:, 0]),
            "ece": _error(chance, hit, 0),
            "log_score": log_score(chance[:, 0], hit[:, 0]),
            "side_effects": each,
        }
    )


def log_score(chance: np.ndarray, hit: np.ndarray) -> float:
    """Mean of minus the logarithm of what was said of the outcome; lower is better."""
    p = chance.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return float(-np.log(np.where(hit, p, 1 - p)).mean())


def near_truth(answer: np.ndarray, rows: Rows) -> dict[str, float]:
    """Confidence against the share of answers that are near the true probability."""
    near = np.abs(answer[:, 0] - rows.chance[:, 0]) <= NEAR
    said = answer[:, CONFIDENCE].astype(np.float64)
    found = {
        "mean": float(said.mean()),
        "near": float(near.mean()),
        "ece": calibration_error(said, near),
        "reported": float((said >= 0.7).mean()),
    }
    return {name: round(value, 4) for name, value in found.items()}


def gain(model: np.ndarray, plain: np.ndarray, hit: np.ndarray) -> dict[str, float]:
    """AUC of `model` over that of `plain`, with its 95 % bootstrap interval."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(AGAIN):
        some = rng.integers(len(hit), size=len(hit))
        found.append(auc(model[some], hit[some]) - auc(plain[some], hit[some]))
    low, high = np.quantile(found, [0.025, 0.975])
    mean = auc(model, hit) - auc(plain, hit)
    return rounded({"mean": mean, "low": float(low), "high": float(high)})


def share_of_oracle(model: float, plain: float, oracle: float) -> float:
    """Which part of what can be known beyond the medicine alone the model knows."""
    return round((model - plain) / (oracle - plain), 4)


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    """Numbers with four decimals, at any depth."""
    return {
        name: rounded(one) if isinstance(one, dict) else round(float(one), 4)
        for name, one in found.items()
    }


def _error(chance: np.ndarray, hit: np.ndarray, place: int) -> float:
    return calibration_error(chance[:, place].astype(np.float64), hit[:, place])
