"""What the correlation engine is given, all on the patient's local clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

WorseWhen = Literal["high", "low"]


@dataclass(frozen=True, eq=False)
class BiometricStream:
    """One body signal: only what was measured, hours off the wrist are absent.

    `times` datetime64[s][n] on the local clock, in any order; `values` float64[n] in
    `unit`; not finite counts as absent. `nightly`: one value per night, which carries a
    moment of the local day on which the night ended (midnight of that day will do).
    """

    name: str
    times: np.ndarray
    values: np.ndarray
    nightly: bool = False
    unit: str = ""


@dataclass(frozen=True, eq=False)
class SymptomStream:
    """Reports of one symptom: `times` datetime64[s][n] local, `values` float64[n].

    `worse_when` says which end of the scale is bad; None where nobody knows. The
    statistics do not look at it.
    """

    name: str
    times: np.ndarray
    values: np.ndarray
    worse_when: WorseWhen | None = None


@dataclass(frozen=True, eq=False)
class CorrelationWindow:
    """All streams of one patient between two local moments.

    `history_from`: where biometrics begin; `reports_from`: from when on reports count,
    `max_lag_hours` later where history allows; `until`: the end, exclusive. The three
    are datetime64[s] on the local clock.
    """

    biometrics: tuple[BiometricStream, ...]
    symptoms: tuple[SymptomStream, ...]
    history_from: np.datetime64
    reports_from: np.datetime64
    until: np.datetime64
    max_lag_hours: int = 72
