"""The models' answers as one: blended, calibrated, and put on the person's answers.

Quantile averaging (Vincentisation; Ratcliff 1979, doi:10.1037/0033-2909.86.3.446): each
level of the answer is the weighted mean of the members' values at that level, so the
blend lies between its members and keeps their spread; averaging standard deviations
would not. A member that fails, or answers in the wrong shape or with something not
finite, is left out of that series' blend, and its name is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from backend.twin import features
from backend.twin.calibration import (
    Constants,
    adapts,
    answer_step,
    backtest,
    calibrated,
    earlier_windows,
    widening,
)
from backend.twin.errors import ModelError
from backend.twin.features import ForecastWindow
from backend.twin.ports import Arrays
from backend.twin.trajectory import HORIZON, LEVELS, ModelUse

BATCH = 64  # windows per request; every published model takes at least as many
ROWS = HORIZON + 1  # the days, and last the mean of all of them

Answer = np.ndarray | ModelError
AskAll = Callable[[Mapping[str, Arrays]], Mapping[str, Answer]]


@dataclass(frozen=True, slots=True)
class Members:
    """Who may answer, how to ask them, their shares, and what calibrates the blend."""

    ask_all: AskAll
    uses: Mapping[str, ModelUse]
    weights: Mapping[str, float]
    fitted: Constants


class Blend(NamedTuple):
    """What the models said of one window, score units, inside the scale."""

    quantiles: np.ndarray  # (ROWS, level); None of it where nobody answered
    models: tuple[ModelUse, ...]  # those that answered
    missing: tuple[str, ...]  # those that did not


def ensemble(windows: Sequence[ForecastWindow], members: Members) -> tuple[Blend, ...]:
    """One blend per window, in the same order; raises no ModelError.

    Where calibration adapts to people, each window is also asked about as of earlier
    days, so that the person's own record can widen or narrow the intervals.
    """
    earlier = [_earlier(window, members.fitted) for window in windows]
    flat = [w for i, window in enumerate(windows) for w in (window, *earlier[i])]
    answers = _asked(flat, members)
    found, at = [], 0
    for window, past in zip(windows, earlier, strict=True):
        rows = answers[at : at + 1 + len(past)]
        at += len(rows)
        found.append(_blend(window, past, rows, members))
    return tuple(found)


def _earlier(window: ForecastWindow, fitted: Constants) -> Sequence[ForecastWindow]:
    """The windows whose outcomes tell about this person; none where nothing adapts."""
    if fitted.gain == 0 or not adapts(answer_step(window), window.sd):
        return ()
    return earlier_windows(window)


def blend(
    quantiles: Mapping[str, np.ndarray], weights: Mapping[str, float]
) -> np.ndarray:
    """The weighted mean of the members' quantiles [..., level], level by level.

    Weights are renormalised over the members given. Each member is put in ascending
    order first, so the blend's quantiles cannot cross.
    """
    total = sum(weights[model] for model in quantiles)
    parts = (weights[m] / total * np.sort(q, axis=-1) for m, q in quantiles.items())
    answer: np.ndarray = sum(parts, start=np.zeros(1))
    return answer


def _asked(
    windows: Sequence[ForecastWindow], members: Members
) -> list[dict[str, np.ndarray]]:
    """Each window's usable answers [ROWS, level] in z units, by model."""
    found: list[dict[str, np.ndarray]] = []
    for start in range(0, len(windows), BATCH):
        some = windows[start : start + BATCH]
        answers = members.ask_all({m: features.inputs(m, some) for m in members.uses})
        for row in range(len(some)):
            rows = {m: _row(answers.get(m), row, len(some)) for m in members.uses}
            found.append({m: each for m, each in rows.items() if each is not None})
    return found


def _row(answer: Answer | None, row: int, rows: int) -> np.ndarray | None:
    """One window's quantiles of a model's answer; None where unusable."""
    if not isinstance(answer, np.ndarray):
        return None
    if answer.shape != (rows, ROWS, len(LEVELS)):
        return None
    found: np.ndarray = answer[row].astype(np.float64)
    return found if np.isfinite(found).all() else None


def _blend(
    window: ForecastWindow,
    earlier: Sequence[ForecastWindow],
    answers: Sequence[Mapping[str, np.ndarray]],
    members: Members,
) -> Blend:
    """The first answer is the window's, the others are those of the earlier ones.

    A model counts that answered all of them: what a series gets must not depend on
    which request a failure fell into, and it is told.
    """
    whole = [m for m in members.uses if all(m in answer for answer in answers)]
    missing = tuple(model for model in members.uses if model not in whole)
    if not whole:
        return Blend(np.empty((0, len(LEVELS))), (), missing)
    now, *past = ({m: answer[m] for m in whole} for answer in answers)
    forecasts = [
        _scored(w, a, members)[:HORIZON] for w, a in zip(earlier, past, strict=True)
    ]
    shape = (len(forecasts), HORIZON, len(LEVELS))
    record = backtest(window, earlier, np.array(forecasts).reshape(shape))
    own = widening(record, members.fitted)
    total = sum(members.weights[model] for model in now)
    uses = (replace(members.uses[m], weight=members.weights[m] / total) for m in now)
    return Blend(_scored(window, now, members, own=own), tuple(uses), missing)


def _scored(
    window: ForecastWindow,
    answers: Mapping[str, np.ndarray],
    members: Members,
    *,
    own: float = 1.0,
) -> np.ndarray:
    """The blend of some answers [ROWS, level], calibrated, in score units."""
    return calibrated(
        window.mean + window.sd * blend(answers, members.weights),
        low=window.low,
        high=window.high,
        step=answer_step(window),
        fitted=members.fitted,
        widening=own,
    )
