"""Asking for forecasts of windows, with models that answer what a test says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from backend.twin.features import ForecastWindow
from backend.twin.forecast import Answer, forecast_all
from backend.twin.ports import Arrays
from backend.twin.trajectory import HORIZON, LEVELS, Forecast
from tests.twin.made import LAST, USES

WEIGHTS = {"symptom_transformer": 0.7, "symptom_xgboost": 0.3}
DIARY = [3, 4, 5, 4, 6, 5, 7, 5, 4, 6] * 4
SHAPE = (HORIZON, len(LEVELS))
BOTH = frozenset(USES)


@dataclass
class Models:
    """Answers all windows of a model with one value, or with what it was given."""

    answers: Mapping[str, object]
    asked: list[Mapping[str, Arrays]] = field(default_factory=list)

    def __call__(self, inputs: Mapping[str, Arrays]) -> dict[str, Answer]:
        self.asked.append(inputs)
        return {name: self._answer(name, inputs[name]) for name in inputs}

    def _answer(self, name: str, given_inputs: Arrays) -> Answer:
        answer = self.answers[name]
        if isinstance(answer, (Exception, np.ndarray)):
            return answer  # type: ignore[return-value]
        rows = len(given_inputs["anchor"])
        spread = np.linspace(-1, 1, len(LEVELS))
        return np.broadcast_to(float(answer) + spread, (rows, *SHAPE)).copy()


def ask(
    *windows: ForecastWindow,
    answers: Mapping[str, object] | None = None,
    weights: Mapping[str, float] = WEIGHTS,
    members: frozenset[str] = BOTH,
    later_days: int = 0,
) -> tuple[tuple[Forecast, ...], Models]:
    models = Models(answers or {"symptom_transformer": 0.0, "symptom_xgboost": 1.0})
    found = forecast_all(
        windows,
        ask_all=models,
        weights=weights,
        uses={name: USES[name] for name in USES if name in members},
        as_of=LAST + timedelta(days=later_days),
    )
    return found, models
