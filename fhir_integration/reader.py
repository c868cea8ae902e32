"""Observations in, PatientRecord out: each resource is used or refused by a reason.

Resources are read one by one and dropped at once; only a few fields of each are kept.
An Observation may hold several scores: a panel's total, a total's safety item.
The result depends on what was delivered, never on the order or on repetition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
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
from fhir_integration.dispatch import Context, ReadResource, read_any
from fhir_integration.kinds.refused import Refused
from fhir_integration.observation import Reading
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject

_Used = tuple[str, Reading]  # reference in the EHR, what was read there


def read_record(
    resources: Iterable[Json],
    *,
    ehr_patient: str,
    since: date,
    until: date,
    base_url: str = "",
    also: Iterable[str] = (),
) -> PatientRecord:
    """Extract the scores with since <= day <= until, and list what was refused.

    Days are the patient's own, as their entries state them: an entry of the day
    `until` is read whatever its time and zone, and so is one without a time. A
    resource dated before `since` was not asked for and leaves no trace; one after
    `until` is refused as IN_FUTURE. `base_url` is the site's own: absolute references
    count below it only. Of several versions of a resource, and of several ids of one
    business identifier, the newest counts, whatever it says; equal scores at the same
    time count once. `also` are ids of records that were merged into this patient's:
    what names them is theirs too. Never raises, whatever a JSON object holds.
    """
    subject = Subject.at(base_url, ehr_patient, also=also)
    context = Context(subject, since=since, until=until)
    reads = [read_any(resource, context) for resource in resources]
    newest, superseded = _newest(reads)
    used, repeated = _distinct(newest)
    used, unscaled = _one_range_each(used)
    refused = [
        Refusal(read.source, result.reason, result.safety)
        for read in newest
        for result in read.results
        if isinstance(result, Refused)
    ]
    return PatientRecord(
        series=_series(used),
        safety=_safety(used),
        refused=tuple(sorted(refused + superseded + repeated + unscaled, key=_order)),
    )


def _order(refusal: Refusal) -> tuple[str, str, bool]:
    return refusal.source, refusal.reason, refusal.safety


def _newest(reads: list[ReadResource]) -> tuple[list[ReadResource], list[Refusal]]:
    """One read per id and business identifier, the newest; the others are refused."""
    ordered = sorted(reads, key=lambda read: (read.newness, read.content, read.source))
    by_id, older = _last(ordered, by=lambda read: read.identity)
    kept, copies = _last(by_id, by=lambda read: read.business)
    return kept, [
        Refusal(read.source, Reason.DUPLICATE)
        for read in older + copies
        if read.results
    ]


def _last(
    reads: list[ReadResource], *, by: Callable[[ReadResource], Hashable]
) -> tuple[list[ReadResource], list[ReadResource]]:
    """The last read of each name, in order, and the others; "" and () are no names."""
    kept: dict[Hashable, ReadResource] = {}
    others: list[ReadResource] = []
    for position, read in enumerate(reads):
        name = by(read) or position
        if name in kept:
            others.append(kept.pop(name))
        kept[name] = read
    return list(kept.values()), others


def _distinct(reads: list[ReadResource]) -> tuple[list[_Used], list[Refusal]]:
    """Of readings with equal code, time and value the first by reference is used."""
    seen: set[tuple[str, str, bool, str, float]] = set()
    used: list[_Used] = []
    repeated: list[Refusal] = []
    for source, found in _used(reads):
        scale = found.scale
        what = (scale.system, scale.code, found.safety, found.moment.utc, found.value)
        if what in seen:
            repeated.append(Refusal(source, Reason.DUPLICATE))
        else:
            seen.add(what)
            used.append((source, found))
    return used, repeated


def _used(reads: list[ReadResource]) -> Iterator[_Used]:
    for read in sorted(reads, key=lambda read: (read.source, read.content)):
        for result in read.results:
            if isinstance(result, Reading):
                yield read.source, result


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
