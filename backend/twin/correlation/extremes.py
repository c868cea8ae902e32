"""The same window without its extreme values, for a second look at what stands out.

The tube's bound holds for normal residuals. Where both sides have rare spikes, two of
them meet at some of the many lags, and one such report outweighs a month of others.
Normal scores keep the order of a series' values and no spike (rank-based inverse normal
transformation; Bishara & Hittner 2012, doi:10.1037/a0028087).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from backend.twin.correlation.streams import CorrelationWindow

EXTREME = 5.0  # standard deviations from the middle, by the median deviation
_NORMAL = 1.4826  # standard deviations of a normal per median deviation


def extreme_pairs(window: CorrelationWindow) -> frozenset[tuple[int, int]]:
    """Indices of biometrics and symptoms that both have extremes.

    One side alone does no harm: by simulation the gate holds where only one has them.
    """
    return frozenset(
        (b, s)
        for s, symptom in enumerate(window.symptoms)
        if _is_extreme(symptom.values)
        for b, biometric in enumerate(window.biometrics)
        if _is_extreme(biometric.values)
    )


def calmed(window: CorrelationWindow) -> CorrelationWindow:
    """The window with normal scores in place of every series that has extremes."""
    return replace(
        window,
        biometrics=tuple(
            replace(one, values=_calm(one.values)) for one in window.biometrics
        ),
        symptoms=tuple(
            replace(one, values=_calm(one.values)) for one in window.symptoms
        ),
    )


def _is_extreme(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    if not len(known):
        return False
    away = np.abs(known - np.median(known))
    return bool(away.max() > EXTREME * _NORMAL * np.median(away))


def _calm(values: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks; equal values share theirs, absent ones stay."""
    if not _is_extreme(values):
        return values
    known = np.isfinite(values)
    made = np.full(len(values), np.nan)
    made[known] = ndtri(rankdata(values[known]) / (known.sum() + 1))
    return made
