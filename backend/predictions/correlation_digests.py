"""When two correlations are the same answer, as `digests` says of forecasts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from backend.people import crypto
from backend.people.models import Patient
from backend.twin.correlation.correlation_json import FORMAT
from backend.twin.correlation.engine import Rule
from backend.twin.correlation.from_record import FromRecord
from backend.twin.correlation.insight_table import insight_table
from backend.twin.correlation.insights import InsightRule
from backend.twin.correlation.model_inputs import schema_hash
from backend.twin.correlation.network import RULE
from backend.twin.trajectory import ModelUse

NAMESPACE = uuid5(NAMESPACE_URL, "https://mindtwin.example/correlation")
CALCULATION = 3  # counts changes of arithmetic and words that nothing below shows

Pair = tuple[str, str]  # names of a biometric and of a symptom


def digest_of_link_models(uses: Iterable[ModelUse]) -> str:
    """sha256 over the models, and all that makes links and words of their answer."""
    lines = sorted(f"{use.model}|{use.version}|{use.sha256}" for use in uses)
    rules = f"{schema_hash()}|{Rule()!r}|{RULE!r}|{InsightRule()!r}"
    fitted = f"{CALCULATION}|{FORMAT}|{rules}"  # nobody opens another format again
    words = repr(insight_table())
    return hashlib.sha256("\n".join([*lines, fitted, words]).encode()).hexdigest()


def digest_of_window(found: FromRecord) -> str:
    """sha256 over all that is looked at: bounds, clock and every value."""
    window = found.window
    bounds = (window.history_from, window.reports_from, window.until)
    told = f"{bounds!r}|{window.max_lag_hours}|{found.clock}|{sorted(found.by_day)}"
    hashed = hashlib.sha256(told.encode())
    for signal in window.biometrics:
        hashed.update(f"|{signal.name}|{signal.unit}|{signal.nightly}|".encode())
        _add(hashed, signal.times, signal.values)
    for symptom in window.symptoms:
        hashed.update(f"|{symptom.name}|{symptom.worse_when}|".encode())
        _add(hashed, symptom.times, symptom.values)
    return hashed.hexdigest()


def link_identifier(
    patient: Patient, pair: Pair, *, window_digest: str, models: Iterable[ModelUse]
) -> UUID:
    """What the EHR knows this link by: equal for equal window and models.

    `models` are those that answered: what the engine says alone is another resource.
    The window's digest goes in keyed, as with a forecast.
    """
    parts = (
        patient.site_id,
        patient.pk,
        *pair,
        crypto.keyed(window_digest),
        digest_of_link_models(models),
    )
    return uuid5(NAMESPACE, "\n".join(map(str, parts)))


def _add(hashed: hashlib._Hash, *columns: np.ndarray) -> None:
    for column in columns:
        hashed.update(f"{len(column)}|".encode())
        hashed.update(np.ascontiguousarray(column).tobytes())
