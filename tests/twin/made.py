"""Records, windows and forecasts made for the twin's tests; small and by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from backend.twin import features
from backend.twin.early_warning import Chance, EarlyWarning
from backend.twin.history import CourseState, MedicationChange, MedicationEvent
from backend.twin.record import Entry, PatientRecord, SafetyAnswer, Series
from backend.twin.scales import Scale, scale
from backend.twin.trajectory import HORIZON, LEVELS, Forecast, Grade, ModelUse

LAST = date(2026, 3, 1)
WARNING = EarlyWarning(
    mean=5.0,
    sd=1.2,
    days=20,
    chances=(
        Chance("worse", 0.25, "above", 5.6),
        Chance("worse-band", reason="the scale has no severity bands"),
    ),
    chart=None,
    no_chart="20 observed days; a chart takes 28 or more",
)
USES = {
    "symptom_transformer": ModelUse(
        "symptom_transformer", 1, "a" * 64, "production", 0
    ),
    "symptom_xgboost": ModelUse("symptom_xgboost", 2, "b" * 64, "production", 0),
}


def series(
    values: Sequence[float], *, of: Scale, last: date = LAST, every: int = 1
) -> Series:
    """Entries `every` so many days, the last one on `last`."""
    first = len(values) - 1
    return Series(
        scale=of,
        entries=tuple(
            Entry(
                day=last - timedelta(days=every * (first - i)),
                value=float(value),
                source=f"Observation/{i}",
            )
            for i, value in enumerate(values)
        ),
    )


def window(
    values: Sequence[float], *, of: str = "mood-0-10", every: int = 1
) -> features.ForecastWindow:
    """A window over such a series, asked for on the day of its last entry."""
    return features.forecast_window(series(values, of=scale(of), every=every), LAST)


def begun(day: date) -> MedicationEvent:
    """An antidepressant ordered from that day on."""
    return MedicationEvent(
        ingredients=("sertraline",),
        code="36437",
        change=MedicationChange.START,
        day=day,
        at="",
        dose=None,
        source="MedicationRequest/1",
        state=CourseState.ACTIVE,
    )


def record(
    *scores: Series, safety: Mapping[date, float] | None = None
) -> PatientRecord:
    """A record of these series, with PHQ-9 safety answers by day."""
    answers = (
        SafetyAnswer(scale("phq9"), day, value, f"Observation/safety-{day}")
        for day, value in (safety or {}).items()
    )
    return PatientRecord(series=scores, safety=tuple(answers))


def forecast(
    of: Scale, medians: Sequence[float] | float, **changes: object
) -> Forecast:
    """A forecast with these medians and a spread of one score unit around them."""
    middle = np.broadcast_to(np.asarray(medians, float), (HORIZON,))
    spread = np.linspace(-1, 1, len(LEVELS))
    rows = np.clip(middle[:, None] + spread, of.low, of.high)
    made = Forecast(
        scale=of,
        days=tuple(LAST + timedelta(days=d + 1) for d in range(HORIZON)),
        quantiles=tuple(tuple(row) for row in rows.tolist()),
        method="ensemble",
        grade=Grade.MEDIUM,
        reasons=("20 observed days (14 to 29)",),
        models=(replace(USES["symptom_transformer"], weight=1.0),),
        entries=20,
        last_entry=LAST,
        historical=False,
        sources=("Observation/0", "Observation/1"),
        fortnight=tuple(rows.mean(0).tolist()),
        warning=WARNING,
    )
    return replace(made, **changes)
