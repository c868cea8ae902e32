"""SampledData: many values of one measure at a fixed pace, packed into one text.

Source: hl7.org/fhir/R4/datatypes.html#SampledData. Only one dimension is read: of
several, nothing says which is the measure's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.twin.measures import Measure
from backend.twin.record import Reason
from backend.twin.streams import NO_OFFSET
from fhir_integration.kinds.spans import Span
from fhir_integration.numbers import finite
from fhir_integration.strict_json import Json
from fhir_integration.times import DAY
from fhir_integration.ucum import Conversion, conversion

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
# An error, and what was too low or too high for the device to say how much.
_MARKS = {"E": Reason.NO_VALUE, "L": Reason.NOT_A_NUMBER, "U": Reason.NOT_A_NUMBER}
Sampled = tuple[Span, float] | Reason
# Of one resource. A day of one value a second has 86,400; a sample takes some 700 bytes
# of memory while it is read, so that 100,000 take 70 MB.
MAX_SAMPLES = 100_000


def sampled(
    data: object, measure: Measure, whole: Span, *, ends: bool = False
) -> Iterator[Sampled]:
    """Each sample's span and value in the measure's unit, or why it has none.

    `whole` begins with the first sample. Each sample is a moment `period` ms after the
    one before it; in measures of a stretch of time it covers that period. More than
    MAX_SAMPLES are MALFORMED as a whole: a part of them would not be the series.
    So are samples of which the last begins later than a period after the end of
    `whole`, where it `ends`: pace or period must be wrong. A second is forgiven, since
    ends are rounded.
    """
    read = _header(data, measure)
    if isinstance(read, Reason):
        yield read
        return
    convert, origin, factor, step = read
    texts = data.get("data") if isinstance(data, dict) else None
    words = _words(texts)
    last = (len(words) - 1) * step
    is_beyond = ends and last > whole.seconds + max(step, 1.0)
    if len(words) > MAX_SAMPLES or is_beyond:
        yield Reason.MALFORMED
        return
    if not words:
        yield Reason.NO_VALUE
    for number, word in enumerate(words):
        if word in _MARKS:
            yield _MARKS[word]
        elif not _NUMBER.fullmatch(word):
            yield Reason.MALFORMED
        else:
            at = _span(whole, number * step, step if _lasts(measure) else 0.0)
            yield at, convert(float(word) * factor + origin)


def is_crowded(resource: Json) -> bool:
    """True if a resource and its components hold more than MAX_SAMPLES together."""
    inner = resource.get("component")
    stated = [
        one.get("valueSampledData")
        for one in (resource, *(inner if isinstance(inner, list) else ()))
        if isinstance(one, dict) and "valueSampledData" in one
    ]
    texts = [one.get("data") for one in stated if isinstance(one, dict)]
    return len(texts) > 0 and sum(len(_words(one)) for one in texts) > MAX_SAMPLES


def _words(text: object) -> list[str]:
    """The samples as text, at most one more than are read."""
    return text.split(maxsplit=MAX_SAMPLES) if isinstance(text, str) else []


def _header(
    data: object, measure: Measure
) -> tuple[Conversion, float, float, float] | Reason:
    """Conversion, origin, factor and seconds between samples."""
    if not isinstance(data, dict):
        return Reason.MALFORMED
    origin = data.get("origin")
    if not isinstance(origin, dict):
        return Reason.MALFORMED
    if data.get("dimensions", 1) != 1:
        return Reason.NOT_A_NUMBER
    convert = conversion(origin, measure)
    if isinstance(convert, Reason):
        return convert
    return _numbers(data, origin, convert)


def _numbers(
    data: Json, origin: Json, convert: Conversion
) -> tuple[Conversion, float, float, float] | Reason:
    zero, factor = finite(origin.get("value")), finite(data.get("factor", 1))
    period = finite(data.get("period"))
    if isinstance(zero, Reason) or isinstance(factor, Reason):
        return Reason.MALFORMED
    if isinstance(period, Reason) or not 0 < period <= 366 * DAY * 1000:
        return Reason.MALFORMED
    return convert, zero, factor, period / 1000


def _lasts(measure: Measure) -> bool:
    return measure.window in ("interval", "day")


def _span(whole: Span, after: float, seconds: float) -> Span:
    """`after` seconds into the series; the day moves on in the stated offset."""
    moved, fraction = divmod(whole.fraction + round(after * 1_000_000), 1_000_000)
    start = whole.start + moved
    east = 0 if whole.offset == NO_OFFSET else 60 * whole.offset
    days = (start + east) // DAY - (whole.start + east) // DAY
    return Span(start, seconds, whole.day + days, whole.offset, fraction)
