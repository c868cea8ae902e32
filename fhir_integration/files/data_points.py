"""What a wearable's file says: points, judged as the FHIR reader judges its own.

Points become the very streams that Observations become: the same measures, units,
ranges, windows, days and reasons decide. What is not there was not worn: nothing is
filled in, and a value beside a flag of non-wear is absent (NO_VALUE), never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from backend.twin.measures import Measure
from backend.twin.record import Reason, Refusal
from backend.twin.streams import Stream
from fhir_integration import collecting
from fhir_integration.dispatch import ReadResource
from fhir_integration.kinds.refused import Refused
from fhir_integration.kinds.spans import span_of
from fhir_integration.kinds.wearable import Sample, is_count, judged
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json
from fhir_integration.ucum import in_unit

Result = Sample | Refused


class NotRead(ValueError):
    """A file, or the rest of it, cannot be read; the text quotes nothing of it."""


class Point(NamedTuple):
    """One row or data point: `place` is its line or number in the file, from 1 on.

    `patient` is whom the file names, "" for the person whose file it is. `source`
    refers to it as an Observation's reference would. `identity` is equal for versions
    of one data point, "" where it has no name. `fault`: why it is not JSON.
    """

    place: int
    patient: str
    source: str
    results: tuple[Result, ...]
    identity: str = ""
    fault: str = ""


def sample(
    measure: Measure, quantity: object, effective: Json | Reason, source: str
) -> Result:
    """One value as a row of a stream, or why it is none; a bare number is a count."""
    span = effective
    if not isinstance(span, Reason):
        read = span_of(span, measure.window)
        if not isinstance(read, Reason):
            value = _value(quantity, measure)
            whole = value if isinstance(value, Reason) else (read, value)
            return judged(whole, measure, source)
        span = read
    return Refused(span)


def _value(quantity: object, measure: Measure) -> float | Reason:
    if isinstance(quantity, dict):
        is_absent = quantity.get("value") in (None, "")
        return Reason.NO_VALUE if is_absent else in_unit(quantity, measure)
    if quantity is None:
        return Reason.NO_VALUE
    return finite(quantity) if is_count(measure) else Reason.NO_UNIT


def streams(
    points: Iterable[Point],
) -> Mapping[str, tuple[tuple[Stream, ...], tuple[Refusal, ...]]]:
    """By patient: one stream for each measure, and what was not used of theirs.

    Holds all of them in memory. What is told twice counts once (DUPLICATE).
    """
    by_patient: dict[str, list[ReadResource]] = {}
    for one in points:
        read = ReadResource(one.identity, (), ("", 0, ""), one.source, one.results, ())
        by_patient.setdefault(one.patient, []).append(read)
    return {patient: _streams(reads) for patient, reads in sorted(by_patient.items())}


def _streams(
    reads: list[ReadResource],
) -> tuple[tuple[Stream, ...], tuple[Refusal, ...]]:
    made, repeated = collecting.streams(reads, ())
    refused = [
        Refusal(read.source, result.reason)
        for read in reads
        for result in read.results
        if isinstance(result, Refused)
    ]
    return made, (*refused, *repeated)
