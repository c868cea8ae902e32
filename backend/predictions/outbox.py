"""Deliveries to the EHR: rows made with the prediction, worked off under a lease.

The table is the truth. A worker takes one row at a time with a lease, talks to the
EHR outside of any transaction, and notes the outcome. Killed anywhere, its lease runs
out and another worker delivers again; the identifier makes that harmless.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import F, Q

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import Patient, Site, WriteMode
from backend.predictions.answer import Answer, open_answer
from backend.predictions.models import OutboxItem, Prediction
from backend.twin.errors import EhrError, EhrUnavailable, SealBroken
from backend.twin.ports import Ehr, ForecastDocument, Receipt

TABLE = "predictions_outboxitem"
COLUMN = "receipt"
MAX_REFUSALS = 5  # an EHR that said no this often will not say yes by itself
FIRST_WAIT_S = 2.0  # doubled with each attempt ...
LONGEST_WAIT_S = 60.0  # ... up to this, so that a recovered EHR is served within it
LONGEST_ASKED_S = 3600.0  # an EHR may ask for more patience than that, and not get it

State = OutboxItem.State


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one call of `deliver_due` did, and how many deliveries are still to do."""

    delivered: int
    failed: int
    waiting: int


def enqueue(patient: Patient, prediction: Prediction, answer: Answer) -> None:
    """Outbox rows of a prediction; call it in the prediction's own transaction.

    Historical forecasts are not delivered, nor is anything at a site that takes no
    writes. An identifier that is there already is the same answer: one row is enough.
    """
    if patient.site.write_mode == WriteMode.NONE:
        return
    OutboxItem.objects.bulk_create(
        (
            OutboxItem(
                id=item.identifier,
                prediction=prediction,
                patient=patient,
                position=position,
                created=prediction.created,
                next_attempt=prediction.created,
            )
            for position, item in enumerate(answer.instruments)
            if not item.forecast.historical
        ),
        ignore_conflicts=True,
    )


def deliver_due(
    *,
    ehr: Callable[[Site], Ehr],
    now: Callable[[], datetime],
    lease_s: float,
    limit: int,
    owner: str,
    actor: Actor | None = None,
) -> DeliveryReport:
    """Deliver what is due, at most `limit` items, one after the other.

    `owner` names this worker and no other one. A site found down is left alone for
    the rest of the call. Raises AuditUnavailable, before anything leaves.
    """
    actor = actor or Actor.of_command("deliver")
    down: set[UUID] = set()
    count: Counter[str] = Counter()
    for _ in range(limit):
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
    begins with the write lock, so there is no other worker.
    """
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = OutboxItem.objects.filter(free, state=State.PENDING, next_attempt__lte=now)
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
        item.lease_until = now + lease
        item.save(update_fields=["attempts", "lease_owner", "lease_until"])
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

    The gate's audit row comes before anything leaves; a failure adds a second one.
    """
    patient = access.open_patient(actor, item.patient_id, action=Action.DELIVER)
    try:
        receipt = ehr(patient.site).write_forecast(_document(item, patient))
    except (EhrError, SealBroken) as error:
        if isinstance(error, EhrUnavailable):
            down.add(patient.site_id)
        _record_failure(item, actor, error)
        return _put_back(item, error, now=now())
    _finish(item, patient, receipt, now=now())
    return State.DELIVERED


def _document(item: OutboxItem, patient: Patient) -> ForecastDocument:
    answer = open_answer(patient, item.prediction)
    return ForecastDocument(
        identifier=item.pk,
        ehr_patient=access.ehr_id_of(patient),
        forecast=answer.instruments[item.position].forecast,
        issued=item.prediction.created,
    )


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


def _put_back(item: OutboxItem, error: EhrError | SealBroken, *, now: datetime) -> str:
    """Pending again after a wait, or failed; only while the lease is still ours."""
    final = _is_final(item, error)
    still_ours = {"state": State.PENDING, "attempts": item.attempts}
    OutboxItem.objects.filter(pk=item.pk, **still_ours).update(
        state=State.FAILED if final else State.PENDING,
        next_attempt=now + _wait(item, error),
        last_error=type(error).__name__,
        refusals=F("refusals") + (not isinstance(error, EhrUnavailable)),
        lease_owner="",
        lease_until=None,
    )
    return State.FAILED if final else State.PENDING


def _is_final(item: OutboxItem, error: EhrError | SealBroken) -> bool:
    """Whether another attempt would be pointless.

    A site that is down is tried for ever: the record there is not complete until then.
    """
    if isinstance(error, EhrUnavailable):
        return False
    return isinstance(error, SealBroken) or item.refusals + 1 >= MAX_REFUSALS


def _wait(item: OutboxItem, error: EhrError | SealBroken) -> timedelta:
    """Exponential back-off with jitter, never shorter than the EHR asked for.

    The jitter comes from the identifier and the attempt: spread like a random one, and
    the same when the case is repeated.
    """
    seed = hashlib.sha256(item.pk.bytes + item.attempts.to_bytes(4, "big")).digest()
    share = 0.5 + 0.5 * seed[0] / 255  # the upper half: never hurry
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(item.attempts - 1, 10))
    asked = error.retry_after_s if isinstance(error, EhrUnavailable) else 0.0
    return timedelta(seconds=max(longest * share, min(asked, LONGEST_ASKED_S)))


def _record_failure(item: OutboxItem, actor: Actor, error: Exception) -> None:
    ledger.record(
        action=Action.DELIVER,
        actor=actor.name,
        outcome=Outcome.FAILED,
        patients=[item.patient_id],
        detail={"attempt": item.attempts, "error": type(error).__name__},
    )
