"""Digests and identifiers: when two answers are the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import NAMESPACE_URL, UUID, uuid5

from backend.people import crypto
from backend.people.models import Patient
from backend.twin import irregular
from backend.twin.calibration import constants
from backend.twin.forecast import CALCULATION
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse

NAMESPACE = uuid5(NAMESPACE_URL, "https://mindtwin.example/forecast")


def digest_of_models(
    uses: Iterable[ModelUse], *, asked: Iterable[ModelUse] | None = None
) -> str:
    """sha256 over the models and all that was fitted to make their answer a forecast.

    Of each model its version, the weights of its net and its share; then the arithmetic
    and its tables, which may change while the models stay. Where not all that were
    `asked` answered in `uses`, it is they that the calibration was chosen for.
    """
    members = tuple(uses)
    versions = {use.model: use.version for use in asked or members}
    calibration = constants(versions) if members else None
    lines = sorted(
        f"{use.model}|{use.version}|{use.sha256}|{use.weight!r}" for use in members
    )
    fitted = f"{CALCULATION}|{calibration!r}|{dict(irregular.table())!r}"
    return hashlib.sha256("\n".join([*lines, fitted]).encode()).hexdigest()


def digest_of_record(record: PatientRecord) -> str:
    """The record's digest as it may be stored.

    Keyed, because a record is easily guessed: few scores, few days, numbered sources.
    """
    return crypto.keyed(record.digest)


def identifier(
    patient: Patient,
    forecast: Forecast,
    *,
    window_digest: str,
    asked: Iterable[ModelUse],
) -> UUID:
    """What the EHR knows this answer by: equal for equal window, models, arithmetic.

    `asked` are the models that were, of which the forecast names those that answered.
    A fallback's answer is another resource than the ensemble's: the method is part of
    the name. The window's digest goes in keyed: the EHR shows the name to many, and it
    must not confirm a guess at what was entered.
    """
    instrument = f"{forecast.scale.system}|{forecast.scale.code}"
    parts = (
        patient.site_id,
        patient.pk,
        instrument,
        crypto.keyed(window_digest),
        forecast.method,
        digest_of_models(forecast.models, asked=asked),
    )
    return uuid5(NAMESPACE, "\n".join(map(str, parts)))
