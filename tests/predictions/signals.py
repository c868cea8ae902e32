"""Records with wearables for the tests of correlations, links known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np

from backend.twin.measures import measures
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import scale
from backend.twin.streams import Stream
from tests.predictions.fakes import LAST_DAY
from tests.twin.correlation.made import World, course

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EAST = timezone(timedelta(hours=1))
BEFORE = 96  # hours of signals before the first report
SYMPTOM, SIGNAL = "anxiety-0-10", "hrv-rmssd"


def linked(world: World | None = None, *, last: date = LAST_DAY) -> PatientRecord:
    """A record of `world.days` days up to `last`: SIGNAL leads SYMPTOM by its lag."""
    by = world or World(days=60, r=-0.8, lag=12)
    rng = np.random.default_rng(by.seed)
    hours = BEFORE + 24 * by.days
    signal, own = course(rng, hours, 8.0), course(rng, hours, 36.0)
    days = BEFORE + 24 * np.arange(by.days)[:, None]
    at = (days + np.linspace(9, 21, by.per_day).astype(int)).ravel()
    felt = by.r * signal[at - by.lag] + np.sqrt(1 - by.r**2) * own[at]
    scores = np.clip(np.round(5 + 1.8 * felt), 0, 10)
    begin = datetime(last.year, last.month, last.day, tzinfo=EAST)
    begin -= timedelta(days=by.days - 1, hours=BEFORE)
    moments = [begin + timedelta(hours=int(hour)) for hour in at]
    reports = Series(
        scale(SYMPTOM),
        tuple(
            Entry(when.date(), float(score), f"Observation/s{n}", when.isoformat())
            for n, (when, score) in enumerate(zip(moments, scores, strict=True))
        ),
    )
    return PatientRecord(
        series=(reports,), streams=(hourly(SIGNAL, begin, 40 + 8 * signal),)
    )


def hourly(key: str, begin: datetime, values: np.ndarray) -> Stream:
    """One value an hour of this measure, each over its hour."""
    start = int((begin - EPOCH).total_seconds()) + 3600 * np.arange(len(values))
    offset = begin.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    return Stream(
        measures()[key],
        start.astype(np.int64),
        np.full(len(values), 300.0),
        ((start + 60 * minutes) // 86_400).astype(np.int32),
        np.full(len(values), minutes, np.int16),
        np.asarray(values, np.float64),
        tuple(f"Observation/{key}-{n}" for n in range(len(values))),
    )


class Silenced:
    """A server whose network says this in place of its answer."""

    def __init__(self, says):
        self.says, self.asked = says, 0

    def infer(self, model, version, inputs, *, timeout_s):
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def canary(self, model, version):
        raise AssertionError("nobody asks for it here")
