"""The sealed part of a prediction: forecasts, recommendations, remarks, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from backend.people.models import Patient
from backend.predictions import digests
from backend.predictions.models import Prediction
from backend.predictions.payload import open_payload, seal_payload, where_it_opens
from backend.predictions.remarks import Remarks, remarks, remarks_of
from backend.twin import recommendation, trajectory_json
from backend.twin.features import ForecastWindow
from backend.twin.recommendation import Recommendation
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse
from backend.twin.window_digest import window_digest


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument: its forecast, what that suggests, its delivery's identifier.

    `sd` is that of the window it was made from, score units, floored as the models see
    it; None in answers of before it was kept.
    """

    forecast: Forecast
    recommendations: tuple[Recommendation, ...]
    identifier: UUID
    sd: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """All instruments of one prediction, and what else the record says."""

    instruments: tuple[Instrument, ...]
    remarks: Remarks


def compose(
    patient: Patient,
    record: PatientRecord,
    windows: Sequence[ForecastWindow],
    forecasts: Sequence[Forecast],
    *,
    uses: Mapping[str, ModelUse],
    as_of: date,
) -> Answer:
    """The answer that the windows' forecasts make, both in the same order.

    `uses` are the models that were asked for them, by name.

    With recommendations, identifiers, and what else the record says on that day.
    """
    instruments = tuple(
        Instrument(
            forecast=forecast,
            recommendations=recommendation.from_forecast(forecast, record, as_of),
            identifier=digests.identifier(
                patient,
                forecast,
                window_digest=window_digest(window),
                asked=uses.values(),
            ),
            sd=window.sd,
        )
        for window, forecast in zip(windows, forecasts, strict=True)
    )
    return Answer(instruments=instruments, remarks=remarks(record, as_of))


def seal_answer(patient: Patient, prediction_id: UUID, answer: Answer) -> bytes:
    """The answer as JSON, encrypted for this patient and this row."""
    return seal_payload(
        patient,
        prediction_id,
        {
            "instruments": [
                {
                    "forecast": trajectory_json.to_dict(item.forecast),
                    "recommendations": [asdict(one) for one in item.recommendations],
                    "identifier": item.identifier,
                    "sd": item.sd,
                }
                for item in answer.instruments
            ],
            **asdict(answer.remarks),
        },
    )


def open_answer(patient: Patient, prediction: Prediction) -> Answer:
    """What `seal_answer` sealed; raises as `payload.open_payload` does."""
    data = open_payload(patient, prediction)
    return Answer(
        instruments=tuple(_instrument(item) for item in data["instruments"]),
        remarks=remarks_of(data),
    )


def to_deliver(answer: Answer) -> dict[UUID, int]:
    """Identifier and position of each forecast that the EHR gets: no historical one."""
    return {
        item.identifier: position
        for position, item in enumerate(answer.instruments)
        if not item.forecast.historical
    }


def openable(patient: Patient, prediction: Prediction) -> Answer | None:
    """The same, or None where it does not open."""
    return where_it_opens(open_answer, patient, prediction)


def _instrument(data: dict[str, Any]) -> Instrument:
    """`Any` because this is JSON; `seal_answer` above wrote it."""
    return Instrument(
        forecast=trajectory_json.from_dict(data["forecast"]),
        recommendations=tuple(_recommendation(one) for one in data["recommendations"]),
        identifier=UUID(data["identifier"]),
        sd=data.get("sd"),
    )


def _recommendation(data: dict[str, Any]) -> Recommendation:
    day = data["day"] and date.fromisoformat(data["day"])
    return Recommendation(**{**data, "day": day})
