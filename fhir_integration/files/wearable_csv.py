"""Wearable values as CSV, one value a row; docs/methods/reading.md has the columns.

Separated by comma, semicolon or tab, as the header is; UTF-8. A row is never more than
a line in memory. Columns of other names are passed over, and so is `device`: a stream
does not tell devices apart, in FHIR neither.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TextIO

from backend.twin.measures import Measure, by_code, measures
from backend.twin.record import Reason
from fhir_integration.files.data_points import NotRead, Point, Result, sample
from fhir_integration.files.local_clock import Clock, NoSuchZone, zone_of
from fhir_integration.kinds.refused import Refused

LONGEST = 64 * 1024  # characters of a line
_NEEDED = ("time", "value", "unit")
_NAMES = ("measure", "code")
_KNOWN = frozenset({*_NEEDED, *_NAMES, "end", "device", "patient", "zone", "worn"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?")
_ABSENT = frozenset({"", "nan", "na", "n/a", "null", "none"})
_WORN = dict.fromkeys(("", "1", "true", "yes"), True) | dict.fromkeys(
    ("0", "false", "no"), False
)


def read_csv(file: TextIO, clock: Clock) -> Iterator[Point]:
    """Each row as a point. Raises NotRead where the file, or the rest, is no CSV."""
    header = next(_lines(file), "")
    rows = csv.reader(_lines(file), delimiter=_delimiter(header), strict=True)
    try:
        columns = _columns(next(csv.reader([header], delimiter=_delimiter(header)), []))
        for row in rows:
            line = rows.line_num + 1
            if any(map(str.strip, row)):
                yield _point(line, row, columns, clock)
    except csv.Error:
        raise NotRead("not CSV: quotes or characters that cannot be read") from None


def _lines(file: TextIO) -> Iterator[str]:
    try:
        while line := file.readline(LONGEST + 1):
            if len(line) > LONGEST:
                raise NotRead("not CSV: a line is longer than any row")
            yield line
    except UnicodeDecodeError:
        raise NotRead("not UTF-8") from None


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(names: Sequence[str]) -> Mapping[str, int]:
    found = [name.strip().lower() for name in names]
    missing = [name for name in _NEEDED if name not in found]
    if not any(name in found for name in _NAMES):
        missing.append("measure")
    if missing:
        raise NotRead(f"not CSV of a wearable: no column {', '.join(missing)}")
    if any(found.count(name) > 1 for name in _KNOWN):
        raise NotRead("not CSV of a wearable: a column stands there twice")
    return {name: found.index(name) for name in found if name in _KNOWN}


def _point(
    line: int, row: Sequence[str], columns: Mapping[str, int], clock: Clock
) -> Point:
    source = f"row/{line}"
    if len(row) <= max(columns.values()):
        return Point(line, "", source, (Refused(Reason.MALFORMED),))
    cells = {name: row[place].strip() for name, place in columns.items()}
    result = _result(cells, clock, source)
    return Point(line, cells.get("patient", ""), source, (result,))


def _result(cells: Mapping[str, str], clock: Clock, source: str) -> Result:
    measure = _measure(cells)
    if measure is None:
        return Refused(Reason.UNKNOWN_CODE)
    is_worn = _WORN.get(cells.get("worn", "").lower())
    local = _clock(cells, clock)
    if is_worn is None or local is None:
        return Refused(Reason.MALFORMED)
    end = cells.get("end") or None
    effective = local.effective(cells["time"], end, measure.window)
    value = _value(cells["value"]) if is_worn else None
    quantity = {"value": value, "unit": cells["unit"]}
    return sample(measure, quantity, effective, source)


@cache
def _by_name() -> Mapping[str, Measure]:
    """By key and by code; no code of the table is another measure's key."""
    by_codes = {code: measure for (_, code), measure in by_code().items()}
    return by_codes | dict(measures())


def _measure(cells: Mapping[str, str]) -> Measure | None:
    """The one that all filled cells name."""
    said = {cells[name] for name in _NAMES if cells.get(name)}
    found = {(one.key if one else ""): one for one in map(_by_name().get, said)}
    return next(iter(found.values())) if len(found) == 1 else None


def _clock(cells: Mapping[str, str], clock: Clock) -> Clock | None:
    """The row's own zone, else the file's; None where there is no such zone."""
    own = cells.get("zone", "")
    try:
        return Clock(zone_of(own)) if own else clock
    except NoSuchZone:
        return None


def _value(text: str) -> float | str | None:
    """The number; None for what is said to be absent, words as they are."""
    if text.lower() in _ABSENT:
        return None
    return float(text) if _NUMBER.fullmatch(text) else text
