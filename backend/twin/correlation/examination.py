"""Each symptom laid over all biometrics at all lags, whitened, and what stands out.

`examine` does the work; links and profiles are two ways to read its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.twin.correlation.decycling import Reports, reported, symptom_course
from backend.twin.correlation.effective_n import pair_counts
from backend.twin.correlation.selection import (
    Effect,
    Problem,
    lag_prior,
    single_effects,
)
from backend.twin.correlation.signals import Signals, signals
from backend.twin.correlation.streams import CorrelationWindow
from backend.twin.correlation.whitening import Whitener, candidates, likeliest

LEAST_REPORTS = 14
LEAST_CHANGES = 4  # reports that differ from the most frequent answer
_MOST_ROUNDED = 0.5  # of the variance that rounding may explain


@dataclass(frozen=True, eq=False)
class Fit:
    """One symptom with enough reports to be examined.

    `values` [report]: de-cycled, in standard deviations `scale` of the symptom;
    `counts` as in `pair_counts`; `problem` was made with `whitener`; `effects` has one
    per usable biometric.
    """

    reports: Reports
    values: np.ndarray
    scale: float
    counts: np.ndarray
    whitener: Whitener
    problem: Problem
    effects: list[Effect]


@dataclass(frozen=True, eq=False)
class Examination:
    """A window's signals and, per symptom, its fit or the reason why there is none.

    `usable`: indices of the biometrics that every fit's effects stand for, in order.
    """

    window: CorrelationWindow
    signals: Signals
    usable: tuple[int, ...]
    fits: tuple[Fit | str, ...]
    reports: tuple[Reports, ...]


@dataclass(frozen=True, eq=False)
class _Shared:
    """What symptoms reported at the same hours share.

    `course` [report, k] and its orthonormal `basis`; `columns` [report, biometric,
    lag]; `prior` [lag] and `prior_link` as in `Problem`.
    """

    course: np.ndarray
    basis: np.ndarray
    columns: np.ndarray
    prior: np.ndarray
    prior_link: float

    def without_course(self, rows: np.ndarray) -> np.ndarray:
        """Rows [.., report] less what the clock explains."""
        return np.asarray(rows - (rows @ self.basis) @ self.basis.T)

    def effects(self, values: np.ndarray, by: Whitener) -> tuple[Problem, list[Effect]]:
        """The problem that a whitener makes of the values, and its effects."""
        width, count = len(self.prior), len(values)
        basis, _ = np.linalg.qr(by.apply(self.course))
        flat = by.apply(self.columns.reshape(count, -1))
        flat -= basis @ (basis.T @ flat)
        target = by.apply(values)
        target = target - basis @ (basis.T @ target)
        norms = np.einsum("ij,ij->j", flat, flat).reshape(-1, width)
        blocks = tuple(np.split(flat, len(norms), axis=1))
        freedom = count - self.course.shape[1]
        made = Problem(target, blocks, norms, freedom, self.prior, self.prior_link)
        return made, single_effects(made)


def examine(window: CorrelationWindow, *, prior_link: float = 0.5) -> Examination:
    """Every symptom of the window against every biometric.

    `prior_link`: probability of a link before the data. Says why where a symptom or a
    biometric cannot be examined; raises nothing for lack of data.
    """
    found = signals(window)
    usable = tuple(i for i, one in enumerate(found.each) if not one.reason)
    reports = tuple(reported(one, window, found.on) for one in window.symptoms)
    fits: list[Fit | str] = [lacking(one) for one in reports]
    groups: dict[bytes, list[int]] = {}
    for s, one in enumerate(reports):
        if not fits[s] and usable:
            groups.setdefault(one.at.tobytes(), []).append(s)
    for members in groups.values():
        group = [reports[s] for s in members]
        shared = _shared(group[0].at, found, usable, prior_link=prior_link)
        for s, fit in zip(members, _fits(group, shared), strict=True):
            fits[s] = fit
    return Examination(window, found, usable, tuple(fits), reports)


def lacking(reports: Reports) -> str:
    """Why a symptom cannot be examined, or an empty text."""
    count = len(reports.at)
    if count < LEAST_REPORTS:
        return f"too few reports: {count}, at least {LEAST_REPORTS} are needed"
    changes = count - int(np.unique(reports.values, return_counts=True)[1].max())
    if changes < LEAST_CHANGES:
        return f"the symptom hardly changes: {changes} of {count} reports differ"
    return ""


def _shared(
    at: np.ndarray, found: Signals, usable: Sequence[int], *, prior_link: float
) -> _Shared:
    course = symptom_course(at, found.on)
    basis, _ = np.linalg.qr(course)
    columns = found.under(at, usable)
    return _Shared(course, basis, columns, lag_prior(found.lags), prior_link)


def _fits(group: Sequence[Reports], shared: _Shared) -> list[Fit]:
    """One whitener each, of the symptom as it is.

    To take out the effects and whiten what they leave again would find a little more,
    and call a third more of the pairs linked where nothing is (by simulation): noise
    that a false effect explains makes that effect look surer.
    """
    at = group[0].at
    rows = shared.without_course(np.stack([one.values for one in group]))
    variances = (rows**2).sum(1) / (len(at) - shared.course.shape[1])
    rounding = np.array([_rounding(one.values) for one in group])
    scales = np.sqrt(variances - np.minimum(rounding, _MOST_ROUNDED * variances))
    rows /= scales[:, None]
    counts, by = pair_counts(at), likeliest(candidates(at), rows)
    return [
        Fit(one, row, float(scale), counts, white, *shared.effects(row, white))
        for one, row, scale, white in zip(group, rows, scales, by, strict=True)
    ]


def _rounding(values: np.ndarray) -> float:
    """Variance that answers owe to being rounded to steps (Sheppard's correction)."""
    levels = np.unique(values)
    step = float(np.diff(levels).min())
    steps = (levels - levels[0]) / step
    on_steps = np.abs(steps - np.rint(steps)).max() < 1e-6
    return step**2 / 12 if on_steps else 0.0
