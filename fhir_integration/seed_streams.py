"""The values of a stream as Observations that are read as the same stream again.

Values at an even pace within a local day go into one Observation, as SampledData: a
demo patient has thousands. Every other value has an Observation of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import NamedTuple

from backend.twin.streams import NO_OFFSET, Stream
from fhir_integration.codes import UCUM
from fhir_integration.strict_json import Json
from fhir_integration.times import DAY

_PLAIN = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")  # what SampledData tells exactly
_EPOCH = date(1970, 1, 1).toordinal()


class _Row(NamedTuple):
    """One value of a stream; the columns of a `Stream`."""

    start: int
    seconds: float
    day: int
    offset: int
    value: float


def told(stream: Stream) -> Iterator[tuple[str, Json]]:
    """Name and elements of each Observation; equal values have equal names."""
    measure = stream.measure
    system, code = measure.codes[0]
    coded = {"coding": [{"system": system, "code": code}], "text": measure.title}
    for rows in _runs(stream):
        said = _sampled(rows, measure.unit) or _single(rows[0], measure.unit)
        name = sha256(repr(rows).encode()).hexdigest()
        yield f"{code}|{name}", {"code": coded, **said}


def _runs(stream: Stream) -> Iterator[list[_Row]]:
    """The rows, those together that one SampledData can tell."""
    run: list[_Row] = []
    for row in _rows(stream):
        if run and not _goes_on(run, row, window=stream.measure.window):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _rows(stream: Stream) -> Iterator[_Row]:
    columns = stream.start, stream.seconds, stream.day, stream.offset, stream.value
    yield from map(_Row, *(column.tolist() for column in columns))


def _goes_on(run: list[_Row], row: _Row, *, window: str) -> bool:
    """Whether the row is the next sample of the run: same day, same pace, plain."""
    last, pace = run[-1], row.start - run[-1].start
    paces = {pace} if len(run) == 1 else {pace, run[1].start - run[0].start}
    lasting = {"instant": 0.0, "interval": float(pace)}.get(window)
    return (
        pace > 0
        and len(paces) == 1
        and (row.day, row.offset) == (last.day, last.offset)
        and row.seconds == last.seconds == lasting
        and all(map(_is_sample, (last, row)))
    )


def _is_sample(row: _Row) -> bool:
    """Whether a sample can say it: of a known time, on its own day, in plain digits."""
    if row.offset == NO_OFFSET or not _PLAIN.fullmatch(repr(row.value)):
        return False
    return (row.start + 60 * row.offset) // DAY == row.day


def _sampled(rows: list[_Row], unit: str) -> Json:
    """Two values or more, from the first one's time on; of one there is no pace."""
    if len(rows) < 2:
        return {}
    first = rows[0]
    return {
        "effectiveDateTime": _time(first.start, first.offset),
        "valueSampledData": {
            "origin": _quantity(0, unit),
            "period": 1000 * (rows[1].start - first.start),
            "dimensions": 1,
            "data": " ".join(repr(row.value) for row in rows),
        },
    }


def _single(row: _Row, unit: str) -> Json:
    return {**_effective(row), "valueQuantity": _quantity(row.value, unit)}


def _effective(row: _Row) -> Json:
    """The moment or the period; days where no time was stated."""
    if row.offset != NO_OFFSET:
        start = _time(row.start, row.offset)
        if not row.seconds:
            return {"effectiveDateTime": start}
        end = _time(row.start + row.seconds, row.offset)
        return {"effectivePeriod": {"start": start, "end": end}}
    last = date.fromordinal(_EPOCH + row.day).isoformat()
    if not row.seconds:
        return {"effectiveDateTime": last}
    first = date.fromordinal(_EPOCH + row.start // DAY).isoformat()
    return {"effectivePeriod": {"start": first, "end": last}}


def _time(seconds: float, offset: int) -> str:
    """To the microsecond, in the stated offset."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return at.astimezone(timezone(timedelta(minutes=offset))).isoformat()


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}
