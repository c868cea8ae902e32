"""The sealed part of a prediction: forecasts, recommendations and refusals as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions import digests
from backend.predictions.models import Prediction
from backend.twin import recommendation, trajectory_json
from backend.twin.recommendation import Recommendation
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast

TABLE = "predictions_prediction"
COLUMN = "payload"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument: its forecast, what that suggests, its delivery's identifier."""

    forecast: Forecast
    recommendations: tuple[Recommendation, ...]
    identifier: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """All instruments of one prediction; resources refused, counted by reason."""

    instruments: tuple[Instrument, ...]
    refused: Mapping[str, int]


def compose(
    patient: Patient,
    record: PatientRecord,
    *,
    forecasts: tuple[Forecast, ...],
    as_of: date,
) -> Answer:
    """The answer that `forecasts` make, with recommendations and identifiers."""
    instruments = tuple(
        Instrument(
            forecast=forecast,
            recommendations=recommendation.from_forecast(forecast, record, as_of),
            identifier=digests.identifier(
                patient, forecast, record_digest=record.digest
            ),
        )
        for forecast in forecasts
    )
    refused = Counter(str(refusal.reason) for refusal in record.refused)
    return Answer(instruments=instruments, refused=dict(sorted(refused.items())))


def seal_answer(patient: Patient, prediction_id: UUID, answer: Answer) -> bytes:
    """The answer as JSON, encrypted for this patient and this row."""
    plain = orjson.dumps(
        {
            "instruments": [
                {
                    "forecast": trajectory_json.to_dict(item.forecast),
                    "recommendations": [asdict(one) for one in item.recommendations],
                    "identifier": item.identifier,
                }
                for item in answer.instruments
            ],
            "refused": answer.refused,
        }
    )
    return crypto.seal(
        patient, table=TABLE, column=COLUMN, row=str(prediction_id), plain=plain
    )


def open_answer(patient: Patient, prediction: Prediction) -> Answer:
    """What `seal_answer` sealed. Raises SealBroken when it does not belong there."""
    plain = crypto.unseal(
        patient,
        table=TABLE,
        column=COLUMN,
        row=str(prediction.pk),
        blob=bytes(prediction.payload),
    )
    data = orjson.loads(plain)
    return Answer(
        instruments=tuple(_instrument(item) for item in data["instruments"]),
        refused=data["refused"],
    )


def _instrument(data: dict[str, Any]) -> Instrument:
    """`Any` because this is JSON; `seal_answer` above wrote it."""
    return Instrument(
        forecast=trajectory_json.from_dict(data["forecast"]),
        recommendations=tuple(_recommendation(one) for one in data["recommendations"]),
        identifier=UUID(data["identifier"]),
    )


def _recommendation(data: dict[str, Any]) -> Recommendation:
    day = data["day"] and date.fromisoformat(data["day"])
    return Recommendation(**{**data, "day": day})
