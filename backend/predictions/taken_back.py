"""Entries that were taken back after an answer had used them.

Each prediction keeps, sealed, the entries it rests on: per instrument those in the
window, and the answers to safety items beside them. Every later pull is compared with
that. What the EHR now shows as entered in error, cancelled or with another value makes
the prediction stale, and its deliveries of the instruments concerned are cancelled, or
said to stand no longer where the EHR has them already. What is stale already is looked
at again: its other instruments may lose their ground later. What was filed under a
record that was merged into the patient's counts with the patient's.

An entry that a pull does not show at all proves nothing: it may lie outside the days
asked for, and some EHRs show a retraction by hiding the entry. A total that was added
up is another matter: its items name no total, so that it changes, or is gone, when one
of them does, while the panel that it is known by stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import orjson
from django.db import transaction

from backend.people import crypto
from backend.people.eligibility import same_person
from backend.people.models import Patient
from backend.predictions.answer import Answer
from backend.predictions.digests import digest_of_record
from backend.predictions.facts_used import facts_used
from backend.predictions.models import OutboxItem, Prediction, StaleReason
from backend.twin.errors import SealBroken
from backend.twin.features import CONTEXT, ForecastWindow
from backend.twin.findings import URGENT_DAYS
from backend.twin.record import Entry, PatientRecord, Reason
from backend.twin.scales import Scale

TABLE = "predictions_prediction"
COLUMN = "evidence"

_TAKEN_BACK = frozenset({Reason.ENTERED_IN_ERROR, Reason.CANCELLED})
# What a policy of ours keeps out says nothing of what the EHR holds.
_NOT_THE_EHRS = frozenset({Reason.NO_SCALE, Reason.RESTRICTED, Reason.NOT_FOR_AGE})

State = OutboxItem.State


class Used(NamedTuple):
    """An entry as a prediction used it: reference, day, and what it said.

    Rows of before there was `summed` tell three things of each entry.
    """

    source: str
    day: str
    said: str
    summed: bool = False


Part = tuple[str, list[Used]]  # identifier of a delivery, and what it rests on


def seal_evidence(
    prediction: Prediction,
    answer: Answer,
    windows: Sequence[ForecastWindow],
    *,
    record: PatientRecord,
) -> bytes:
    """What `answer` rests on, encrypted for this row; the windows in its order."""
    parts: list[Part] = [
        (str(item.identifier), list(_in_window(window)))
        for item, window in zip(answer.instruments, windows, strict=True)
    ]
    parts.append(("", answers_used(prediction, record)))
    return seal_used(prediction, parts)


def answers_used(prediction: Prediction, record: PatientRecord) -> list[Used]:
    """The answers to safety items that an answer tells of, beside its entries."""
    first = prediction.as_of - timedelta(days=URGENT_DAYS + 1)  # a day for time zones
    return [used for used in _answers(record) if used.day >= str(first)]


def seal_used(prediction: Prediction, parts: Sequence[Part]) -> bytes:
    """What each delivery rests on, by its identifier, encrypted for this row.

    Without an identifier: what the answer rests on and no delivery does.
    """
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
    owners = {one.pk: one for one in records_of(patient)}
    used_otherwise = Prediction.objects.filter(
        patient__in=owners,
        evidence__isnull=False,
        as_of__gte=days[0],  # nothing that one of before used was asked for
    ).exclude(record_digest=digest_of_record(record))
    marked = 0
    for prediction in used_otherwise.defer("payload"):
        found = {
            identifier: reason
            for identifier, used in _open(owners[prediction.patient_id], prediction)
            if (reason := shown.against(used)) is not None
        }
        if found:
            _mark(prediction, found, now=now)
            marked += 1
    return marked


def records_of(patient: Patient) -> list[Patient]:
    """The patient, and our patients whose records the EHR merged into theirs.

    Of a merged record it is that one alone: who may see it need not be allowed to see
    the survivor's.
    """
    return [patient] if patient.merged_into_id else same_person(patient)


def _mark(
    prediction: Prediction, found: dict[str, StaleReason], *, now: datetime
) -> None:
    """Prediction and deliveries in one transaction; what was found before stays."""
    identifiers = [identifier for identifier in found if identifier]
    items = OutboxItem.objects.filter(pk__in=identifiers)
    unsent = items.filter(state__in=(State.PENDING, State.FAILED))
    reason = max(found.values())  # "taken-back" says more than "amended"
    with transaction.atomic():
        items.update(stands=False)
        unsent.update(state=State.CANCELLED, last_error=reason)
        if reason > prediction.stale_reason:
            prediction.stale_since = prediction.stale_since or now
            prediction.stale_reason = reason
            prediction.save(update_fields=["stale_since", "stale_reason"])


def _in_window(window: ForecastWindow) -> Iterator[Used]:
    """The entries that the window shows to a model; `window_digest` names the same."""
    first = window.last_day - timedelta(days=CONTEXT - 1)
    for entry in window.series.entries:
        if first <= entry.day <= window.last_day:
            yield entry_used(window.series.scale, entry)


def _entries(record: PatientRecord) -> Iterator[Used]:
    for series in record.series:
        for entry in series.entries:
            yield entry_used(series.scale, entry)


def entry_used(scale: Scale, entry: Entry) -> Used:
    """The entry as it is compared with later pulls."""
    said = f"{scale.key}|{entry.day}|{entry.at}|{entry.value!r}"
    return Used(entry.source, str(entry.day), said, entry.summed)


def _answers(record: PatientRecord) -> Iterator[Used]:
    for answer in record.safety:
        said = f"safety:{answer.scale.key}|{answer.day}|{answer.value!r}"
        yield Used(answer.source, str(answer.day), said)


def _facts(record: PatientRecord) -> Iterator[Used]:
    return (Used(*one) for one in facts_used(record))


def _open(patient: Patient, prediction: Prediction) -> list[Part]:
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
        for used in (*_entries(record), *_answers(record), *_facts(record)):
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
        if said or reasons - _NOT_THE_EHRS:
            return StaleReason.AMENDED
        return self._of_lost_sum(used) if used.summed and not reasons else None

    def _of_lost_sum(self, used: Used) -> StaleReason:
        """The items make no total any more; or another one of that day stands."""
        is_told = _scale_and_day(used.said) in map(_scale_and_day, self._anywhere)
        return StaleReason.AMENDED if is_told else StaleReason.TAKEN_BACK

    def _cannot_tell(self, used: Used) -> bool:
        """Not asked for; or the very version is there, and we read it otherwise.

        The version of a panel says nothing of its items.
        """
        same_version = "/_history/" in used.source and used.source in self._versions
        is_same = same_version and not used.summed
        return is_same or not self._first <= used.day <= self._last


def _scale_and_day(said: str) -> str:
    return said.rsplit("|", maxsplit=2)[0]


def _name(source: str) -> str:
    """The reference without its version."""
    return source.partition("/_history/")[0]


def _is_named(name: str) -> bool:
    """False for a resource without an id: any other could be meant."""
    return "/" in name
