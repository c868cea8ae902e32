"""Asking for forecasts of windows, with models that answer what a test says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from unittest.mock import patch

import numpy as np

from backend.twin import forecast
from backend.twin.calibration import UNFITTED, Constants
from backend.twin.ensemble import Answer
from backend.twin.features import ForecastWindow
from backend.twin.ports import Arrays
from backend.twin.trajectory import HORIZON, LEVELS, Forecast
from tests.twin.made import LAST, USES

WEIGHTS = {"symptom_transformer": 0.7, "symptom_xgboost": 0.3}
DIARY = [3, 4, 5, 4, 6, 5, 7, 5, 4, 6] * 4
SMOOTH = [3.13, 4.2, 5.01, 4.4, 6.07, 5.5, 7.9, 5.35, 4.66, 6.4] * 4  # takes no steps
DAYS = (HORIZON, len(LEVELS))
SHAPE = (HORIZON + 1, len(LEVELS))  # a model's answer for one window
SPREAD = np.linspace(-1, 1, len(LEVELS))
BOTH = frozenset(USES)
# Narrows and widens by the person's own record, and does nothing else.
ADAPTING = Constants(
    middle=1.0,
    ends=1.0,
    fortnight_middle=1.0,
    fortnight_ends=1.0,
    gain=1.0,
    outcomes=60.0,
)


@dataclass
class Models:
    """Answers all windows of a model with one value, or with what it was given."""

    answers: Mapping[str, object]
    asked: list[Mapping[str, Arrays]] = field(default_factory=list)

    def __call__(self, inputs: Mapping[str, Arrays]) -> dict[str, Answer]:
        self.asked.append(inputs)
        return {
            name: self._answer(name, inputs[name])
            for name in inputs
            if name in self.answers
        }

    def _answer(self, name: str, given_inputs: Arrays) -> Answer:
        answer = self.answers[name]
        if isinstance(answer, (Exception, np.ndarray)):
            return answer  # type: ignore[return-value]
        rows = len(given_inputs["anchor"])
        return np.broadcast_to(float(answer) + SPREAD, (rows, *SHAPE)).copy()  # type: ignore[arg-type]

    @property
    def sizes(self) -> list[int]:
        """How many windows each request asked about."""
        return [len(next(iter(one.values()))["anchor"]) for one in self.asked]


def ask(
    *windows: ForecastWindow,
    answers: Mapping[str, object] | None = None,
    weights: Mapping[str, float] = WEIGHTS,
    members: frozenset[str] = BOTH,
    later_days: int = 0,
    fitted: Constants = UNFITTED,
) -> tuple[tuple[Forecast, ...], Models]:
    """Forecasts of the windows, calibrated by `fitted`, and the models asked."""
    models = Models(answers or {"symptom_transformer": 0.0, "symptom_xgboost": 1.0})
    with patch.object(forecast, "constants", return_value=fitted):
        found = forecast.forecast_all(
            windows,
            ask_all=models,
            weights=weights,
            uses={name: USES[name] for name in USES if name in members},
            as_of=LAST + timedelta(days=later_days),
        )
    return found, models
