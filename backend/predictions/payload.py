"""The sealed column of a prediction: JSON, for its patient and its row alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import orjson

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions.errors import PatientErased, erasure_told
from backend.predictions.models import Prediction
from backend.twin.errors import SealBroken

TABLE = "predictions_prediction"
COLUMN = "payload"

Opened = TypeVar("Opened")

_log = logging.getLogger("mindtwin.predictions")


def seal_payload(
    patient: Patient, prediction_id: UUID, data: Mapping[str, Any]
) -> bytes:
    """JSON values, encrypted for this patient and this row."""
    return crypto.seal(
        patient,
        table=TABLE,
        column=COLUMN,
        row=str(prediction_id),
        plain=orjson.dumps(data),
    )


def open_payload(patient: Patient, prediction: Prediction) -> dict[str, Any]:
    """What `seal_payload` sealed.

    Raises SealBroken when it does not belong there, PatientErased when nobody can open
    it any more.
    """
    with erasure_told(patient.pk):
        plain = crypto.unseal(
            patient,
            table=TABLE,
            column=COLUMN,
            row=str(prediction.pk),
            blob=bytes(prediction.payload),
        )
    found: dict[str, Any] = orjson.loads(plain)
    return found


def where_it_opens(
    opening: Callable[[Patient, Prediction], Opened],
    patient: Patient,
    prediction: Prediction,
) -> Opened | None:
    """What `opening` makes of the row, or None where it does not open.

    For those to whom one such row must not hide another, or what is urgent; whoever
    asks for this very row is told.
    """
    try:
        return opening(patient, prediction)
    except SealBroken as error:
        if not isinstance(error, PatientErased):
            _log.warning("a stored answer does not open: %s", type(error).__name__)
        return None
