"""Tidy symptom diaries (CSV) as patient records.

Columns: patient_id, date, symptom_type, severity and, if known, scale_min, scale_max.
The symptom's scale is, in this order: a scale of our table with the symptom's name,
unless the file's columns give it other ends; those columns; the range seen in the whole
file, which is said in the answer.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from backend.twin.record import Entry, PatientRecord, Reason, Series
from backend.twin.scales import Scale, local_scale, scales

DIARY_SYSTEM = "https://mindtwin.example/fhir/CodeSystem/diary"
LONGEST_NAME = 200  # characters of a symptom's name
LARGEST = 1e6  # no rating lies beyond; larger numbers are mistakes
EARLIEST = date(1900, 1, 1)
NEEDED = ("patient_id", "date", "symptom_type", "severity")


class DiaryUnreadable(ValueError):
    """The file is no tidy diary; the text names the line or the column, no content."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file that could be read."""

    patient: str
    symptom: str
    entry: Entry
    bounds: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Symptom:
    """One symptom of a file: its name there, its scale, and where that came from."""

    name: str
    scale: Scale
    scale_source: str


@dataclass(frozen=True, slots=True)
class Diary:
    """A file's patients, the rows that were refused, and its symptoms by scale key.

    `sha256` is that of the file's bytes.
    """

    patients: Mapping[str, PatientRecord]
    refused: Mapping[Reason, int]
    symptoms: Mapping[str, Symptom]
    sha256: str


def read_diary(path: Path, *, today: date, zone: tzinfo | None = None) -> Diary:
    """Read a whole file; raises `DiaryUnreadable` when it is not a tidy diary.

    A time without an offset is of `zone`, else of UTC; the first of two alike.
    Rows later than `today`, or the day after it in an earlier time zone, are refused.
    """
    refused: Counter[Reason] = Counter()
    content = path.read_bytes()
    rows = [
        row
        for row in _rows(content, refused, zone)
        if not _refuse_future(row, today, refused)
    ]
    if not rows:
        raise DiaryUnreadable(f"no row can be used ({_counted(refused) or 'empty'})")
    symptoms = {name: _symptom(name, some) for name, some in _by(rows).items()}
    by_key = {symptom.scale.key: symptom for symptom in symptoms.values()}
    patients: dict[str, dict[str, set[Entry]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        scale = symptoms[row.symptom].scale
        if scale.low <= row.entry.value <= scale.high:
            patients[row.patient][scale.key].add(row.entry)
        else:
            refused[Reason.OUTSIDE_SCALE] += 1
    return Diary(
        patients={
            patient: PatientRecord(
                series=tuple(
                    Series(by_key[key].scale, _ordered(entries))
                    for key, entries in sorted(series.items())
                )
            )
            for patient, series in patients.items()
        },
        refused=refused,
        symptoms=by_key,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def remarks(diary: Diary) -> Iterator[str]:
    """What a reader of the answer has to know about the file."""
    if diary.refused:
        yield f"rows not used: {_counted(diary.refused)}"
    guessed = [s for s in diary.symptoms.values() if s.scale_source == "range seen"]
    if guessed:
        yield (
            f"no scale given for {len(guessed)} symptoms: the range seen in the file "
            "stands in; name the scale with scale_min, scale_max"
        )


def _counted(refused: Mapping[Reason, int]) -> str:
    return ", ".join(f"{count} {why}" for why, count in sorted(refused.items()))


def _refuse_future(row: Row, today: date, refused: Counter[Reason]) -> bool:
    late = (row.entry.day - today).days > 1
    refused.update([Reason.IN_FUTURE] * late)
    return late


def _rows(
    content: bytes, refused: Counter[Reason], zone: tzinfo | None
) -> Iterable[Row]:
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        reader = csv.DictReader(text)
        missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise DiaryUnreadable(f"columns missing: {', '.join(missing)}")
        for line in reader:
            row = _row(line, zone)
            if isinstance(row, Row):
                yield row
            else:
                refused[row] += 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise DiaryUnreadable("not a CSV file in UTF-8") from error


def _row(line: Mapping[str, str | None], zone: tzinfo | None) -> Row | Reason:
    patient, symptom = (
        line["patient_id"],
        " ".join((line["symptom_type"] or "").split()),
    )
    if not patient or not symptom or len(symptom) > LONGEST_NAME:
        return Reason.MALFORMED
    when = _when(line["date"] or "", zone)
    if when is None:
        return Reason.NO_DATE
    value = _number(line["severity"])
    if value is None:
        return Reason.NOT_A_NUMBER if line["severity"] else Reason.NO_VALUE
    low, high = _number(line.get("scale_min")), _number(line.get("scale_max"))
    bounds = (low, high) if low is not None and high is not None else None
    day, at = when
    return Row(patient, symptom, Entry(day=day, value=value, source="", at=at), bounds)


def _when(text: str, zone: tzinfo | None) -> tuple[date, str] | None:
    """The day as written and, where a time is given, ISO text with its offset."""
    try:
        if len(text) == 10:  # YYYY-MM-DD
            day = date.fromisoformat(text)
            return (day, "") if day >= EARLIEST else None
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.date() < EARLIEST:
        return None
    if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0):
        return at.date(), ""  # exporters write midnight where they mean the day
    zoned = at if at.tzinfo else at.replace(tzinfo=zone or UTC)
    return at.date(), zoned.isoformat()


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None  # NaN compares as no


def _by(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.symptom].append(row)
    return groups


def _symptom(name: str, rows: list[Row]) -> Symptom:
    bounds = {row.bounds for row in rows if row.bounds}
    if len(bounds) > 1:
        raise DiaryUnreadable("one symptom_type has several scale_min/scale_max")
    known = _known().get(_plain(name))
    if known and bounds <= {(known.low, known.high)}:
        return Symptom(name, known, "table")
    if bounds:
        low, high = bounds.pop()
        if not low < high:
            raise DiaryUnreadable("scale_min must lie below scale_max")
        return Symptom(name, _local(name, low, high), "columns")
    values = [row.entry.value for row in rows]
    low, high = min(values), max(values)
    scale = _local(name, low, high if low < high else low + 1.0)
    return Symptom(name, scale, "range seen")


def _local(symptom: str, low: float, high: float) -> Scale:
    return local_scale(symptom, system=DIARY_SYSTEM, low=low, high=high)


def _known() -> Mapping[str, Scale]:
    return {_plain(key): scale for key, scale in scales().items()}


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.day, entry.at, entry.value)))
