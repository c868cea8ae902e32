"""Urgent findings become alerts that somebody of the care team acknowledges."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import transaction

from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import Patient
from backend.predictions.days import latest_day
from backend.predictions.models import Alert
from backend.predictions.remarks import said
from backend.twin.errors import NotVisible, SealBroken
from backend.twin.recommendation import Finding, urgent_findings
from backend.twin.record import PatientRecord

TABLE = "predictions_alert"
COLUMN = "finding"


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert, unsealed for somebody who may see the patient.

    Where it cannot be unsealed (the patient's key was destroyed, or the row changed)
    `readable` is False and the finding's fields are None. `text` is the finding as one
    line for people.
    """

    id: UUID
    patient_id: UUID
    readable: bool
    kind: str | None
    scale: str | None
    day: date | None
    value: float | None
    text: str | None
    created: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str


def raise_alerts(patient: Patient, record: PatientRecord, *, now: datetime) -> int:
    """Make an alert of each urgent finding that has none yet; returns how many.

    Urgent is judged by the latest day anywhere, not by a forecast's `as_of`: what was
    urgent long ago is history. It is done before a forecast is tried, so a record that
    is too thin for a forecast still alerts.
    """
    made = 0
    for finding in urgent_findings(record, latest_day(now)):
        alert_id = uuid4()
        _, created = Alert.objects.get_or_create(
            patient=patient,
            key=crypto.blind_index(f"alert:{patient.pk}", _name(finding)),
            defaults={
                "id": alert_id,
                "finding": _seal(patient, alert_id, asdict(finding)),
                "created": now,
            },
        )
        made += created
    return made


def list_alerts(actor: Actor, *, acknowledged: bool = False) -> list[OpenAlert]:
    """Alerts of the patients that `actor` may see, newest first; one audit row.

    One that cannot be unsealed is listed as such: it keeps no other back, and nobody
    takes its absence for good news.
    """
    rows = Alert.objects.filter(
        acknowledged_at__isnull=not acknowledged,
        patient__in=Patient.objects.visible_to(actor.user)
        if actor.user
        else Patient.objects.all(),
    )
    found = list(rows.select_related("patient").order_by("-created", "pk"))
    opened = [_open(alert) for alert in found]
    ledger.record(
        action=Action.LIST,
        actor=actor.name,
        patients=list(dict.fromkeys(alert.patient_id for alert in found)),
        detail={
            "of": "alerts",
            "count": len(opened),
            "unreadable": sum(not alert.readable for alert in opened),
        },
    )
    return opened


def acknowledge(actor: Actor, alert_id: UUID, *, now: datetime) -> OpenAlert:
    """Note who has seen the alert and when; the first acknowledgement stands.

    Raises NotVisible when there is none of that id or its patient is not the actor's.
    """
    alert = Alert.objects.filter(pk=alert_id).first()
    if alert is None or actor.user is None:
        ledger.record(
            action=Action.ACKNOWLEDGE, actor=actor.name, outcome=Outcome.DENIED
        )
        raise NotVisible
    access.open_patient(actor, alert.patient_id, action=Action.ACKNOWLEDGE)
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert_id)
        if alert.acknowledged_at is None:
            alert.acknowledged_at = now
            alert.acknowledged_by = actor.user
            alert.save(update_fields=["acknowledged_at", "acknowledged_by"])
    return _open(alert)


def _name(finding: Finding) -> str:
    """One per finding: an EHR's new version of the same answer is the same finding."""
    resource, _, _ = finding.source.partition("/_history/")
    what = f"{finding.kind}|{finding.scale}|{finding.day}|{finding.value!r}"
    return f"{what}|{resource}"


def _seal(patient: Patient, alert_id: UUID, finding: dict[str, Any]) -> bytes:
    return crypto.seal(
        patient,
        table=TABLE,
        column=COLUMN,
        row=str(alert_id),
        plain=orjson.dumps(finding),
    )


def _open(alert: Alert) -> OpenAlert:
    finding = _finding(alert)
    return OpenAlert(
        id=alert.pk,
        patient_id=alert.patient_id,
        readable=finding is not None,
        kind=finding.kind if finding else None,
        scale=finding.scale if finding else None,
        day=finding.day if finding else None,
        value=finding.value if finding else None,
        text=said(finding).text if finding else None,
        created=alert.created,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=str(alert.acknowledged_by or ""),
    )


def _finding(alert: Alert) -> Finding | None:
    """What `_seal` sealed, or None where it does not open."""
    try:
        plain = crypto.unseal(
            alert.patient,
            table=TABLE,
            column=COLUMN,
            row=str(alert.pk),
            blob=bytes(alert.finding),
        )
    except SealBroken:
        return None
    data = orjson.loads(plain)
    return Finding(**{**data, "day": date.fromisoformat(data["day"])})
