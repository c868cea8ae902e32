"""Observations in, PatientRecord out: each resource is used or refused by a reason.

Resources are read one by one and dropped at once; only a few fields of each are kept.
The result depends on what was delivered, never on the order or on repetition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from backend.twin.record import (
    Entry,
    PatientRecord,
    Reason,
    Refusal,
    SafetyAnswer,
    Series,
)
from backend.twin.scales import Scale
from fhir_integration.codes import FHIR_ID
from fhir_integration.observation import Reading, reading, when
from fhir_integration.strict_json import Json
from fhir_integration.times import Moment, moment

_Newness = tuple[str, int, str]
_Used = tuple[str, Reading]  # reference in the EHR, what was read there


@dataclass(frozen=True, slots=True)
class _Read:
    """What is kept of one resource; `result` is None where it was not asked for."""

    identity: str
    newness: _Newness
    source: str
    result: Reading | Reason | None


def read_record(
    resources: Iterable[Json], *, ehr_patient: str, since: date, until: date
) -> PatientRecord:
    """Extract the scores with since <= day <= until, and list what was refused.

    A resource dated before `since` was not asked for and leaves no trace; one after
    `until` is refused as IN_FUTURE. Of several versions of a resource the newest
    counts, whatever it says; equal scores at the same time count once. Never raises,
    whatever a JSON object holds.
    """
    reads = [
        _read(resource, ehr_patient=ehr_patient, since=since, until=until)
        for resource in resources
    ]
    newest, superseded = _newest(reads)
    used, repeated = _distinct(newest)
    used, unscaled = _one_range_each(used)
    refused = [
        Refusal(read.source, read.result)
        for read in newest
        if isinstance(read.result, Reason)
    ]
    return PatientRecord(
        series=_series(used),
        safety=_safety(used),
        refused=tuple(sorted(refused + superseded + repeated + unscaled, key=_order)),
    )


def _order(refusal: Refusal) -> tuple[str, str]:
    return refusal.source, refusal.reason


def _read(resource: Json, *, ehr_patient: str, since: date, until: date) -> _Read:
    identity, source = _names(resource)
    at = when(resource)
    result: Reading | Reason | None
    if isinstance(at, Moment) and at.day < since:
        result = None
    else:
        result = reading(resource, ehr_patient=ehr_patient, at=at)
    if isinstance(result, Reading) and result.moment.day > until:
        result = Reason.IN_FUTURE
    return _Read(identity, _newness(resource), source, result)


def _names(resource: Json) -> tuple[str, str]:
    """The id ("" if unusable) and the reference, versioned where the server says."""
    own_id, meta = resource.get("id"), resource.get("meta")
    if not isinstance(own_id, str) or not FHIR_ID.fullmatch(own_id):
        return "", "Observation"
    version = meta.get("versionId") if isinstance(meta, dict) else None
    if isinstance(version, str) and FHIR_ID.fullmatch(version):
        return own_id, f"Observation/{own_id}/_history/{version}"
    return own_id, f"Observation/{own_id}"


def _newness(resource: Json) -> _Newness:
    """Sorts versions: by lastUpdated, then by number or text of the version."""
    meta = resource.get("meta")
    stated = meta if isinstance(meta, dict) else {}
    updated, version = moment(stated.get("lastUpdated")), stated.get("versionId")
    text = version if isinstance(version, str) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return "" if isinstance(updated, Reason) else updated.utc, number, text


def _content(read: _Read) -> tuple[str, ...]:
    """Decides between reads that say the same of themselves but differ in content."""
    found = read.result
    if not isinstance(found, Reading):
        return ("", str(found))
    scale, at = found.scale, found.moment
    ends = f"{scale.low!r} {scale.high!r}"
    return scale.system, scale.code, ends, str(at.day), at.at, repr(found.value)


def _newest(reads: list[_Read]) -> tuple[list[_Read], list[Refusal]]:
    """One read per id, the newest; every other delivery of it is refused."""
    kept: dict[str, _Read] = {}
    nameless: list[_Read] = []
    superseded: list[Refusal] = []
    for read in sorted(reads, key=lambda read: (read.newness, _content(read))):
        if not read.identity:
            nameless.append(read)
            continue
        older = kept.get(read.identity)
        if older is not None and older.result is not None:
            superseded.append(Refusal(older.source, Reason.DUPLICATE))
        kept[read.identity] = read
    return [*kept.values(), *nameless], superseded


def _distinct(reads: list[_Read]) -> tuple[list[_Used], list[Refusal]]:
    """Of readings with equal code, time and value the first by reference is used."""
    seen: set[tuple[str, str, bool, str, float]] = set()
    used: list[_Used] = []
    repeated: list[Refusal] = []
    for read in sorted(reads, key=lambda read: (read.source, _content(read))):
        found = read.result
        if not isinstance(found, Reading):
            continue
        scale = found.scale
        what = (scale.system, scale.code, found.safety, found.moment.utc, found.value)
        if what in seen:
            repeated.append(Refusal(read.source, Reason.DUPLICATE))
        else:
            seen.add(what)
            used.append((read.source, found))
    return used, repeated


def _one_range_each(used: list[_Used]) -> tuple[list[_Used], list[Refusal]]:
    """A diary item sent with several ranges keeps the commonest (then the widest)."""
    ranges: dict[str, Counter[tuple[float, float]]] = defaultdict(Counter)
    for _, found in used:
        ranges[found.scale.key][found.scale.low, found.scale.high] += 1
    chosen = {
        key: max(counts, key=lambda ends: (counts[ends], ends[1] - ends[0], ends))
        for key, counts in ranges.items()
    }
    fitting: list[_Used] = []
    unscaled: list[Refusal] = []
    for source, found in used:
        if (found.scale.low, found.scale.high) == chosen[found.scale.key]:
            fitting.append((source, found))
        else:
            unscaled.append(Refusal(source, Reason.NO_SCALE))
    return fitting, unscaled


def _series(used: list[_Used]) -> tuple[Series, ...]:
    by_scale: dict[str, tuple[Scale, list[_Used]]] = {}
    for source, found in used:
        if not found.safety:
            _, rows = by_scale.setdefault(found.scale.key, (found.scale, []))
            rows.append((source, found))
    return tuple(
        Series(scale, tuple(_entry(row) for row in sorted(rows, key=_by_time)))
        for _, (scale, rows) in sorted(by_scale.items())
    )


def _by_time(row: _Used) -> tuple[date, str, float, str]:
    source, found = row
    return found.moment.day, found.moment.utc, found.value, source


def _entry(row: _Used) -> Entry:
    source, found = row
    return Entry(found.moment.day, found.value, source, found.moment.at)


def _safety(used: list[_Used]) -> tuple[SafetyAnswer, ...]:
    return tuple(
        SafetyAnswer(found.scale, found.moment.day, found.value, source)
        for source, found in sorted(used, key=_by_time)
        if found.safety
    )
