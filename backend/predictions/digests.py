"""Digests and identifiers: when two answers are the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import NAMESPACE_URL, UUID, uuid5

from backend.people import crypto
from backend.people.models import Patient
from backend.twin.forecast import CALCULATION
from backend.twin.record import PatientRecord
from backend.twin.trajectory import Forecast, ModelUse

NAMESPACE = uuid5(NAMESPACE_URL, "https://mindtwin.example/forecast")


def digest_of_models(uses: Iterable[ModelUse]) -> str:
    """sha256 over what is approved: model, version, weights of the net, its share."""
    lines = sorted(
        f"{use.model}|{use.version}|{use.sha256}|{use.weight!r}" for use in uses
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest_of_record(record: PatientRecord) -> str:
    """The record's digest as it may be stored.

    Keyed, because a record is easily guessed: few scores, few days, numbered sources.
    """
    return crypto.keyed(record.digest)


def identifier(patient: Patient, forecast: Forecast, *, window_digest: str) -> UUID:
    """What the EHR knows this answer by: equal for equal window, models, arithmetic.

    Without models the method stands in their place: a fallback's answer is another
    resource than the ensemble's. The window's digest goes in keyed: the EHR shows the
    name to many, and it must not confirm a guess at what was entered.
    """
    answered = digest_of_models(forecast.models) if forecast.models else forecast.method
    instrument = f"{forecast.scale.system}|{forecast.scale.code}"
    parts = (
        CALCULATION,
        patient.site_id,
        patient.pk,
        instrument,
        crypto.keyed(window_digest),
        answered,
    )
    return uuid5(NAMESPACE, "\n".join(map(str, parts)))
