"""What in a record calls for a human at once; no forecast is needed for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import Scale

Kind = Literal["self-harm", "severe-band"]

URGENT_DAYS = 14  # an older finding is history


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the record that calls for a human; `source` is its EHR reference.

    `scale` is the scale's key, `value` in score units. `first`: no score came before
    it, so nobody can say that a severe band was entered.
    """

    kind: Kind
    scale: str
    day: date
    value: float
    source: str
    first: bool = False


def urgent_findings(record: PatientRecord, as_of: date) -> tuple[Finding, ...]:
    """Findings of the fourteen days up to `as_of`, oldest first.

    A safety item answered above its threshold, and a score in a severe band after one
    that was not, or as the first score known.
    """
    found = [*_self_harm(record), *(f for s in record.series for f in _entered(s))]
    recent = (f for f in found if as_of - timedelta(URGENT_DAYS) <= f.day <= as_of)
    return tuple(sorted(recent, key=lambda f: (f.day, f.kind, f.scale, f.source)))


def _self_harm(record: PatientRecord) -> Iterator[Finding]:
    for answer in record.safety:
        item = answer.scale.safety_item
        if item is not None and answer.value > item.above:
            yield Finding(
                kind="self-harm",
                scale=answer.scale.key,
                day=answer.day,
                value=answer.value,
                source=answer.source,
            )


def _entered(series: Series) -> Iterator[Finding]:
    """Each entry that is in a severe band while the one before was not."""
    entries: Sequence[Entry | None] = (None, *series.entries)
    for before, entry in pairwise(entries):
        was_severe = before is not None and _is_severe(series.scale, before.value)
        if entry is not None and _is_severe(series.scale, entry.value) > was_severe:
            yield Finding(
                kind="severe-band",
                scale=series.scale.key,
                day=entry.day,
                value=entry.value,
                source=entry.source,
                first=before is None,
            )


def _is_severe(scale: Scale, score: float) -> bool:
    band = scale.band(score)
    return band is not None and band.severe
