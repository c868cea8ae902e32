"""Simulated streams as the record that an EHR would hold of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from backend.twin.correlation.streams import (
    BiometricStream,
    CorrelationWindow,
    SymptomStream,
)
from backend.twin.measures import Measure, measures
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import Scale
from backend.twin.streams import NO_OFFSET, Stream

HOUR, DAY = 3600, 86_400
DIGITS = 3  # behind the point: what is simulated with 32 bits has no more


def as_record(
    window: CorrelationWindow, scales: Mapping[str, Scale], *, east_minutes: int
) -> PatientRecord:
    """A record of which `from_record` makes the window again.

    `scales` by the symptoms' names; biometrics are named as in `tables/measures.toml`.
    Every time of day states `east_minutes` of UTC as its offset. What is counted over a
    stretch of time is of the hour that begins then; a value of a night or day states
    the day alone. Sources are empty: no EHR has given anything yet. Raises KeyError for
    a name that has no scale or is no measure.
    """
    return PatientRecord(
        series=tuple(
            _series(one, scales[one.name], east_minutes) for one in window.symptoms
        ),
        streams=tuple(
            _stream(one, measures()[one.name], east_minutes)
            for one in window.biometrics
        ),
    )


def _series(symptom: SymptomStream, scale: Scale, east_minutes: int) -> Series:
    zone = timezone(timedelta(minutes=east_minutes))
    entries = []
    for moment, value in zip(
        _local_seconds(symptom.times), symptom.values, strict=True
    ):
        at = datetime.fromtimestamp(int(moment) - 60 * east_minutes, UTC)
        local = at.astimezone(zone)
        entries.append(Entry(local.date(), float(value), "", local.isoformat()))
    return Series(scale, tuple(entries))


def _stream(biometric: BiometricStream, measure: Measure, east_minutes: int) -> Stream:
    local = _local_seconds(biometric.times)
    dated = measure.window in ("day", "night")
    seconds = HOUR if measure.window == "interval" else 0
    day = (local + max(seconds - 1, 0)) // DAY
    count = len(local)
    return Stream(
        measure=measure,
        start=day * DAY if dated else local - 60 * east_minutes,
        seconds=np.full(count, float(seconds)),
        day=day.astype(np.int32),
        offset=np.full(count, NO_OFFSET if dated else east_minutes, np.int16),
        value=np.round(biometric.values, DIGITS),
        sources=("",) * count,
    )


def _local_seconds(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[s]").astype(np.int64)
