"""A world without nuisances, and regressions that know each link's lag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.twin.simulation.wearables.batch import WearableBatch, simulate_wearables
from backend.twin.simulation.wearables.family import PLAIN, Family
from backend.twin.simulation.wearables.links import smooth

NOTHING = (0.0, 0.0)
QUIET = replace(  # links alone; reports at 4 whole hours a day, none missed
    PLAIN,
    link_prior=(0.3, 0.3),
    daily=0,
    coupled=0,
    sensor_noise=NOTHING,
    biometric_cycle=NOTHING,
    symptom_cycle=NOTHING,
    weekend=0,
    drift=0,
    bursts=0,
    reports_a_day=(4, 4),
    missed=NOTHING,
)
SCALE = 1.8  # points of the plain 0 to 10 scale per unit of a symptom


def simulated(
    family: Family,
    people: int = 60,
    shape: tuple[int, int, int] = (90, 3, 2),
    seed: int = 1,
) -> WearableBatch:
    return simulate_wearables(
        np.random.default_rng(seed), family, people=people, shape=shape
    )


def asked(batch: WearableBatch, patient: int) -> np.ndarray:
    """Hours of one patient's reports."""
    times = batch.times[patient]
    return np.rint(times[np.isfinite(times)]).astype(int)


def linked(batch: WearableBatch) -> list[tuple[int, int]]:
    """(patient, symptom) that have links."""
    return list(zip(*np.nonzero(np.isfinite(batch.truth.weight).any(1)), strict=True))


def recovered(batch: WearableBatch, patient: int, symptom: int) -> np.ndarray:
    """[link, 2] of one symptom: the weight that a regression finds, and the true one.

    Ordinary least squares on the 3 hours' means at the true lags.
    """
    weight = batch.truth.weight[patient, :, symptom]
    biometrics = np.flatnonzero(np.isfinite(weight))
    lags = batch.truth.lag[patient, biometrics, symptom].astype(int)
    hours = asked(batch, patient)
    past = smooth(batch.values[patient, biometrics])
    columns = [row[hours - lag] for row, lag in zip(past, lags, strict=True)]
    design = np.column_stack([np.ones(len(hours)), *columns])
    felt = batch.answers[patient, symptom, : len(hours)] / SCALE
    found = np.linalg.lstsq(design, felt, rcond=None)[0][1:]
    return np.column_stack([found, weight[biometrics]])


def slope(found: np.ndarray) -> float:
    """How much of the true weights is found, on average; 1: all."""
    return float((found[:, 0] * found[:, 1]).sum() / (found[:, 1] ** 2).sum())


def all_recovered(batch: WearableBatch) -> np.ndarray:
    return np.concatenate([recovered(batch, *pair) for pair in linked(batch)])


def profile(batch: WearableBatch, pair: tuple[int, int, int]) -> np.ndarray:
    """Correlations of a patient's biometric and symptom at lags 0 to 72."""
    patient, biometric, symptom = pair
    hours = asked(batch, patient)
    felt = batch.answers[patient, symptom, : len(hours)]
    past = smooth(batch.values[patient, biometric])
    rows = [past[hours - lag] for lag in range(73)]
    return np.corrcoef(np.vstack([felt, *rows]))[0, 1:]
