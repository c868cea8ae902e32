"""How well a number ranks windows by what followed, weighed by patients and data sets.

Inside a data set every patient weighs the same, inside a patient every symptom, inside
a symptom every window: the averages of the benchmark, for figures that are no averages.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from export_scripts.bootstrap import DRAWS, KEYS, counts


def weighings(keys: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per data set its rows in `keys`, and their weights [1 + DRAWS, row].

    The first row of weights is the people as they are, the others draws of them; the
    weights of the first sum to 1. `keys` is a frame with the columns `KEYS`.
    """
    found = {}
    for name, part in keys.reset_index(drop=True).groupby("dataset"):
        windows = part.groupby(KEYS)["symptom"].transform("size")
        symptoms = part.groupby("patient")["symptom"].transform("nunique")
        patient, people = part["patient"].factorize()
        weight = 1 / (windows * symptoms).to_numpy() / len(people)
        drawn = np.concatenate([np.ones((1, len(people))), counts(name, len(people))])
        found[str(name)] = (part.index.to_numpy(), weight * drawn[:, patient])
    return found


def auc(score: np.ndarray, event: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve for every row of weights [draw, window] -> [draw].

    The probability that a window with the event has the higher score than one without,
    ties counting half (Hanley & McNeil 1982); NaN where a draw has only one kind.
    """
    with_event, without = _steps(score, event, weights)
    below = np.cumsum(without, axis=1) - without / 2
    both = with_event.sum(1) * without.sum(1)
    area = (with_event * below).sum(1)
    unknown = np.full(len(area), np.nan)
    found: np.ndarray = np.divide(area, both, out=unknown, where=both > 0)
    return found


def macro_auc(
    score: np.ndarray,
    event: np.ndarray,
    weights: dict[str, tuple[np.ndarray, np.ndarray]],
    *,
    draws: int = DRAWS,
) -> np.ndarray:
    """The mean of the data sets' areas: as it is, then in `draws` draws [1 + draws]."""
    areas = [
        auc(score[rows], event[rows], weight[: 1 + draws])
        for rows, weight in weights.values()
    ]
    mean: np.ndarray = np.nanmean(areas, axis=0)
    return mean


def sensitivity_at(
    score: np.ndarray,
    event: np.ndarray,
    weights: np.ndarray,
    *,
    specificity: np.ndarray,
) -> np.ndarray:
    """Share of events above the cut that has a given specificity [draw], per draw."""
    with_event, without = _steps(score, event, weights)
    alarms = [np.cumsum(part[:, ::-1], axis=1) for part in (with_event, without)]
    hit, false = (part / part[:, -1:] for part in alarms)
    return np.array(
        [
            np.interp(1 - wanted, np.append(0, x), np.append(0, y))
            for wanted, x, y in zip(specificity, false, hit, strict=True)
        ]
    )


def _steps(
    score: np.ndarray, event: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weight with and without the event at every distinct score, ascending."""
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.append(True, np.diff(ranked) > 0))
    weight, happened = weights[:, order], event[order]
    with_event = np.add.reduceat(weight * happened, starts, axis=1)
    without = np.add.reduceat(weight * ~happened, starts, axis=1)
    return with_event, without
