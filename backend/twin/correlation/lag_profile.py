"""The sufficient statistics of a window, as a small network takes them.

A report's whitened correlation with every biometric at every lag holds nearly all that
a record says about links; raw series hold no more and are a hundred times longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.twin.correlation.effective_n import effective_reports
from backend.twin.correlation.examination import Examination, Fit, examine
from backend.twin.correlation.streams import CorrelationWindow

CHANNELS = (
    "z",  # whitened r * sqrt(freedom), every biometric by itself
    "z_given_others",  # the same of what the other biometrics' effects leave
    "whitened_r",
    "raw_r",  # Pearson over measured hours only, de-cycled, not whitened
    "autocorrelation",  # of the biometric at that many hours apart
    "coverage",  # share of the reports with a measurement at that lag
    "precision",  # 1 / standard error of the coefficient, whitened
    "lag_posterior",  # p(link) spread over its lags
)
PAIR_CONTEXT = ("p_link", "log_n_eff", "coverage", "daily", "known")
SYMPTOM_CONTEXT = (
    "log_n",
    "log_days",
    "log_reports_a_day",
    "log_memory_hours",
    "nugget",
    "freedom_share",
)
_LEAST = 8  # measured reports, for a raw correlation


@dataclass(frozen=True, eq=False)
class Profiles:
    """float32: `values` [symptom, biometric, channel of `CHANNELS`, lag]; `pairs`
    [symptom, biometric, entry of `PAIR_CONTEXT`]; `symptoms` [symptom, entry of
    `SYMPTOM_CONTEXT`]; `lags` [lag] hours, negative where the symptom comes first.

    A pair that cannot be examined is zero everywhere, `known` included.
    """

    lags: np.ndarray
    values: np.ndarray
    pairs: np.ndarray
    symptoms: np.ndarray


def profile(window: CorrelationWindow) -> Profiles:
    """The statistics of every pair of the window at every lag."""
    return profiles(examine(window))


def profiles(found: Examination) -> Profiles:
    """The same, of an examination that is already there."""
    symptoms, biometrics = len(found.fits), len(found.window.biometrics)
    lags = found.signals.lags
    values = np.zeros((symptoms, biometrics, len(CHANNELS), len(lags)), np.float32)
    pairs = np.zeros((symptoms, biometrics, len(PAIR_CONTEXT)), np.float32)
    context = np.zeros((symptoms, len(SYMPTOM_CONTEXT)), np.float32)
    under: dict[bytes, np.ndarray] = {}
    for s, fit in enumerate(found.fits):
        if isinstance(fit, str) or not found.usable:
            continue
        at = fit.reports.at
        raw = under.setdefault(
            at.tobytes(), found.signals.under(at, found.usable, raw=True)
        )
        values[s, found.usable] = _channels(found, fit, raw)
        pairs[s, found.usable] = _pairs(found, fit)
        context[s] = _symptom(found, fit)
    return Profiles(lags, values, pairs, context)


def _channels(found: Examination, fit: Fit, raw: np.ndarray) -> np.ndarray:
    """[usable biometric, channel, lag]."""
    problem, effects = fit.problem, fit.effects
    safe = np.maximum(problem.norms, 1e-9)
    alone = np.stack([block.T @ problem.target for block in problem.columns])
    r = alone / np.sqrt(safe * (problem.target @ problem.target + 1e-12))
    given = np.stack([effect.dots / np.sqrt(effect.power) for effect in effects])
    spread = np.array([effect.spread for effect in effects])[:, None]
    freedom = np.array([effect.freedom for effect in effects])[:, None]
    apart = np.abs(found.signals.lags)
    chosen = [found.signals.each[i] for i in found.usable]
    raw_r, coverage = _raw(raw, fit.values)
    return np.stack(
        [
            r * np.sqrt(problem.freedom),
            given / np.sqrt(safe) * np.sqrt(freedom),
            r,
            raw_r,
            np.stack([one.correlation(apart) for one in chosen]),
            coverage,
            np.sqrt(problem.norms / spread),
            np.stack([effect.p_link * effect.lag_weight for effect in effects]),
        ],
        axis=1,
    )


def _raw(raw: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson r over the known reports, and their share: both [biometric, lag]."""
    known = np.isfinite(raw)
    count = np.maximum(known.sum(0), 1)
    x, y = np.where(known, raw, 0.0), values[:, None, None] * known
    x -= known * (x.sum(0) / count)
    y -= known * (y.sum(0) / count)
    power = (x**2).sum(0) * (y**2).sum(0)
    r = (x * y).sum(0) / np.sqrt(np.maximum(power, 1e-12))
    return np.where(count >= _LEAST, r, 0.0), known.mean(0)


def _pairs(found: Examination, fit: Fit) -> np.ndarray:
    rows = []
    for index, effect in zip(found.usable, fit.effects, strict=True):
        one = found.signals.each[index]
        n_eff = effective_reports(fit.counts, fit.whitener.correlation, one.correlation)
        daily = float(one.step_hours == 24)
        rows.append((effect.p_link, np.log(n_eff), one.coverage, daily, 1.0))
    return np.array(rows)


def _symptom(found: Examination, fit: Fit) -> np.ndarray:
    span = found.window.until - found.window.reports_from
    days = max(float(span / np.timedelta64(86400, "s")), 1.0)
    count = len(fit.values)
    return np.array(
        [
            np.log(count),
            np.log(days),
            np.log(count / days),
            np.log(fit.whitener.steps),
            fit.whitener.nugget,
            fit.problem.freedom / count,
        ]
    )
