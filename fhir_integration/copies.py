"""Versions of one resource and copies of one entry: which of them counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator

from backend.twin.record import Reason, Refusal
from fhir_integration.common_shape import CommonShape
from fhir_integration.dispatch import ReadResource
from fhir_integration.kinds.wearable import Sample


def newest(
    reads: list[ReadResource], common: CommonShape
) -> tuple[list[ReadResource], list[Refusal]]:
    """One read per id and business identifier, the newest; the others are refused.

    Of the rows of the common shape only those that share a name are taken out and
    looked at; the others stay where they are.
    """
    shared = _shared(reads, common)
    if shared:
        reads = [*reads, *_taken_out(common, shared)]
    return _newest(reads)


def _shared(reads: list[ReadResource], common: CommonShape) -> set[Hashable]:
    """Names, ids or business names, that more than one resource bears."""
    ids = [row[0] for column in common.columns for row in column.rows]
    business = [row[1] for column in common.columns for row in column.rows if row[1]]
    ids += [read.identity.removeprefix(_KIND) for read in reads if _is_ours(read)]
    business += [read.business for read in reads if read.business]
    return {*_repeated(ids), *_repeated(business)}


_KIND = "Observation/"


def _is_ours(read: ReadResource) -> bool:
    return read.identity.startswith(_KIND)


def _repeated(names: list[Hashable]) -> Iterator[Hashable]:
    if len(set(names)) < len(names):
        yield from (name for name, count in Counter(names).items() if count > 1)


def _taken_out(common: CommonShape, shared: set[Hashable]) -> Iterator[ReadResource]:
    for column in common.columns:
        rows, column.rows = column.rows, []
        for row in rows:
            if row[0] in shared or row[1] in shared:
                yield column.read(row)
            else:
                column.rows.append(row)


def _newest(reads: list[ReadResource]) -> tuple[list[ReadResource], list[Refusal]]:
    ordered = sorted(reads, key=_rank)
    by_id, older = _last(ordered, by=lambda read: read.identity)
    kept, copies = _last(by_id, by=lambda read: read.business)
    return kept, [
        Refusal(read.source, Reason.DUPLICATE)
        for read in older + copies
        if read.results
    ]


def _rank(read: ReadResource) -> tuple[object, ...]:
    """Newest last; of equally new ones the order does not depend on the delivery."""
    days = [(x.day, x.offset) for x in read.results if isinstance(x, Sample)]
    return read.newness, read.content, read.source, read.business, days


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
