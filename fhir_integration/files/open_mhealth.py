"""Data points of IEEE 1752.1 and of Open mHealth, its forerunner, as JSON.

A point is a `header`, whose `schema_id` names what the `body` is, and a body; a data
series has a list of bodies. Sources: w3id.org/ieee/ieee-1752-schema (header-1.0,
data-point-1.0, data-series-1.0, physical-activity-1.0, total-sleep-time-1.0,
sleep-episode-1.0, sleep-stage-summary-1.0, time-frame-1.0) and
github.com/openmhealth/schemas (schema/omh). Namespaces and versions are not told apart:
a name means the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backend.twin.measures import measures
from backend.twin.record import Reason
from fhir_integration.files.data_points import NotRead, Point, Result, sample
from fhir_integration.files.json_objects import Readable, objects
from fhir_integration.files.local_clock import Clock
from fhir_integration.files.point_bodies import values
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.sampled import MAX_SAMPLES
from fhir_integration.kinds.spans import span_of
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json, NotStrict, parse
from fhir_integration.ucum import between

# Start and end as the file states them; no end for a moment.
_Ends = tuple[object, object]
_NAMESPACES = ("ieee", "omh")
_ONLY_SOURCE = "FHIR: read it with import_fhir"
# Of 1752.1's durations those of a fixed length; others do not say how long they are.
_DURATIONS = {"sec": "s", **{unit: unit for unit in ("us", "ms", "min", "h", "d")}}


def read_points(file: Readable, clock: Clock) -> Iterator[Point]:
    """Each data point of the file. Raises NotRead where it, or the rest, is no JSON."""
    own = replace(clock, bare=False)
    for place, raw in enumerate(objects(file), start=1):
        try:
            value = parse(raw)
        except NotStrict as refusal:
            wrong = (Refused(Reason.MALFORMED),)
            yield Point(place, "", f"point/{place}", wrong, fault=str(refusal.fault))
            continue
        if "resourceType" in value:
            raise NotRead(_ONLY_SOURCE)
        yield _point(place, value, own)


def _point(place: int, value: Json, clock: Clock) -> Point:
    header, body = value.get("header"), value.get("body")
    if not isinstance(header, dict):
        wrong = (Refused(Reason.MALFORMED),)
        return Point(place, "", f"point/{place}", wrong)
    named = header.get("uuid", header.get("id"))
    identity = named if isinstance(named, str) else ""
    patient = header.get("user_id")
    source = identity or f"point/{place}"
    results = list(_results(_schema(header), body, clock, source))
    return Point(
        place,
        patient if isinstance(patient, str) else "",
        source,
        (
            *(one for one in results if not isinstance(one, Refused)),
            *dict.fromkeys(one for one in results if isinstance(one, Refused)),
        ),
        identity,
    )


def _schema(header: Json) -> str:
    """What the body is, in a word of the two standards; "" for any other."""
    stated = header.get("schema_id")
    if not isinstance(stated, dict) or stated.get("namespace") not in _NAMESPACES:
        return ""
    return str(stated.get("name"))


def _results(name: str, body: Any, clock: Clock, source: str) -> Iterator[Result]:
    bodies = body if isinstance(body, list) else [body]
    if not bodies or len(bodies) > MAX_SAMPLES:
        yield Refused(Reason.MALFORMED if bodies else Reason.NO_VALUE)
        return
    for one in bodies:
        if isinstance(one, dict):
            yield from _of_body(name, one, clock, source)
        else:
            yield Refused(Reason.MALFORMED)


def _of_body(name: str, body: Json, clock: Clock, source: str) -> Iterator[Result]:
    ends = _ends(body.get("effective_time_frame"), clock)
    is_day = not isinstance(ends, Reason) and _is_day(ends, clock)
    found = list(values(name, body, is_day=is_day))
    if not found:
        yield Refused(Reason.UNKNOWN_CODE)
    for measure, quantity in found:
        worn = None if body.get("is_worn") is False else quantity
        effective = (
            ends if isinstance(ends, Reason) else clock.effective(*ends, measure.window)
        )
        yield sample(measure, worn, effective, source)


def _is_day(ends: _Ends, clock: Clock) -> bool:
    """True for most of a day and no more than the longest, of 25 hours."""
    effective = clock.effective(*ends, "interval")
    if isinstance(effective, Reason):
        return False
    span = span_of(effective, "interval")
    shortest = measures()["steps-daily"].shortest
    return not isinstance(span, Reason) and shortest <= span.seconds <= 25 * 3600


def _ends(frame: object, clock: Clock) -> _Ends | Reason:
    if frame is None or frame == {}:
        return Reason.NO_DATE
    if not isinstance(frame, dict) or {"date_time", "time_interval"} <= frame.keys():
        return Reason.MALFORMED
    if "date_time" in frame:
        return frame["date_time"], None
    interval = frame.get("time_interval")
    if not isinstance(interval, dict):
        return Reason.MALFORMED
    return _of_interval(interval, clock)


def _of_interval(interval: Json, clock: Clock) -> _Ends | Reason:
    """Two of start, end and duration; a part of a day has no ends (older schemas)."""
    start, end = interval.get("start_date_time"), interval.get("end_date_time")
    if start is not None and end is not None:
        return start, end
    if start is None and end is None:
        return Reason.NO_TIME if "date" in interval else Reason.NO_DATE
    seconds = _seconds(interval.get("duration"))
    if isinstance(seconds, Reason):
        return seconds
    given, sign = (start, 1) if end is None else (end, -1)
    other = clock.moved(given, sign * seconds)
    if isinstance(other, Reason):
        return other
    return (given, other) if end is None else (other, given)


def _seconds(duration: object) -> float | Reason:
    if not isinstance(duration, dict):
        return Reason.NO_WINDOW if duration is None else Reason.MALFORMED
    convert = between(_DURATIONS.get(str(duration.get("unit")), ""), "s")
    value = finite(duration.get("value"))
    if convert is None or isinstance(value, Reason):
        return Reason.MALFORMED
    return convert(value)
