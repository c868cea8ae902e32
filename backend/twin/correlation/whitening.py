"""Reports at irregular times made as good as independent, in time linear in n.

A symptom's own course is taken as an Ornstein-Uhlenbeck process plus a nugget, which
is noise of the single report. Subtracting from each report its predecessor, shrunk by
the process's decay over the time between, leaves neighbours alone correlated: the
covariance is tridiagonal, its Cholesky factor bidiagonal. The whitened values are the
innovations of the Kalman filter over their standard deviations, and the determinant
comes along (the same as Kelly et al. 2014, doi:10.1088/0004-637X/788/1/33, at p = 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpttrf, dtbtrs

TIMES = (6.0, 12.0, 24.0, 48.0, 96.0)  # hours, candidates of the time constant
NUGGETS = (0.1, 0.25, 0.45, 0.7, 0.95)  # share of the variance, candidates
# What people's symptoms are like, as a weak prior: a day and a half, give or take a
# factor of three, and a nugget that is neither nothing nor all.
_PRIOR_LOG_HOURS, _PRIOR_SPREAD = np.log(36.0), 1.1
_WIDE = 32  # columns from which on a report at a time is faster


@dataclass(frozen=True, eq=False)
class Whitener:
    """Ornstein-Uhlenbeck plus nugget of unit variance at `at` (hours, ascending).

    Two reports at least. `steps`: the time constant in hours.
    """

    at: np.ndarray
    steps: float
    nugget: float

    @cached_property
    def _decay(self) -> np.ndarray:
        return np.asarray(np.exp(-np.diff(self.at) / self.steps))

    @cached_property
    def _factor(self) -> tuple[np.ndarray, np.ndarray]:
        """Squared diagonal and subdiagonal of the unit bidiagonal factor."""
        decay, nugget = self._decay, self.nugget
        diagonal = np.ones(len(self.at))
        diagonal[1:] = (1 - nugget) * (1 - decay**2) + nugget * (1 + decay**2)
        made, below, _ = dpttrf(diagonal, -nugget * decay)
        return made, below

    def correlation(self, apart: np.ndarray) -> np.ndarray:
        """Autocorrelation of reports so many hours apart; a report with itself 1."""
        falls = (1 - self.nugget) * np.exp(-apart / self.steps)
        return np.asarray(np.where(apart == 0, 1.0, falls))

    @cached_property
    def log_prior(self) -> float:
        """Of a person's symptom to have this time constant and nugget."""
        away = (np.log(self.steps) - _PRIOR_LOG_HOURS) / _PRIOR_SPREAD
        mixed = 0.5 * np.log(4 * self.nugget * (1 - self.nugget))
        return float(mixed - 0.5 * away**2)

    @cached_property
    def log_determinant(self) -> float:
        """Of the covariance of the reports."""
        return float(np.log(self._factor[0]).sum())

    def apply(self, columns: np.ndarray) -> np.ndarray:
        """Columns [report, k], or one [report], whitened."""
        squared, below = self._factor
        root = np.sqrt(squared)
        flat = columns.reshape(len(self.at), -1)
        moved = np.empty_like(flat)
        moved[0] = flat[0]
        np.multiply(flat[:-1], self._decay[:, None], out=moved[1:])
        np.subtract(flat[1:], moved[1:], out=moved[1:])
        if flat.shape[1] > _WIDE:
            _forward(moved, below)
        else:
            banded = np.ones((2, len(self.at)))
            banded[1, :-1] = below
            moved, _ = dtbtrs(banded, moved, uplo="L", diag="U")
        moved /= root[:, None]
        return np.asarray(moved.reshape(columns.shape))


def candidates(at: np.ndarray) -> list[Whitener]:
    """Every whitener that reports at these hours may get."""
    return [Whitener(at, steps, nugget) for steps in TIMES for nugget in NUGGETS]


def likeliest(among: Sequence[Whitener], rows: np.ndarray) -> list[Whitener]:
    """The most likely whitener of each row [series, report].

    Maximum likelihood, variance profiled out, under the weak prior above.
    """
    count, columns = rows.shape[1], np.ascontiguousarray(rows.T)
    worth = np.empty((len(among), len(rows)))
    for i, made in enumerate(among):
        power = (made.apply(columns) ** 2).mean(0)
        fixed = made.log_prior - 0.5 * made.log_determinant
        worth[i] = fixed - 0.5 * count * np.log(power + 1e-12)
    return [among[i] for i in worth.argmax(0)]


def _forward(rows: np.ndarray, below: np.ndarray) -> None:
    """Solves the unit bidiagonal system in place, a report at a time.

    For hundreds of columns faster than the library's column at a time.
    """
    step = np.empty(rows.shape[1])
    for i, factor in enumerate(below.tolist()):
        np.multiply(rows[i], factor, out=step)
        np.subtract(rows[i + 1], step, out=rows[i + 1])
