"""What is learnt of a forecast and of earlier ones, beside the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from backend.people.models import Patient
from backend.predictions.alerts import raise_alerts
from backend.predictions.asking import Heard
from backend.predictions.beside import Beside
from backend.predictions.drift import count_inputs
from backend.predictions.ensemble import suits_models
from backend.predictions.models import Prediction
from backend.predictions.outcomes import score_outcomes
from backend.predictions.policy import ForecastPolicy
from backend.predictions.shadow import ask_shadows
from backend.predictions.taken_back import mark_taken_back
from backend.twin.features import ForecastWindow
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse


def notice(
    patient: Patient,
    record: PatientRecord,
    *,
    days: tuple[date, date],
    now: datetime,
    beside: Beside,
) -> None:
    """What a pull tells beside the forecast it is for, and whether one is made or not:
    what is urgent and what was taken back; beside it, what came of earlier forecasts.
    """
    raise_alerts(patient, record, now=now)
    mark_taken_back(patient, record, days=days, now=now)
    scoring = partial(score_outcomes, patient, record, until=days[1], now=now)
    beside("outcomes", scoring)


def notice_of_signals(
    patient: Patient,
    record: PatientRecord,
    *,
    days: tuple[date, date],
    now: datetime,
) -> None:
    """The same of a pull for correlations: too short to score forecasts by."""
    raise_alerts(patient, record, now=now)
    mark_taken_back(patient, record, days=days, now=now)


def watch(  # noqa: PLR0913 - keywords: what was made, and of what
    prediction: Prediction,
    windows: Sequence[ForecastWindow],
    made: Sequence[Forecast],
    *,
    heard: Heard,
    uses: Mapping[str, ModelUse],
    policy: ForecastPolicy,
    beside: Beside,
) -> None:
    """What is learnt beside an answer that is stored already and cannot be spoilt."""
    pairs = zip(windows, made, strict=True)
    asked = [window for window, forecast in pairs if suits_models(forecast)]
    day = prediction.created.date()
    beside("inputs", partial(count_inputs, asked, uses, day=day))
    asking = partial(ask_shadows, prediction, windows, made)
    beside("shadows", partial(asking, heard=heard, uses=uses, policy=policy))
