"""The trained network's word on a window's links, behind the engine's test.

A pair is published only where the engine's p-value passes: that bounds how often
anything is said where nothing is, whatever the network believes. Of what passes, the
network says how probable a direct link is, where its lag lies and how large it is.
"""

from __future__ import annotations

import numpy as np

from backend.twin.correlation.engine import Opinion, Opinions, Rule, links
from backend.twin.correlation.examination import Examination
from backend.twin.correlation.intervals import Z90, Estimate, lag_ends, median_lag
from backend.twin.correlation.link import Link
from backend.twin.correlation.model_inputs import ANSWER, BIOMETRICS, LAGS
from backend.twin.correlation.selection import lag_prior
from backend.twin.errors import ModelRefused

# The network's second condition makes up for a level that is a little less strict than
# the engine's own: fewer false links at the same power, by simulation.
RULE = Rule(level=0.05, least_p=0.62)
# A peak of the lag may belong to another signal where the link itself is unsure: by
# simulation lag intervals keep their 90 % if this much of the doubt lies on any lag.
DOUBT_ON_LAG = 0.25
_SLACK = 1e-4  # of sums of float32 probabilities


def takes(found: Examination) -> bool:
    """Whether the network can be asked about this examination; else None answers."""
    fits = len(found.window.biometrics) <= BIOMETRICS
    return fits and tuple(found.signals.lags.tolist()) == LAGS


def judged(
    found: Examination, answer: np.ndarray | None, *, rule: Rule | None = None
) -> tuple[Link, ...]:
    """Every pair of an examination, by the network's answer to its `model_inputs`.

    `answer` [symptom, biometric, column of `ANSWER`]; with None the engine judges
    alone, by its own rule. `rule` replaces `RULE`, or the engine's. Raises ModelRefused
    for an answer of another shape, or one that is no probabilities and sizes.
    """
    if answer is None:
        return links(found, rule=rule)
    return links(found, rule=rule or RULE, opinions=_opinions(found, answer))


def _opinions(found: Examination, answer: np.ndarray) -> Opinions:
    """The answer's rows by biometric and symptom."""
    biometrics, symptoms = len(found.window.biometrics), len(found.fits)
    if answer.shape != (symptoms, BIOMETRICS, len(ANSWER)):
        raise ModelRefused("the network's answer has another shape")
    at = [(b, s) for s in range(symptoms) for b in range(biometrics)]
    examined = [
        (b, s)
        for b, s in at
        if b in found.usable and not isinstance(found.fits[s], str)
    ]
    if not examined:
        return {}
    rows = np.array([answer[s, b] for b, s in examined], float)
    _check(rows)
    return dict(zip(examined, _read(rows, lag_prior(found.signals.lags)), strict=True))


def _check(rows: np.ndarray) -> None:
    """Raise ModelRefused unless rows are probabilities, a size and a spread.

    A size whose whole interval is beyond one is none: not even a perfect link has it.
    """
    p_link, size, spread, lags = rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3:]
    sensible = (
        np.isfinite(rows).all()
        and ((p_link >= 0) & (p_link <= 1)).all()
        and (spread > 0).all()
        and (np.abs(size) - Z90 * spread <= 1).all()
        and (lags >= 0).all()
        and (np.abs(lags.sum(1) - 1) < _SLACK).all()
    )
    if not sensible:
        raise ModelRefused("the network's answer is no probabilities and sizes")


def _read(rows: np.ndarray, prior: np.ndarray) -> list[Opinion]:
    """What each row [column of `ANSWER`] says; `prior` [lag] is of any link's lag."""
    p_link, size, reach = rows[:, 0], rows[:, 1], Z90 * rows[:, 2]
    lags = rows[:, 3:] / rows[:, 3:].sum(1, keepdims=True)
    anywhere = DOUBT_ON_LAG * (1 - p_link)[:, None]
    first, last = lag_ends((1 - anywhere) * lags + anywhere * prior)
    columns = (p_link, size, size - reach, size + reach, median_lag(lags), first, last)
    return [
        Opinion(p, Estimate(middle, (low, high), lag, (begin, end)))
        for p, middle, low, high, lag, begin, end in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
