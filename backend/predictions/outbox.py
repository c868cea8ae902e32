"""Deliveries to the EHR: rows made with the prediction, worked off under a lease.

The table is the truth. A worker takes one row at a time with a lease, talks to the
EHR outside of any transaction, and notes the outcome. Killed anywhere, its lease runs
out and another worker delivers again; the identifier makes that harmless. An item in
hand stands behind the others until its lease ends: one that kills its worker does not
keep the rest waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.eligibility import EVERY, objection
from backend.people.models import Patient, Site, WriteMode
from backend.predictions.documents import send
from backend.predictions.models import OutboxItem, Prediction
from backend.predictions.setbacks import Setback, is_final, setback_of, wait
from backend.registry.models import ServiceSwitch
from backend.twin.errors import EhrError, RecordClosed, SealBroken
from backend.twin.ports import Ehr, Receipt

TABLE = "predictions_outboxitem"
COLUMN = "receipt"
# What may go wrong with one item and says nothing of the others. The built-in ones are
# for what nobody foresaw in an answer or an address; a worker must outlive it.
HINDRANCES = (EhrError, SealBroken, ValueError, ArithmeticError)

State = OutboxItem.State


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one call of `deliver_due` did, and how many deliveries are still to do."""

    delivered: int
    failed: int
    waiting: int


def enqueue(
    patient: Patient, prediction: Prediction, positions: Mapping[UUID, int]
) -> None:
    """Outbox rows of a prediction; call it in the prediction's own transaction.

    `positions` has the identifier of each part of the answer that the EHR gets, and the
    part's place in it. Nothing is delivered at a site that takes no writes, or of a
    patient who has died since. An identifier that is there already is
    the same answer: one row is enough, and it keeps its own prediction, so that a
    repeat sends the same again. One that had failed is tried anew, and so is one that
    was cancelled: the entry that was taken back is there again.
    """
    if patient.site.write_mode == WriteMode.NONE or objection(patient, EVERY):
        return
    OutboxItem.objects.bulk_create(
        (
            OutboxItem(
                id=identifier,
                prediction=prediction,
                patient=patient,
                position=position,
                created=prediction.created,
                next_attempt=prediction.created,
            )
            for identifier, position in positions.items()
        ),
        ignore_conflicts=True,
    )
    same = OutboxItem.objects.filter(pk__in=positions)
    same.filter(stands=False).update(stands=True)
    unsent = same.filter(state__in=(State.FAILED, State.CANCELLED))
    _try_anew(unsent, now=prediction.created)


def requeue_failed(*, now: datetime, actor: Actor | None = None) -> int:
    """Have what failed, or waits after a refusal, tried anew at once; how many that is.

    For an operator who has mended what was refused. One audit row when there is any;
    raises AuditUnavailable, and then nothing was changed.
    """
    refused = Q(state=State.FAILED) | Q(state=State.PENDING, refusals__gt=0)
    found = OutboxItem.objects.filter(refused)
    patients = list(found.order_by().values_list("patient_id", flat=True).distinct())
    if not patients:
        return 0
    ledger.record(
        action=Action.ADMIN,
        actor=(actor or Actor.of_command("deliver")).name,
        patients=patients,
        detail={"of": "deliveries", "count": found.count()},
    )
    return _try_anew(found, now=now)


def _try_anew(items: QuerySet[OutboxItem], *, now: datetime) -> int:
    return items.update(state=State.PENDING, refusals=0, next_attempt=now)


def deliver_due(
    *,
    ehr: Callable[[Site], Ehr],
    now: Callable[[], datetime],
    lease_s: float,
    limit: int,
    owner: str,
    actor: Actor | None = None,
) -> DeliveryReport:
    """Deliver what is due, at most `limit` items beside those that are cancelled.

    `owner` names this worker and no other one. A site that takes nothing at present
    is left alone for the rest of the call. What is of a service that somebody switched
    off stays pending until it is on again. Raises AuditUnavailable, before anything
    leaves.
    """
    actor = actor or Actor.of_command("deliver")
    down: set[UUID] = set()
    count: Counter[str] = Counter()
    while count.total() - count[State.CANCELLED] < limit:
        item = _claim(now(), lease=timedelta(seconds=lease_s), owner=owner, down=down)
        if item is None:
            break
        count[_deliver(item, actor=actor, ehr=ehr, now=now, down=down)] += 1
    return DeliveryReport(
        delivered=count[State.DELIVERED],
        failed=count[State.FAILED],
        waiting=OutboxItem.objects.filter(state=State.PENDING).count(),
    )


def _claim(
    now: datetime, *, lease: timedelta, owner: str, down: set[UUID]
) -> OutboxItem | None:
    """Take the item that has waited longest, or None.

    PostgreSQL skips rows that another worker is just taking; on SQLite a transaction
    begins with the write lock, so there is no other worker. Switches are read with
    each item, so one that is thrown stops the next.
    """
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    off = ServiceSwitch.objects.filter(off=True).values("service")
    due = OutboxItem.objects.filter(
        free, state=State.PENDING, next_attempt__lte=now
    ).exclude(prediction__service__in=off)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True, of=("self",))
    with transaction.atomic():
        item = (
            due.exclude(patient__site__in=down)
            .order_by("next_attempt", "created", "position", "pk")
            .first()
        )
        if item is None:
            return None
        item.attempts += 1
        item.lease_owner = owner
        item.lease_until = item.next_attempt = now + lease
        item.save(
            update_fields=["attempts", "lease_owner", "lease_until", "next_attempt"]
        )
    return item


def _deliver(
    item: OutboxItem,
    *,
    actor: Actor,
    ehr: Callable[[Site], Ehr],
    now: Callable[[], datetime],
    down: set[UUID],
) -> str:
    """One attempt, without a transaction around it; returns the state it ends in.

    The gate's audit row comes before anything leaves; a failure adds a second one. What
    is of a closed record is cancelled, and the gate's row says why it was denied.
    """
    try:
        patient = access.open_patient(
            actor, item.patient_id, action=Action.DELIVER, unless=EVERY
        )
    except RecordClosed as closed:
        return _settle(item, State.CANCELLED, closed, next_attempt=now())
    try:
        receipt = send(ehr(patient.site), item, patient)
    except HINDRANCES as error:
        if setback_of(error) is Setback.UNABLE:
            down.add(patient.site_id)
        _record_failure(item, actor, error)
        return _put_back(item, error, now=now())
    _finish(item, patient, receipt, now=now())
    return State.DELIVERED


def _finish(
    item: OutboxItem, patient: Patient, receipt: Receipt, *, now: datetime
) -> None:
    """Delivered is delivered, whoever holds the lease by now."""
    sealed = crypto.seal(
        patient,
        table=TABLE,
        column=COLUMN,
        row=str(item.pk),
        plain=orjson.dumps(asdict(receipt)),
    )
    OutboxItem.objects.filter(pk=item.pk).exclude(state=State.DELIVERED).update(
        state=State.DELIVERED,
        delivered_at=now,
        receipt=sealed,
        lease_owner="",
        lease_until=None,
        last_error="",
    )


def _put_back(item: OutboxItem, error: Exception, *, now: datetime) -> str:
    """Pending again after a wait, or failed; only while the lease is still ours."""
    setback = setback_of(error)
    return _settle(
        item,
        State.FAILED if is_final(item, setback) else State.PENDING,
        error,
        next_attempt=now + wait(item, error),
        refusals=F("refusals") + (setback is not Setback.UNABLE),
    )


def _settle(item: OutboxItem, state: State, why: Exception, **columns: Any) -> str:
    """Give the item back in this state, unless another worker has taken it over."""
    still_ours = {"state": State.PENDING, "attempts": item.attempts}
    OutboxItem.objects.filter(pk=item.pk, **still_ours).update(
        state=state,
        last_error=type(why).__name__,
        lease_owner="",
        lease_until=None,
        **columns,
    )
    return state


def _record_failure(item: OutboxItem, actor: Actor, error: Exception) -> None:
    ledger.record(
        action=Action.DELIVER,
        actor=actor.name,
        outcome=Outcome.FAILED,
        patients=[item.patient_id],
        detail={"attempt": item.attempts, "error": type(error).__name__},
    )
