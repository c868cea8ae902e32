"""Entries that were taken back after a forecast had used them.

Each prediction keeps, sealed, the entries it rests on: per instrument those in the
window, and the answers to safety items beside them. Every later pull is compared with
that. What the EHR now shows as entered in error, cancelled or with another value makes
the prediction stale, and its deliveries of the instruments concerned are cancelled, or
said to stand no longer where the EHR has them already.

An entry that a pull does not show at all proves nothing: it may lie outside the days
asked for, and some EHRs show a retraction by hiding the entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import orjson
from django.db import transaction

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions.answer import Answer
from backend.predictions.digests import digest_of_record
from backend.predictions.models import OutboxItem, Prediction, StaleReason
from backend.twin.errors import SealBroken
from backend.twin.features import CONTEXT, ForecastWindow
from backend.twin.findings import URGENT_DAYS
from backend.twin.record import PatientRecord, Reason

TABLE = "predictions_prediction"
COLUMN = "evidence"

_TAKEN_BACK = frozenset({Reason.ENTERED_IN_ERROR, Reason.CANCELLED})
# What a policy of ours keeps out says nothing of what the EHR holds.
_NOT_THE_EHRS = frozenset({Reason.NO_SCALE, Reason.RESTRICTED, Reason.NOT_FOR_AGE})

State = OutboxItem.State


class Used(NamedTuple):
    """An entry as a prediction used it: reference, day, and what it said."""

    source: str
    day: str
    said: str


def seal_evidence(
    prediction: Prediction,
    answer: Answer,
    windows: Sequence[ForecastWindow],
    *,
    record: PatientRecord,
) -> bytes:
    """What `answer` rests on, encrypted for this row; the windows in its order."""
    first = prediction.as_of - timedelta(days=URGENT_DAYS + 1)  # a day for time zones
    parts: list[tuple[str, list[Used]]] = [
        (str(item.identifier), list(_in_window(window)))
        for item, window in zip(answer.instruments, windows, strict=True)
    ]
    parts.append(("", [used for used in _answers(record) if used.day >= str(first)]))
    return crypto.seal(
        prediction.patient,
        table=TABLE,
        column=COLUMN,
        row=str(prediction.pk),
        plain=orjson.dumps(parts, default=list),  # Used is a tuple
    )


def mark_taken_back(
    patient: Patient,
    record: PatientRecord,
    *,
    days: tuple[date, date],
    now: datetime,
) -> int:
    """Mark the patient's predictions that `record` contradicts; returns how many.

    `record` is what the EHR showed of these days, first and last. Done at once after
    the pull and for itself, not with the next prediction: there may be none, because
    the only entry was taken back, or because an older answer is given again.
    """
    shown = _Shown(record, days)
    standing = patient.predictions.filter(
        stale_since=None,
        evidence__isnull=False,
        as_of__gte=days[0],  # nothing that one of before used was asked for
    )
    changed = standing.exclude(record_digest=digest_of_record(record))
    marked = 0
    for prediction in changed.defer("payload"):
        found = {
            identifier: reason
            for identifier, used in _open(patient, prediction)
            if (reason := shown.against(used)) is not None
        }
        if found:
            _mark(prediction, found, now=now)
            marked += 1
    return marked


def _mark(
    prediction: Prediction, found: dict[str, StaleReason], *, now: datetime
) -> None:
    """Prediction and deliveries in one transaction."""
    identifiers = [identifier for identifier in found if identifier]
    items = OutboxItem.objects.filter(pk__in=identifiers)
    unsent = items.filter(state__in=(State.PENDING, State.FAILED))
    reason = max(found.values())  # "taken-back" says more than "amended"
    with transaction.atomic():
        items.update(stands=False)
        unsent.update(state=State.CANCELLED, last_error=reason)
        prediction.stale_since, prediction.stale_reason = now, reason
        prediction.save(update_fields=["stale_since", "stale_reason"])


def _in_window(window: ForecastWindow) -> Iterator[Used]:
    """The entries that the window shows to a model; `window_digest` names the same."""
    first = window.last_day - timedelta(days=CONTEXT - 1)
    key = window.series.scale.key
    for entry in window.series.entries:
        if first <= entry.day <= window.last_day:
            said = f"{key}|{entry.day}|{entry.at}|{entry.value!r}"
            yield Used(entry.source, str(entry.day), said)


def _entries(record: PatientRecord) -> Iterator[Used]:
    for series in record.series:
        for entry in series.entries:
            said = f"{series.scale.key}|{entry.day}|{entry.at}|{entry.value!r}"
            yield Used(entry.source, str(entry.day), said)


def _answers(record: PatientRecord) -> Iterator[Used]:
    for answer in record.safety:
        said = f"safety:{answer.scale.key}|{answer.day}|{answer.value!r}"
        yield Used(answer.source, str(answer.day), said)


def _open(patient: Patient, prediction: Prediction) -> list[tuple[str, list[Used]]]:
    """What `seal_evidence` sealed; nothing where it does not open.

    Then the answer does not open either, and one such row must not keep the patient
    from a new forecast.
    """
    try:
        plain = crypto.unseal(
            patient,
            table=TABLE,
            column=COLUMN,
            row=str(prediction.pk),
            blob=prediction.evidence or b"",
        )
    except SealBroken:
        return []
    return [(name, [Used(*one) for one in used]) for name, used in orjson.loads(plain)]


class _Shown:
    """What a pull showed, so that what a prediction used can be looked up in it."""

    def __init__(self, record: PatientRecord, days: tuple[date, date]) -> None:
        self._first, self._last = map(str, days)
        self._versions: set[str] = set()
        self._said: dict[str, set[str]] = defaultdict(set)
        self._reasons: dict[str, set[Reason]] = defaultdict(set)
        for used in (*_entries(record), *_answers(record)):
            self._versions.add(used.source)
            self._said[_name(used.source)].add(used.said)
        for refusal in record.refused:
            if refusal.reason is not Reason.DUPLICATE:  # that may be an older version
                self._versions.add(refusal.source)
            self._reasons[_name(refusal.source)].add(refusal.reason)
        self._anywhere = set().union(*self._said.values())

    def against(self, used: Iterable[Used]) -> StaleReason | None:
        """The gravest that the pull shows against one of these entries, or None."""
        return max(filter(None, map(self._of, used)), default=None)

    def _of(self, used: Used) -> StaleReason | None:
        name = _name(used.source)
        reasons, said = self._reasons.get(name, set()), self._said.get(name, set())
        if not _is_named(name) or used.said in said:
            return None
        if reasons & _TAKEN_BACK:
            return StaleReason.TAKEN_BACK
        if used.said in self._anywhere or self._cannot_tell(used):
            return None
        return StaleReason.AMENDED if said or reasons - _NOT_THE_EHRS else None

    def _cannot_tell(self, used: Used) -> bool:
        """Not asked for; or the very version is there, and we read it otherwise."""
        same_version = "/_history/" in used.source and used.source in self._versions
        return same_version or not self._first <= used.day <= self._last


def _name(source: str) -> str:
    """The reference without its version."""
    return source.partition("/_history/")[0]


def _is_named(name: str) -> bool:
    """False for a resource without an id: any other could be meant."""
    return "/" in name
